"""Words for the pages on posts and officers, and for what comes next in a case."""

from typing import Any

from grm.kernel.clock import dhaka_date
from grm.web.locale import gettext
from grm.web.presentation import show_date


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


DONE: dict[str, str] = {
    "appointed": _("The officer is appointed."),
    "announced": _("The end of the posting is announced; it ends once everything is handed over."),
    "ended": _("It has ended; there was nothing to hand over."),
    "changed": _("The particulars are kept."),
    "leave": _("The leave is entered. Messages go to whoever stands in."),
    "back": _("The officer is back."),
}


def next_step(case: Any) -> str:
    """What has to be done next with a case, in a few words."""
    if case.waiting_until is not None:
        return gettext(
            "Wait for the complainant's answer until %(date)s", date=show_date(dhaka_date(case.waiting_until))
        )
    if case.main_clock == "comply":
        return gettext("Carry out what the Cabinet Division recommended, and report")
    if case.acknowledged_at is None:
        return gettext("Look at it for the first time")
    if case.tier != "gro":
        return gettext("Decide on the appeal")
    return gettext("Find out and answer")
