"""What a provider's answer means, and how an e-mail is put together."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from http.client import HTTPMessage

import pytest

from grm.notifications.channels.contract import RESULTS, Letter, Result, one_line
from grm.notifications.channels.sms_kannel import KannelGateway, read_answer
from grm.notifications.channels.smtp import compose


def headers(**values: str) -> HTTPMessage:
    made = HTTPMessage()
    for name, value in values.items():
        made[name.replace("_", "-")] = value
    return made


@pytest.mark.parametrize(
    ("status", "answer", "result"),
    [
        (202, "0: Accepted for delivery", "accepted"),
        (202, "3: Queued for later delivery", "accepted"),
        (200, " 0: Accepted for delivery", "accepted"),
        (202, "", "unknown"),
        (202, "4: something new", "unknown"),
        (200, "ERROR 102 insufficient balance", "unknown"),
        (204, "", "unknown"),
        (302, "Moved", "unreachable"),
        (400, "Number(s) has/have been denied by white- and/or black-lists.", "refused"),
        (403, "Not routable. Do not try again.", "refused"),
        (403, "Authorization failed for sendsms", "unreachable"),
        (401, "", "unreachable"),
        (404, "", "unreachable"),
        (407, "", "unreachable"),
        (408, "", "temporary"),
        (413, "", "refused"),
        (429, "", "temporary"),
        (500, "", "temporary"),
        (502, "Bad gateway", "unknown"),
        (503, "Temporal failure, try again later.", "temporary"),
        (504, "", "unknown"),
        (507, "", "temporary"),
    ],
)
def test_what_an_answer_means(status: int, answer: str, result: Result) -> None:
    outcome = read_answer(status, answer, headers())
    assert outcome.result == result and outcome.result in RESULTS
    assert str(status) in outcome.detail


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ({"Retry_After": "40"}, 40),
        ({"Retry_After": " 7 "}, 7),
        ({"Retry_After": "999999999999"}, 3600),
        ({"Retry_After": "Sat, 21 Nov 2026 10:00:30 GMT", "Date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 30),
        ({"Retry_After": "Sat, 21 Nov 2026 09:00:00 GMT", "Date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 0),
        ({"Retry_After": "Sat, 21 Nov 2026 10:00:30 GMT"}, None),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "-5"}, None),
        ({"Retry_After": "৪০"}, None),
        ({}, None),
    ],
)
def test_retry_after(values: dict[str, str], seconds: float | None) -> None:
    assert read_answer(429, "", headers(**values)).retry_after_seconds == seconds
    assert read_answer(503, "", headers(**values)).retry_after_seconds == seconds


def test_a_providers_words_are_kept_short_and_clean() -> None:
    assert one_line("<html>\n<b>No</b>\x00 to +8801712345678 \u2028 please</html>") == "No to … please"
    assert one_line("id:7 stat:UNDELIV err:005 text:Your complaint 7K3M") == "id:7 stat:UNDELIV err:005"
    assert len(one_line("x" * 5000)) == 160


def test_an_empty_sms_is_refused_without_a_call() -> None:
    gateway = KannelGateway("http://127.0.0.1:9/", "u", "p", "1", 0.1)
    letter = Letter("r", "+8801712345678", "bn", None, "", datetime(2026, 1, 1, tzinfo=UTC))
    assert gateway.send(letter, lambda: True).result == "refused"


def test_secrets_and_texts_are_not_printed() -> None:
    gateway = KannelGateway("http://127.0.0.1:9/", "user", "pass-word", "1", 0.1)
    letter = Letter("r", "+8801712345678", "bn", None, "body-text", datetime(2026, 1, 1, tzinfo=UTC))
    assert "pass-word" not in repr(gateway)
    assert "8801712345678" not in repr(letter) and "body-text" not in repr(letter)


def a_letter(address: str = "rahima@example.org", body: str = "লেখা\n.একা\n") -> Letter:
    return Letter("grm.7.abc", address, "bn", "বিষয়: ক্ষুদ্র", body, datetime(2026, 11, 21, 18, 30, tzinfo=UTC))


def test_a_mail_is_complete_and_the_same_each_time() -> None:
    first, second = (compose(a_letter(), "GRM <grm@grm.example>").as_bytes() for _ in range(2))
    assert first == second and first.isascii()
    mail = message_from_bytes(first, policy=policy.default)
    assert mail["Message-ID"] == "<grm.7.abc@grm.example>"
    assert mail["Date"] == "Sun, 22 Nov 2026 00:30:00 +0600"
    assert mail["Subject"] == "বিষয়: ক্ষুদ্র" and mail["To"] == "rahima@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().splitlines() == ["লেখা", ".একা"]  # type: ignore[attr-defined]
    assert mail.get_content_type() == "text/plain" and mail.get_content_charset() == "utf-8"


@pytest.mark.parametrize("address", ["a@b.example\r\nBcc: all@b.example", "a@b.example\nX: y"])
def test_no_address_adds_a_header(address: str) -> None:
    with pytest.raises(ValueError, match=r"linefeed|newline|carriage"):
        compose(a_letter(address), "GRM <grm@grm.example>")


@pytest.mark.parametrize("words", range(1, 14))
def test_a_bangla_subject_keeps_its_spaces_wherever_its_lines_end(words: int) -> None:
    subject = " ".join(
        ["২২", "নভেম্বর", "২০২৬:", "৮টি", "নথিতে", "আপনার", "ব্যবস্থা", "প্রয়োজন", "a", "b", "শেষ", "তারিখ", "x"][:words]
    )
    letter = Letter("grm.1.x", "a@example.org", "bn", subject, "নমস্কার\n", datetime(2026, 1, 4, tzinfo=UTC))
    sent = compose(letter, "grm@grm.example").as_bytes()
    assert message_from_bytes(sent, policy=policy.default)["Subject"] == subject
    assert max(len(line) for line in sent.splitlines()) <= 78
