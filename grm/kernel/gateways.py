"""The gateways file: which SMS gateways there are, in order of preference, and how each wants to be spoken to.

A TOML file with one `[[gateway]]` for each, see docs/gateways.md. Secrets are never in it: it names the environment
variables that hold them. All faults are found at once and none repeats a value. Standard library only, as config.py reads it.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

Encoding = Literal["query", "form", "json"]
Meaning = Literal["bad_number", "refused", "throttled", "temporary", "no_balance", "wrong_account"]
"""What an error code of a gateway can mean."""
Found = Literal["not_found", "accepted", "delivered", "failed"]
"""What a gateway can know of a message that it is asked about, or reports on."""

MEANINGS: tuple[Meaning, ...] = ("bad_number", "refused", "throttled", "temporary", "no_balance", "wrong_account")
DEFAULT_NAME = "default"
"""What the gateway of SMS_GATEWAY_URL is called."""
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_OWN = ("to", "text", "sender", "reference", "report_url", "unicode", "message_id")


@dataclass(frozen=True)
class Pick:
    """Where something stands in an answer: at a path of its JSON, or what a pattern finds (its first group) in that or in
    the whole body."""

    path: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None


@dataclass(frozen=True)
class Test:
    """One thing that must hold of an answer: what is picked is one of some texts, or is there at all."""

    pick: Pick
    one_of: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Call:
    """How to ask a gateway something. Texts in `headers` and `fields` hold placeholders such as `{to}`."""

    url: str
    method: str
    encoding: Encoding
    headers: Mapping[str, str]
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Answers:
    """How to read the answer to a message: `taken` must all hold for it to be accepted; `codes` tell what went wrong."""

    taken: tuple[Test, ...]
    message_id: Pick | None
    code: Pick | None
    codes: Mapping[str, Meaning]


@dataclass(frozen=True)
class LookUp:
    """How to ask for a message by our reference, and what its words mean."""

    call: Call
    status: Pick
    words: Mapping[str, Found]


@dataclass(frozen=True)
class Reports:
    """How the gateway reports. `is_ours`: it names our reference, else its own id. A fixed address is opened by `token`, in
    a field or header of that name; one made for each message bears a MAC."""

    reference: Pick | None
    is_ours: bool
    status: Pick
    words: Mapping[str, Found]
    token_in: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class KannelDescription:
    """A gateway that speaks Kannel's sendsms."""

    name: str
    url: str
    user: str
    password: str = field(repr=False)
    sender: str


@dataclass(frozen=True)
class HttpDescription:
    """A gateway described by its fields. `unicode` is what stands for a text in plain letters and for one in Unicode;
    `number` is how it wants a mobile number: `+8801…`, `8801…` or `01…`."""

    name: str
    call: Call
    sender: str
    number: str
    unicode: tuple[str, str]
    answers: Answers
    look_up: LookUp | None
    reports: Reports | None
    secrets: Mapping[str, str] = field(repr=False)


Description = KannelDescription | HttpDescription


class GatewayFaults(Exception):
    """The gateways file is not usable; `faults` lists all reasons, without any value."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


def parse_gateways(text: str, env: Mapping[str, str], *, is_production: bool = False) -> tuple[Description, ...]:
    """Read the file's text; secrets come from `env`. Raises `GatewayFaults` with everything that is wrong."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"at line \d+", str(error))
        raise GatewayFaults([f"it must be TOML{', see ' + where[0] if where else ''}"]) from None
    faults: list[str] = []
    top = _Table(data, "the file", faults)
    found = []
    for number, raw in enumerate(top.tables("gateway", required=True), 1):
        table = _Table(raw, f"gateway {number}", faults)
        found.append(_gateway(table, env, is_production))
        table.end()
    top.end()
    names = [each.name for each in found]
    if len(set(names)) != len(names):
        faults.append("each gateway must have a name of its own")
    if faults:
        raise GatewayFaults(faults)
    return tuple(found)


