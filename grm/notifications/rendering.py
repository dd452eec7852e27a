"""From a catalogue entry and its few values to the text that is sent. Strict: what does not fit is never sent half-filled.

A text may hold `{name}` and nothing more: no attribute, index, conversion or format, so a template can reach no object.
Values are a number, a date, a level and our own addresses, written for the message's language.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

from grm.kernel import tracking_number
from grm.kernel.clock import DHAKA
from grm.kernel.errors import GrmError
from grm.kernel.text import is_blank
from grm.notifications import digest_wording, return_wording
from grm.notifications.catalogue import CATALOGUE, LANGUAGES, Channel, Entry
from grm.notifications.sms_text import measure
from grm.web.locale import speaking
from grm.web.presentation import digits, show_date, show_month

FOLDER = Path(__file__).parents[2] / "templates" / "messages"


class CannotRender(GrmError):
    """A text and its values do not fit together, or the SMS would take too many parts. Nothing is sent."""

    default_code = "message-cannot-render"


@dataclass(frozen=True, slots=True)
class Text:
    """What is sent: an SMS has no subject."""

    subject: str | None
    body: str


@cache
def template(key: str, name: str, language: str) -> str:
    """The text of one file of a message; read once per process. Raises `CannotRender` where there is none."""
    try:
        return (FOLDER / key / f"{name}.{language}.txt").read_text(encoding="utf-8").strip("\n")
    except OSError:
        raise CannotRender("message-text-missing", key=key, name=name, language=language) from None


def placeholders_of(text: str) -> frozenset[str]:
    """The names a text holds. Raises `CannotRender` for anything but plain `{name}`."""
    names = set()
    try:
        for _, name, format_spec, conversion in Formatter().parse(text):
            if name is None:
                continue
            if format_spec or conversion or not name.isidentifier():
                raise CannotRender("message-placeholder-odd", name=name)
            names.add(name)
    except ValueError:
        raise CannotRender("message-placeholder-odd") from None
    return frozenset(names)


def fill(text: str, values: Mapping[str, str], declared: frozenset[str]) -> str:
    """The text with its placeholders filled. Raises `CannotRender` for an undeclared, missing or empty one."""
    names = placeholders_of(text)
    if unknown := names - declared:
        raise CannotRender("message-placeholder-unknown", names=sorted(unknown))
    if missing := [name for name in sorted(names) if is_blank(values.get(name))]:
        raise CannotRender("message-placeholder-missing", names=missing)
    filled = text.format_map(values)
    if is_blank(filled):
        raise CannotRender("message-empty")
    return filled


def values_for(channel: Channel, params: Mapping[str, Any], language: str, public_url: str) -> dict[str, str]:
    """The values a text may name, written for a language, from a message row's params.

    An SMS writes a date as dd/mm/yyyy, and our address as `site`: more would cost a second SMS in Bangla.
    """
    number = params.get("tracking_number")
    values = {"track_url": f"{public_url}/track", "queue_url": f"{public_url}/queue"}
    values["site"] = public_url.removeprefix("https://")
    values |= {"admin_url": f"{public_url}/admin", "people_url": f"{public_url}/people"}
    values["files_url"] = f"{public_url}/reports/exports"
    with speaking(language):
        if number:
            values["tracking_number"] = tracking_number.display(str(number))
            values["case_url"] = f"{public_url}/cases/{number}"
            values["review_url"] = f"{public_url}/reports/reviews/{number}"
        if params.get("due_on"):
            day = date.fromisoformat(str(params["due_on"]))
            values["due_on"] = digits(day.strftime("%d/%m/%Y")) if channel == "sms" else show_date(day)
        if params.get("hearing_at"):
            at = datetime.fromisoformat(str(params["hearing_at"])).astimezone(DHAKA)
            values["hearing_on"] = digits(at.strftime("%d/%m/%Y")) if channel == "sms" else show_date(at)
            values["hearing_time"] = digits(at.strftime("%H:%M"))
        if params.get("covered_until"):
            values["covered_until"] = show_date(date.fromisoformat(str(params["covered_until"])))
            values["missing"] = digits(params["missing"])
        if params.get("handover_id"):
            values["handover_url"] = f"{public_url}/people/handovers/{int(params['handover_id'])}"
            values["total"] = digits(params["total"])
        if params.get("bulk_id"):
            values["bulk_url"] = f"{public_url}/bulk/{int(params['bulk_id'])}"
        if params.get("bulk_cases"):
            values["total"] = digits(params["bulk_cases"])
        if params.get("alarms"):
            values["alarms_url"] = f"{public_url}/reports/alarms"
            values["total"] = digits(params["alarms"])
        if params.get("return_month"):
            month = date.fromisoformat(str(params["return_month"]))
            values["month"] = show_month(month)
            of = params.get("return_unit") or (params.get("return_office") and f"office/{params['return_office']}")
            where = f"/{month:%Y-%m}/{of}" if of else f"?month={month:%Y-%m}"
            values["return_url"] = f"{public_url}/reports/returns{where}"
        if params.get("closed_returns"):
            values |= return_wording.values(params["closed_returns"])
        if params.get("leaving_on"):
            values["day"] = show_date(date.fromisoformat(str(params["leaving_on"])))
        if params.get("code"):
            values["code"] = str(params["code"])
        if params.get("level") is not None:
            values["level"] = digits(params["level"])
        if params.get("digest"):
            values |= digest_wording.values(channel, params["digest"])
    return values


def render(entry: Entry, channel: Channel, language: str, params: Mapping[str, Any], public_url: str) -> Text:
    """The text of a message on a channel in a language ('bn' or 'en').

    Raises `CannotRender` where text and values do not fit, and for an SMS above the parts its entry allows.
    """
    declared = entry.placeholders[channel]
    values = values_for(channel, params, language, public_url)
    if channel == "email":
        subject = fill(template(entry.key, "subject", language), values, declared)
        return Text(subject, fill(template(entry.key, "email", language), values, declared) + "\n")
    body = fill(template(entry.key, "sms", language), values, declared)
    if (size := measure(body)).parts > entry.sms_parts:
        raise CannotRender("sms-too-long", key=entry.key, parts=size.parts, units=size.units)
    return Text(None, body)


LONGEST_PARAMS: Mapping[str, Any] = {
    "tracking_number": "W" * tracking_number.LENGTH,
    "level": 3,
    "code": "888888",
    "due_on": "2026-09-20",
    "hearing_at": "2026-09-20T17:30:00+06:00",
    "digest": {
        "day": "2026-09-20",
        "levels": {"2": 9999, "1": 9999, "0": 9999},
        "sensitive": 0,
        "more": 0,
        "cases": [],
    },
}
"""The values that take the most room in an SMS."""


@cache
def over_budget(public_url: str) -> tuple[str, ...]:
    """The messages whose SMS would be refused as too long with this PUBLIC_URL, as `key.language`; none is as it should be."""
    found = []
    for entry in CATALOGUE.values():
        for language in LANGUAGES:
            try:
                if "sms" in entry.channels:
                    render(entry, "sms", language, LONGEST_PARAMS, public_url)
            except CannotRender:
                found.append(f"{entry.key}.{language}")
    return tuple(found)
