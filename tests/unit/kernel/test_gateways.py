"""The gateways file: everything that is wrong with it is said at once, and no value ever."""

import pytest

from config import SettingsError, load_settings
from grm.kernel.gateways import GatewayFaults, HttpDescription, KannelDescription, fill, parse_gateways
from grm.kernel.places import derive_keys
from grm.notifications.channels.contract import Outcome, Result
from grm.notifications.channels.lines import Reply
from grm.notifications.channels.sms_http import read_answer

SECRET = "s3cret-value-of-the-account"
ENV = {"API_KEY": SECRET, "REPORT_TOKEN": "0123456789abcdef", "SHORT": "short", "KANNEL_PASSWORD": "pw"}
GOOD = """
[[gateway]]
name = "one"
url = "https://sms.example/send"
sender = "GRM"
fields = { to = "{to}", text = "{text}", key = "{key}", nested = { list = ["{reference}", 7, true] } }
secrets = { key = "API_KEY" }
[gateway.answer]
message_id = { path = "id", matches = "^m-(.*)$" }
code = "error.code"
taken = [{ path = "ok", equals = true }, { path = "parts.0", one_of = [1, 2] }, { matches = "fine" }]
[gateway.answer.codes]
bad_number = [7]
refused = ["x"]
throttled = [8]
temporary = [9]
no_balance = ["E9", "HTTP 418"]
wrong_account = [1]
[gateway.look_up]
url = "https://ask.example/{reference}"
method = "GET"
status = "state"
words = { not_found = ["none"], delivered = ["D"] }
[gateway.report]
reference = "ref"
status = "state"
token_env = "REPORT_TOKEN"
words = { delivered = ["D"], failed = ["F"] }

[[gateway]]
name = "two"
kind = "kannel"
url = "http://127.0.0.1:13013/cgi-bin/sendsms"
user = "grm"
password_env = "KANNEL_PASSWORD"
sender = "16122"
"""


def faults(text: str, is_production: bool = True) -> list[str]:
    with pytest.raises(GatewayFaults) as caught:
        parse_gateways(text, ENV, is_production=is_production)
    assert SECRET not in str(caught.value)
    return caught.value.faults


def test_a_good_file_gives_its_gateways_in_order() -> None:
    one, two = parse_gateways(GOOD, ENV, is_production=True)
    assert isinstance(one, HttpDescription) and isinstance(two, KannelDescription)
    assert (one.name, one.call.method, one.call.encoding, one.number) == ("one", "POST", "json", "8801")
    assert one.look_up is not None and one.look_up.call.encoding == "query"
    assert one.reports is not None and one.reports.is_ours
    assert SECRET not in repr(one) and "0123456789abcdef" not in repr(one) and "pw" not in repr(two)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('name = "one"', 'name = "One!"', "gateway 1: name must be small letters"),
        ('name = "two"', 'name = "one"', "each gateway must have a name of its own"),
        ('url = "https://sms.example/send"', 'url = "http://sms.example/send"', "url must be https, or on this machine"),
        ('url = "https://sms.example/send"', 'url = "ftp://sms.example"', "url must be an http or https address"),
        ('url = "https://sms.example/send"', 'url = "https://u:p@sms.example"', "url must be an http or https address"),
        ('url = "https://sms.example/send"', 'url = "https://sms.example/{key}"', "url must hold no placeholder"),
        ('to = "{to}"', 'to = "x"', "fields must hold {to} and {text}"),
        ('to = "{to}"', 'to = "{to}{number}"', "fields must name only known placeholders, not number"),
        ('key = "API_KEY"', 'key = "NOT_SET"', "secrets: key must name an environment variable that is set"),
        ('key = "API_KEY"', 'text = "API_KEY"', "secrets: text must be a name"),
        ("bad_number = [7]", "broke = [7]", "broke has no meaning here"),
        ('matches = "fine"', 'matches = "("', "matches must be a regular expression"),
        ("{ path = \"ok\", equals = true }", '{ path = "ok" }', "it must have a path with equals or one_of, or matches"),
        ('sender = "GRM"', 'sender = "GRM"\nnumbr = "01"', "numbr has no meaning here"),
        ('sender = "GRM"', 'sender = "GRM"\nheaders = { X = "{text}" }', "headers must name only secrets"),
        ('sender = "GRM"', 'sender = "GRM"\nencoding = "form"', "fields must be texts, unless the encoding is json"),
        ('sender = "GRM"', 'sender = "GRM"\nmethod = "GET"\nencoding = "json"', "encoding must be query for GET"),
        ('url = "https://ask.example/{reference}"', 'url = "https://ask.example/"', "fields must hold {reference}"),
        ('status = "state"\nwords = { not_found = ["none"], delivered = ["D"] }', 'words = {}', "status must say where"),
        ('token_env = "REPORT_TOKEN"', 'token_env = "SHORT"', "token_env must name a secret of at least 16"),
        ('kind = "kannel"', 'kind = "smpp"', "kind must be one of kannel, http"),
        ('password_env = "KANNEL_PASSWORD"', "", "password_env must be a text"),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_its_key(old: str, new: str, fault: str) -> None:
    assert old in GOOD
    found = faults(GOOD.replace(old, new, 1))
    assert any(fault in each for each in found), found