class _Table:
    """One table of the file; whatever is missing, wrong or superfluous in it becomes a fault."""

    def __init__(self, data: Mapping[str, Any], where: str, faults: list[str]) -> None:
        self.data = dict(data)
        self.where = where
        self.faults = faults

    def fault(self, key: str, must: str) -> None:
        """Note that a key must be otherwise."""
        self.faults.append(f"{self.where}: {key} must {must}")

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default it is required."""
        value = self.data.pop(key, default)
        if not isinstance(value, str) or (value == "" and default is None) or any(ord(letter) < 32 for letter in value):
            self.fault(key, "be a text")
            return ""
        return value

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        """One of some words."""
        value = self.data.pop(key, default)
        if value not in choices:
            self.fault(key, f"be one of {', '.join(choices)}")
            return default
        return str(value)

    def url(self, is_production: bool) -> str:
        """The address `url`: nobody else's host is ever called."""
        value = self.text("url")
        try:
            parts = urlsplit(value)
            is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_address = False
        if value and (not is_address or parts.username is not None or parts.fragment):
            self.fault("url", "be an http or https address without user and fragment")
        elif value and is_production and parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            self.fault("url", "be https, or on this machine, in production")
        return value

    def table(self, key: str) -> "_Table":
        """A table below this one, empty where there is none."""
        value = self.data.pop(key, {})
        if not isinstance(value, dict):
            self.fault(key, "be a table")
            value = {}
        return _Table(value, f"{self.where}, {key}", self.faults)

    def tables(self, key: str, required: bool = False) -> list[dict[str, Any]]:
        """A list of tables."""
        value = self.data.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value) or (required and not value):
            self.fault(key, "be a list of tables")
            return []
        return value

    def words(self, key: str) -> tuple[str, ...]:
        """A list of texts, numbers or truth values, as they read in an answer."""
        value = self.data.pop(key, [])
        texts = [as_text(each) for each in value] if isinstance(value, list) else [None]
        if not all(texts):
            self.fault(key, "be a list of texts or numbers")
        return tuple(each for each in texts if each)

    def pick(self, key: str, required: bool = False) -> Pick | None:
        """A path as a text, or a table with `path` and `matches`."""
        value = self.data.pop(key, None)
        if value is None:
            if required:
                self.fault(key, "say where it stands in an answer")
            return None
        below = _Table({"path": value} if isinstance(value, str) else value if isinstance(value, dict) else {}, "", [])
        found = below.place()
        below.end()
        if below.faults or found == Pick():
            self.fault(key, "be a path, or a table with path, matches or both")
        return found

    def place(self) -> Pick:
        """The keys `path` and `matches` of this table."""
        path = self.text("path", "")
        pattern = self.text("matches", "")
        try:
            compiled = re.compile(pattern) if pattern else None
        except re.error:
            self.fault("matches", "be a regular expression")
            compiled = None
        return Pick(tuple(path.split(".")) if path else (), compiled)

    def end(self) -> None:
        """Whatever has not been asked for has no meaning."""
        self.faults += [f"{self.where}: {key} has no meaning here" for key in self.data]


