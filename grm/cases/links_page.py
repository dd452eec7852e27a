"""What the page of a case's links shows: what is linked already, what is likely the same, and what may be done with another."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session
from wtforms import BooleanField, RadioField, StringField

from grm.cases import alike, lifecycle, links, queries, wording
from grm.cases.alike import Suggestion
from grm.cases.links import Linked
from grm.cases.models import Case
from grm.cases.permissions import CaseFacts
from grm.cases.states import ENDED, Action, Status
from grm.kernel import clock
from grm.kernel import tracking_number as numbers
from grm.kernel.actor import Actor
from grm.kernel.errors import NotFound
from grm.offices.directory import Directory
from grm.offices.queries import directory
from grm.web.forms import BaseForm
from grm.web.locale import gettext, lazy

CHOICES: dict[str, tuple[Action, bool]] = {
    "merge_other": (Action.MERGE, True),
    "merge_this": (Action.MERGE, False),
    "link_other": (Action.LINK, True),
    "link_this": (Action.LINK, False),
}
"""What may be done with two cases: the action, and whether the other one is the one that follows."""


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


CHOICE_WORDS = {
    "merge_other": _("Merge the other case into this one: it is a duplicate"),
    "merge_this": _("Merge this case into the other one: this is the duplicate"),
    "link_other": _("Link the other case under this one, to be answered together"),
    "link_this": _("Link this case under the other one, to be answered together"),
}
ASKS_FOR_MORE = _(
    "It can be answered. If the button leaves it here, its form asks for more or it was changed meanwhile: open it."
)


class JoinForm(BaseForm):
    """What is to be done with the case at hand and another."""

    what = RadioField(lazy("What is to be done?"), validate_choice=False)
    confirmed = BooleanField(
        lazy("I have read both: it is the same matter, and the other complainant may get the same answer"),
    )


class FindForm(BaseForm):
    """The other case, by its number."""

    number = StringField(lazy("Tracking number of the other case"))


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that may be done with the two, or why it may not."""

    code: str
    title: str
    why_not: str


@dataclass(frozen=True, slots=True)
class Other:
    """Another case, beside the one at hand."""

    case: Case
    facts: CaseFacts
    is_same_person: bool
    options: tuple[Option, ...]

    @property
    def possible(self) -> tuple[Option, ...]:
        """What may be done."""
        return tuple(each for each in self.options if not each.why_not)


@dataclass(frozen=True, slots=True)
class LinksPage:
    """What the template shows."""

    case: Case
    facts: CaseFacts
    book: Directory
    links: tuple[Linked, ...]
    suggestions: tuple[Suggestion, ...]
    other: Other | None
    may: frozenset[str]
    """What the actor may undo on this case itself: UNMERGE, UNLINK."""
    may_take_off: frozenset[int]
    """The followers (ids) that the actor may set apart or take off."""
    left: tuple[tuple[Linked, str], ...]
    """Linked cases without an answer where this one has one, each with why."""

    @property
    def is_open(self) -> bool:
        """Whether anything can still be joined with it."""
        return Status(self.case.status) not in ENDED

    @property
    def has_hidden_lead(self) -> bool:
        """Whether the case follows another that the reader must not know of."""
        return self.facts.follows is not None and not any(each.leads for each in self.links)


def load(session: Session, actor: Actor, tracking_number: str, other_number: str = "") -> LinksPage:
    """Read the page. Raises `NotFound` for the case itself; another that the actor must not know of is simply not there."""
    now = clock.now(session)
    case, facts = queries.find_case(session, actor, tracking_number)
    found = links.links_of(session, actor, tracking_number)
    linked_ids = {each.case_id for each in found}
    is_open = Status(case.status) not in ENDED
    suggested = tuple(alike.suggestions(session, actor, case)) if is_open else ()
    following = queries.facts_by_id(session, actor, [each.case_id for each in found if not each.leads])
    return LinksPage(
        case=case,
        facts=facts,
        book=directory(session),
        links=found,
        suggestions=tuple(each for each in suggested if each.case_id not in linked_ids),
        other=_other(session, actor, case, facts, other_number, now) if other_number else None,
        may=frozenset(
            each.value
            for each in (Action.UNMERGE, Action.UNLINK)
            if lifecycle.decide(facts, each, actor, now).is_allowed
        ),
        may_take_off=frozenset(
            each.case_id
            for each in found
            if each.case_id in following and _may_undo(following[each.case_id], actor, now)
        ),
        left=tuple(
            (each, _why_left(following[each.case_id], actor, now))
            for each in (found if case.status in ("resolved", "closed") and case.outcome != "merged" else ())
            if links.is_open_follower(each) and each.case_id in following
        ),
    )


def _may_undo(facts: CaseFacts, actor: Actor, now: datetime) -> bool:
    action = Action.UNMERGE if facts.follows == "merged" else Action.UNLINK
    return lifecycle.decide(facts, action, actor, now).is_allowed


def _why_left(facts: CaseFacts, actor: Actor, now: datetime) -> str:
    """Why a linked case cannot be answered now; else that nothing but its own form may stand against it."""
    why = lifecycle.decide(facts, Action.RESOLVE, actor, now).why
    return gettext(wording.WHY.get(why, wording.WHY["not-in-this-state"])) if why else gettext(ASKS_FOR_MORE)


def _other(
    session: Session, actor: Actor, case: Case, facts: CaseFacts, other_number: str, now: datetime
) -> Other | None:
    if numbers.parse(other_number) is None:
        return None
    try:
        other, other_facts = queries.find_case(session, actor, other_number)
    except NotFound:
        return None
    options = []
    for code, (action, other_follows) in CHOICES.items():
        follower, lead = (other_facts, facts) if other_follows else (facts, other_facts)
        why = lifecycle.decide(follower, action, actor, now).why or links.why_not_under(follower, lead, actor, action)
        options.append(Option(code, gettext(CHOICE_WORDS[code]), gettext(wording.WHY[why]) if why else ""))
    return Other(other, other_facts, links.is_same_person(session, case.id, other.id), tuple(options))


def join_form(page: LinksPage, typed: Any = None) -> JoinForm:
    """The form for the two cases, with what may be done."""
    form = JoinForm(typed)
    form.what.choices = [(each.code, each.title) for each in page.other.possible] if page.other else []
    return form
