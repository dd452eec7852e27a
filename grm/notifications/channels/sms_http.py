"""SMS by a gateway that is described by configuration: what to send where, and how to read its answers.

Nothing here knows a provider; `docs/gateways.md` says how to describe one. The rules are the same for all: HTTP 200 with an
error in its body is never success, what the description does not name is unknown, and "queued" is not delivered.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from grm.kernel.gateways import Answers, Call, Found, HttpDescription, Meaning, Pick, Test, as_text, fill
from grm.notifications.channels.contract import Letter, MaySend, Outcome, Result, Sighting, one_line
from grm.notifications.channels.lines import MIDDLEMAN, NOT_OUR_MESSAGE, Lines, Reply, retry_after_seconds
from grm.notifications.sms_text import measure

PEACE_SECONDS = 30.0
"""How long a gateway that calls us too fast is left alone where it does not say for how long."""
_RESULTS: dict[Meaning, Result] = {
    "bad_number": "refused",
    "refused": "refused",
    "throttled": "temporary",
    "temporary": "temporary",
    "no_balance": "no_balance",
    "wrong_account": "unreachable",
}


@dataclass(frozen=True)
class HttpGateway:
    """One described account. `timeout_seconds` bounds connecting and each wait for the answer."""

    about: HttpDescription
    timeout_seconds: float
    _lines: Lines = field(init=False, repr=False, compare=False)
    _asking: Lines | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Keep the connections of this account together; looking up may be at another address."""
        look_up = self.about.look_up
        object.__setattr__(self, "_lines", Lines(self.about.call.url, self.timeout_seconds))
        object.__setattr__(self, "_asking", Lines(look_up.call.url, self.timeout_seconds) if look_up else None)

    def send(self, letter: Letter, may_send: MaySend) -> Outcome:
        """Hand one SMS over."""
        size = measure(letter.body)
        if not size.parts:
            return Outcome("refused", "empty text")
        values = self._values(letter) | {
            "text": letter.body,
            "unicode": self.about.unicode[size.encoding == "ucs2"],
            "report_url": letter.report_url or "",
        }
        reply = _ask(self._lines, self.about.call, values, may_send)
        return reply if isinstance(reply, Outcome) else read_answer(self.about.answers, reply)

    def look_up(self, letter: Letter) -> Sighting:
        """Ask whether the gateway has a message."""
        look_up = self.about.look_up
        if look_up is None or self._asking is None:
            return "unknown"
        reply = _ask(self._asking, look_up.call, self._values(letter), lambda: True)
        if isinstance(reply, Outcome):
            return "unknown"
        return meaning_of(reply, look_up.status, look_up.words) or "unknown"

    def hang_up(self) -> None:
        """Close the kept connections."""
        self._lines.close()
        if self._asking is not None:
            self._asking.close()

    def _values(self, letter: Letter) -> dict[str, str]:
        return {
            **self.about.secrets,
            "to": self.about.number + letter.address.removeprefix("+8801"),
            "sender": self.about.sender,
            "reference": letter.reference,
            "message_id": letter.provider_reference or "",
        }


def _ask(lines: Lines, call: Call, values: dict[str, str], may_send: MaySend) -> Reply | Outcome:
    parts = urlsplit(fill(call.url, {name: quote(value, safe="") for name, value in values.items()}))
    fields, headers = fill(call.fields, values), fill(call.headers, values)
    query, body = parts.query, None
    if call.encoding == "query":
        query = "&".join(filter(None, (query, urlencode(fields))))
    elif call.encoding == "form":
        body = urlencode(fields).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    else:
        body = json.dumps(fields, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8", **headers}
    target = (parts.path or "/") + (f"?{query}" if query else "")
    return lines.exchange(call.method, target, may_send, body, headers)


def read_answer(answers: Answers, reply: Reply) -> Outcome:
    """What the answer to a message means. Of its words only a code is kept: the rest may repeat number, text or key."""
    look = reader(reply.text)
    code = look(answers.code) if answers.code else None
    status = f"HTTP {reply.status}"
    detail = f"{status} {one_line(code)[:40]}".strip() if code else status
    asked = retry_after_seconds(reply.headers)
    meaning = answers.codes.get(code or "") or answers.codes.get(status)
    if meaning is not None:
        if meaning == "throttled" and asked is None:
            asked = PEACE_SECONDS
        return Outcome(_RESULTS[meaning], f"{detail} {meaning.replace('_', ' ')}", asked)
    if 200 <= reply.status < 300:
        if all(_holds(test, look) for test in answers.taken):
            given = look(answers.message_id) if answers.message_id else None
            return Outcome("accepted", detail, reference=given[:200] if given else None)
        return Outcome("unknown", f"{detail} with an answer that is not described")
    return Outcome(_by_status(reply.status), detail, asked)


def _by_status(status: int) -> Result:
    """What a status means where no code says it. A 4xx is not final: it may be the description that is wrong."""
    if 300 <= status < 400 or status in NOT_OUR_MESSAGE or status == 403:
        return "unreachable"
    if status == 402:
        return "no_balance"
    return "unknown" if status in MIDDLEMAN else "temporary"


def meaning_of(reply: Reply, status: Pick, words: dict[str, Found] | Any) -> Found | None:
    """What a word of the gateway, or the status of its answer, means; None where the description does not say."""
    word = reader(reply.text)(status)
    found: Found | None = words.get(word or "") or words.get(f"HTTP {reply.status}")
    return found


def reader(body: str) -> Callable[[Pick], str | None]:
    """A function that picks something from a body, which is read as JSON once, when a path asks for it."""
    parsed: list[Any] = []

    def look(pick: Pick) -> str | None:
        value: str | None = body
        if pick.path:
            if not parsed:
                parsed.append(_json(body))
            value = as_text(at_path(parsed[0], pick.path))
        if value is None or pick.pattern is None:
            return value
        found = pick.pattern.search(value)
        return None if found is None else found[1] if found.re.groups else found[0]

    return look


def _holds(test: Test, look: Callable[[Pick], str | None]) -> bool:
    value = look(test.pick)
    return value is not None and (not test.one_of or value in test.one_of)


def at_path(value: Any, path: tuple[str, ...]) -> Any:
    """What stands at a path of keys and positions in a tree of JSON; None where there is nothing."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and step.isascii() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _json(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