def as_text(value: object) -> str | None:
    """A value of JSON or TOML as it reads in an answer; None for what is not a single value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def _gateway(table: _Table, env: Mapping[str, str], is_production: bool) -> Description:
    name = table.text("name")
    if not _NAME.fullmatch(name):
        table.fault("name", "be small letters, digits and hyphens, beginning with a letter")
    else:
        table.where = f"gateway {name}"
    if table.choice("kind", ("kannel", "http"), "http") == "kannel":
        return KannelDescription(
            name,
            table.url(is_production),
            table.text("user"),
            _secret(table, "password_env", env),
            table.text("sender"),
        )
    secrets = table.table("secrets")
    values = {key: _secret(secrets, key, env) for key in list(secrets.data)}
    for key in values:
        if not _PLACEHOLDER.fullmatch("{" + key + "}") or key in _OWN:
            secrets.fault(key, "be a name of small letters, and none of the placeholders")
    known = frozenset(values)
    sender = table.text("sender", "")
    number = table.choice("number", ("+8801", "8801", "01"), "8801")
    unicode = table.words("unicode") or ("0", "1")
    if len(unicode) != 2:
        table.fault("unicode", "be two values: for plain letters, for Unicode")
        unicode = ("0", "1")
    call = _call(table, known, is_production, ("to", "text", "sender", "reference", "report_url", "unicode"))
    if not {"to", "text"} <= _named(call.fields):
        table.fault("fields", "hold {to} and {text}")
    answers = _answers(table.table("answer"))
    look_up = reports = None
    if "look_up" in table.data:
        below = table.table("look_up")
        asked = _call(below, known, is_production, ("to", "reference", "message_id"))
        if not {"reference", "message_id"} & (_named(asked.fields) | _named(asked.url)):
            below.fault("fields", "hold {reference} or {message_id}")
        look_up = LookUp(asked, below.pick("status", required=True) or Pick(), _meanings(below))
        below.end()
    if "report" in table.data:
        reports = _reports(table.table("report"), env)
    return HttpDescription(name, call, sender, number, unicode, answers, look_up, reports, values)


def _call(table: _Table, secrets: frozenset[str], is_production: bool, may_name: tuple[str, ...]) -> Call:
    url = table.url(is_production)
    method = table.choice("method", ("GET", "POST"), "POST")
    encoding = table.choice("encoding", ("query", "form", "json"), "query" if method == "GET" else "json")
    if (method == "GET") != (encoding == "query"):
        table.fault("encoding", "be query for GET, form or json for POST")
    headers, fields = table.table("headers").data, table.table("fields").data
    if not all(isinstance(value, str) and value.isprintable() for value in headers.values()):
        table.fault("headers", "be texts")
        headers = {}
    if encoding != "json" and not all(isinstance(value, str) for value in fields.values()):
        table.fault("fields", "be texts, unless the encoding is json")
        fields = {}
    if _named(url) - {"reference", "message_id"} or (_named(url) and "reference" not in may_name):
        table.fault("url", "hold no placeholder but {reference} or {message_id}")
    if unknown := _named(fields) - secrets - set(may_name):
        table.fault("fields", f"name only known placeholders, not {', '.join(sorted(unknown))}")
    if unknown := _named(headers) - secrets - {"sender", "reference"}:
        table.fault("headers", f"name only secrets, sender and reference, not {', '.join(sorted(unknown))}")
    return Call(url, method, encoding, headers, fields)  # type: ignore[arg-type]


def _answers(table: _Table) -> Answers:
    tests = []
    for number, raw in enumerate(table.tables("taken", required=True), 1):
        below = _Table(raw, f"{table.where}, taken {number}", table.faults)
        wanted = as_text(below.data.pop("equals", None))
        one_of = frozenset((*([wanted] if wanted is not None else []), *below.words("one_of")))
        pick = below.place()
        if pick == Pick() or (not one_of and pick.pattern is None):
            below.fault("it", "have a path with equals or one_of, or matches")
        below.end()
        tests.append(Test(pick, one_of))
    message_id, code = table.pick("message_id"), table.pick("code")
    below = table.table("codes")
    codes = {word: meaning for meaning in MEANINGS for word in below.words(meaning)}
    below.end()
    table.end()
    return Answers(tuple(tests), message_id, code, codes)


def _meanings(table: _Table) -> dict[str, Found]:
    below = table.table("words")
    kinds: tuple[Found, ...] = ("not_found", "accepted", "delivered", "failed")
    found: dict[str, Found] = {word: kind for kind in kinds for word in below.words(kind)}
    below.end()
    if not found:
        table.fault("words", "say which statuses mean not_found, accepted, delivered, failed")
    return found


def _reports(table: _Table, env: Mapping[str, str]) -> Reports:
    is_ours = table.choice("reference_is", ("ours", "theirs"), "ours") == "ours"
    token = _secret(table, "token_env", env) if "token_env" in table.data else ""
    token_in = table.text("token_in", "token")
    if token and len(token) < 16:
        table.fault("token_env", "name a secret of at least 16 characters")
    reference = table.pick("reference", required=bool(token))
    status = table.pick("status", required=True) or Pick()
    found = Reports(reference, is_ours, status, _meanings(table), token_in, token)
    table.end()
    return found


def _secret(table: _Table, key: str, env: Mapping[str, str]) -> str:
    """The value of the variable that a key names. Its name is not repeated: somebody may have put the secret there."""
    name = table.text(key)
    if name and not env.get(name):
        table.fault(key, "name an environment variable that is set")
    return env.get(name, "")


def _named(value: object) -> set[str]:
    """The placeholders in a text, or anywhere in a tree of JSON."""
    if isinstance(value, str):
        return set(_PLACEHOLDER.findall(value))
    below = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return {name for each in below for name in _named(each)}


def fill(value: Any, values: Mapping[str, str]) -> Any:
    """A text, or a tree of JSON, with its placeholders filled; a text that is nothing but one placeholder may be empty."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), value)
    if isinstance(value, Mapping):
        return {key: fill(each, values) for key, each in value.items()}
    return [fill(each, values) for each in value] if isinstance(value, list) else value
