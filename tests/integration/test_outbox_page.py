"""/dev/outbox: only in development, both languages, newest first, no link but our own, nothing breaks it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grm.notifications import sink
from grm.notifications.views import with_links

MakeApp = Callable[..., Flask]
URL = "http://127.0.0.1:8000"


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    (tmp_path / "outbox").mkdir()
    return tmp_path


@pytest.fixture
def browser(make_app: MakeApp, outbox: Path) -> FlaskClient:
    return make_app(grm_env="development", grm_home=outbox).test_client()


def put(home: Path, kind: str, *messages: dict[str, object]) -> None:
    lines = [json.dumps({"at": f"2026-11-21T10:00:{n:02d}.000+00:00", **each}) for n, each in enumerate(messages)]
    with (home / "outbox" / f"{kind}.jsonl").open("a") as file:
        file.write("\n".join(lines) + "\n")


def test_it_does_not_exist_outside_development(client: FlaskClient, make_app: MakeApp) -> None:
    assert client.get("/dev/outbox").status_code == 404
    assert make_app(grm_env="production").test_client().get("/dev/outbox").status_code == 404


def test_an_empty_outbox_says_what_to_do(browser: FlaskClient) -> None:
    page = browser.get("/dev/outbox")
    assert page.status_code == 200 and "/complaints/new" in page.text and "এখনও কোনো বার্তা পাঠানো হয়নি" in page.text
    assert "Nothing has been sent yet" in browser.get("/dev/outbox?lang=en").text


def test_messages_are_shown_newest_first_as_phone_and_mailbox(browser: FlaskClient, outbox: Path) -> None:
    put(
        outbox,
        "sms",
        {"to": "+8801712345678", "from": "16122", "text": "প্রথম"},
        {"to": "+8801812345678", "from": "16122", "text": "দ্বিতীয় " + "ক" * 70},
    )
    put(outbox, "email", {"to": ["a@example.org"], "from": "GRM", "subject": "বিষয়", "text": "চিঠি"})
    text = browser.get("/dev/outbox").text
    assert text.index("দ্বিতীয়") < text.index("প্রথম")
    assert "বিষয়" in text and "চিঠি" in text and "16122" in text
    assert "২১ নভেম্বর ২০২৬, ১৬:০০" in text, "Dhaka time in Bangla digits"
    english = browser.get("/dev/outbox?lang=en").text
    assert "parts: 2" in english and "parts: 1" in english


@pytest.mark.parametrize("typed", ["01712", "+880 1712-345678", "০১৭১২", "8801712345678"])
def test_filter_takes_any_way_of_writing_a_number(browser: FlaskClient, outbox: Path, typed: str) -> None:
    put(
        outbox,
        "sms",
        {"to": "+8801712345678", "from": "1", "text": "ONE"},
        {"to": "+8801999999999", "from": "1", "text": "TWO"},
    )
    put(outbox, "email", {"to": ["Rahima@example.org"], "from": "GRM", "subject": "S", "text": "THREE"})
    text = browser.get("/dev/outbox", query_string={"to": typed}).text
    assert "ONE" in text and "TWO" not in text and "THREE" not in text
    assert "THREE" in browser.get("/dev/outbox?to=rahima@").text
    assert "ONE" not in browser.get("/dev/outbox?to=nobody@").text


def test_text_stays_text_and_only_our_own_addresses_are_links(browser: FlaskClient, outbox: Path) -> None:
    put(
        outbox,
        "sms",
        {
            "to": "<b>x</b>",
            "from": "1",
            "text": "<script>alert(1)</script> http://evil.example/track http://localhost/q",
        },
    )
    put(outbox, "email", {"to": ["a@b"], "from": "1", "subject": "{{7*7}}", "text": '"><img src=x>'})
    text = browser.get("/dev/outbox").text
    assert "<script>alert" not in text and "<img" not in text and "<b>x" not in text and "{{7*7}}" in text
    assert 'href="http://evil' not in text and 'href="http://localhost' not in text
    linked = str(with_links(f"see {URL}/track, or {URL}.evil.example/track & <b> {URL}", URL))
    assert (
        linked
        == f'see <a href="{URL}/track">{URL}/track</a>, or {URL}.evil.example/track &amp; &lt;b&gt; <a href="{URL}">{URL}</a>'
    )


def test_cut_and_foreign_lines_are_passed_over(browser: FlaskClient, outbox: Path) -> None:
    put(outbox, "sms", {"to": "+8801712345678", "from": "1", "text": "WHOLE"})
    with (outbox / "outbox" / "sms.jsonl").open("ab") as file:
        file.write(
            b'{"at": "2026-11-21T10:00:00+00:00", "to": "+88\n[1]\nnull\n\xff\xfe\n{"to": 1}\n{"at": "x", "to": "y"}'
        )
    page = browser.get("/dev/outbox")
    assert page.status_code == 200 and "WHOLE" in page.text


def test_a_large_outbox_is_read_from_its_end(outbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(outbox, "sms", *({"to": "+8801712345678", "from": "1", "text": f"n{n}"} for n in range(60)))
    shown = sink.received(outbox, "sms")
    assert len(shown) == sink.MOST_SHOWN and shown[0].text == "n59"
    monkeypatch.setattr(sink, "LARGEST_READ_BYTES", 300)
    assert [message.text for message in sink.received(outbox, "sms")][:2] == ["n59", "n58"]
