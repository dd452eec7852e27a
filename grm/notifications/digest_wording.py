"""The words of a digest: how many cases at which level, and the most urgent of them with number and date.

What a digest holds lies in its message's params, made by `grm/notifications/digests.py` at the moment of sending:

    {"day": "2026-11-22", "levels": {"2": 1, "1": 4, "0": 3}, "sensitive": 1, "more": 0,
     "cases": [["7K3MPQ9XR2TB4", "2026-11-19", 2, "resolve"], …]}

`levels` counts every case, the sensitive ones too; `cases` lists none of those, and `more` is how many others it leaves out.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from grm.kernel import tracking_number
from grm.notifications.catalogue import Channel
from grm.web.labels import label
from grm.web.locale import gettext
from grm.web.presentation import digits, show_date


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


LEVELS: dict[str, str] = {
    "3": _("Level 3 (still not decided): %(count)s"),
    "2": _("Level 2 (still not decided): %(count)s"),
    "1": _("Level 1 (the date was missed): %(count)s"),
    "0": _("Reminders (due soon, or not looked at yet): %(count)s"),
}
"""By level, from the top down, as an e-mail says it."""

LEVELS_IN_BRIEF: dict[str, str] = {
    "3": _("level 3: %(count)s"),
    "2": _("level 2: %(count)s"),
    "1": _("level 1: %(count)s"),
    "0": _("reminders: %(count)s"),
}
"""The same for an SMS, where each letter counts."""


def values(channel: Channel, digest: Mapping[str, Any]) -> dict[str, str]:
    """The values a digest's text may name, in the language that is being spoken (`grm.web.locale.speaking`)."""
    counts = {level: digest["levels"][level] for level in LEVELS if digest["levels"].get(level)}
    words = LEVELS_IN_BRIEF if channel == "sms" else LEVELS
    lines = [gettext(words[level], count=digits(count)) for level, count in counts.items()]
    return {
        "day": show_date(date.fromisoformat(digest["day"])),
        "total": digits(sum(counts.values())),
        "counts": ", ".join(lines) if channel == "sms" else "\n".join(lines),
        "cases": "\n".join(_cases(digest)),
    }


def _cases(digest: Mapping[str, Any]) -> list[str]:
    lines = [_case(*case) for case in digest["cases"]]
    if lines:
        lines = [gettext("The most urgent first:"), *lines]
    if digest["more"]:
        lines.append(gettext("And %(count)s more; your queue shows them all.", count=digits(digest["more"])))
    if digest["sensitive"]:
        lines.append(
            gettext("Sensitive cases among them: %(count)s. See your queue.", count=digits(digest["sensitive"]))
        )
    return lines


def _case(number: str, due_on: str, level: int, kind: str) -> str:
    """One line: the number as on the receipt, what is due and when, and the level it has risen to."""
    what = label("deadline_kind", kind)
    day = show_date(date.fromisoformat(due_on))
    shown = tracking_number.display(number)
    if level:
        return gettext(
            "%(number)s – %(what)s was due on %(date)s – level %(level)s",
            number=shown,
            what=what,
            date=day,
            level=digits(level),
        )
    return gettext("%(number)s – %(what)s due on %(date)s", number=shown, what=what, date=day)