def test_all_faults_are_said_together_and_no_value() -> None:
    found = faults("[[gateway]]\nname = 7\nurl = 'gopher://secret.example'\n[[gateway]]\nkind = 'kannel'\nname = 'b'\n")
    assert len(found) >= 7 and not any("secret.example" in each for each in found)


@pytest.mark.parametrize("text", ["", "gateway = 7", "gateway = []", "nonsense", "[gateway]\nname = 'a'", "x = 1"])
def test_no_gateway_is_a_fault(text: str) -> None:
    assert faults(text)


def answer(body: str, status: int = 200) -> Outcome:
    (one, _) = parse_gateways(GOOD, ENV)
    assert isinstance(one, HttpDescription)
    from http.client import HTTPMessage

    return read_answer(one.answers, Reply(status, HTTPMessage(), body))


@pytest.mark.parametrize(
    ("body", "status", "result"),
    [
        ('{"ok": true, "parts": [2], "id": "m-7", "note": "fine"}', 200, "accepted"),
        ('{"ok": true, "parts": [3], "note": "fine"}', 200, "unknown"),
        ('{"ok": "True", "parts": [1], "note": "fine"}', 200, "unknown"),
        ('{"ok": true, "parts": [1]}', 200, "unknown"),
        ('{"ok": true, "parts": [1], "note": "fine", "error": {"code": 7}}', 200, "refused"),
        ('{"ok": true, "parts": [1], "note": "fine"}', 500, "temporary"),
        ('{"error": {"code": "E9"}}', 200, "no_balance"),
        ('{"error": {"code": "E9"}}', 500, "no_balance"),
        ("", 418, "no_balance"),
        ('{"error": {"code": 8}}', 200, "temporary"),
        ('{"error": {"code": 9}}', 503, "temporary"),
        ('{"error": {"code": 1}}', 200, "unreachable"),
        ('{"error": {"code": "x"}}', 200, "refused"),
        ('{"error": {"code": {}}}', 200, "unknown"),
        ("[" * 100_000, 200, "unknown"),
        ("fine", 200, "unknown"),
        ("", 204, "unknown"),
        ("", 301, "unreachable"),
        ("", 401, "unreachable"),
        ("", 403, "unreachable"),
        ("", 402, "no_balance"),
        ("", 400, "temporary"),
        ("", 502, "unknown"),
        ("", 504, "unknown"),
        ("", 500, "temporary"),
    ],
)
def test_what_an_answer_means(body: str, status: int, result: Result) -> None:
    assert answer(body, status).result == result


def test_of_an_answer_only_the_code_is_kept() -> None:
    outcome = answer('{"error": {"code": 7}, "to": "8801712345678", "text": "your complaint", "key": "s3cret"}')
    assert outcome.detail == "HTTP 200 7 bad number"
    assert answer('{"error": {"code": 8}}').retry_after_seconds == 30
    assert answer('{"ok": true, "parts": [2], "id": "m-7", "note": "fine"}').reference == "7"


def test_what_is_filled_in_is_never_read_as_a_placeholder() -> None:
    filled = fill({"a": "{text}{key}", "b": ["{to}", 7], "c": "{unknown} {"}, {"text": "{key}", "key": "k", "to": "1"})
    assert filled == {"a": "{key}k", "b": ["1", 7], "c": "{unknown} {"}


def test_the_settings_read_it_at_start(tmp_path: object) -> None:
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    path = tmp_path / "gateways.toml"
    path.write_text(GOOD)
    env = {"GRM_ENV": "test", "GRM_HOME": str(tmp_path), "DATABASE_URL": "postgresql://x/y", **derive_keys(b"tests")}
    settings = load_settings({**env, **ENV, "SMS_GATEWAYS_FILE": str(path)})
    assert [about.name for about in settings.sms_gateways_file] == ["one", "two"] and SECRET not in repr(settings)
    path.write_text(GOOD.replace('"KANNEL_PASSWORD"', '"NOT_SET"').replace("equals = true", "equals = []"))
    with pytest.raises(SettingsError) as caught:
        load_settings({**env, **ENV, "SMS_GATEWAYS_FILE": str(path), "PORT": "x"})
    assert len(caught.value.faults) >= 3 and any("SMS_GATEWAYS_FILE: gateway two" in f for f in caught.value.faults)
    with pytest.raises(SettingsError, match="must be a file that can be read"):
        load_settings({**env, "SMS_GATEWAYS_FILE": str(tmp_path / "none")})
