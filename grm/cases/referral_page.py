"""What the case page shows of referrals, parts and directions: columns of its one statement, and what its forms offer."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Label

from grm.cases import directions, subcases
from grm.cases.action_form import ActionForm
from grm.cases.directions import Shown
from grm.cases.models import Case
from grm.cases.queries import EventLine
from grm.cases.reply_form import ReplyForm
from grm.cases.states import Action
from grm.cases.subcases import Part
from grm.kernel.actor import Actor
from grm.web.locale import gettext

OF_A_PART = ("outcome", "reply")
"""What the answer to a part needs: there is no complainant to reach, and the cause is for whoever has the whole."""


@dataclass(frozen=True, slots=True)
class ReferralPage:
    """Beside the case: where it came from, what part of it is elsewhere, what the Cabinet Division directs."""

    whole: str | None
    """The number of the case that this is a part of, where the reader may open it."""
    parts: tuple[Part, ...]
    directions: tuple[Shown, ...]

    def came_back(self, part: Part, events: Sequence[EventLine]) -> str:
        """What the other office wrote about a part: its answer, or why it was returned; empty until then."""
        for line in events:
            if line.kind in ("subcase_answered", "subcase_returned") and line.data.get("subcase_id") == part.id:
                return line.texts.get("reply") or line.texts.get("reason") or ""
        return ""

    def words(self, seq: int | None, events: Sequence[EventLine]) -> str:
        """The text of the event with a number."""
        return next((text or "" for line in events if line.seq == seq for text in line.texts.values()), "")


def columns(actor: Actor, now: Any) -> tuple[Label[Any], ...]:
    """What the case page's statement reads for it."""
    return subcases.parts_column(actor, now), subcases.whole_column(actor), directions.directions_column()


def load(row: Any) -> ReferralPage:
    """Out of a row with `columns`."""
    return ReferralPage(row.whole, subcases.parts_of(row.parts), directions.directions_of(row.directions))


def fill(
    forms: Iterable[ActionForm], case: Case, offices: Callable[[], Sequence[tuple[str, str]]], has_claim: bool = False
) -> None:
    """Offer the offices for a part, and ask for a part's answer only what it needs."""
    for form in forms:
        if form.action is Action.SPLIT:
            form.offer(office=[("", gettext("Choose …")), *offices()])
            if not has_claim:
                form.drop("pass_claim")
        elif form.action is Action.RESOLVE and case.parent_id is not None:
            form.drop(*(field.name for field in form if field.name not in OF_A_PART))
            form["reply"].label.text = gettext("Answer to the office that asked")
            form["reply"].description = gettext("It goes into the history of the whole case.")
            if isinstance(form, ReplyForm):
                form.offered = ()
