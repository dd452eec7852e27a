"""Cases that are answered together: many alike ones linked under a lead case, and duplicates merged into it.

A follower keeps its status, its office and its clock; only the answer may be given to all at once (`grm/cases/together.py`). What
becomes of a duplicate is in `grm/cases/merging.py`. There are no chains: who leads follows nobody. An act on two cases locks
both rows in the order of their ids before it looks at them, so two officers who cross wait for each other and not for ever.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Label, func, or_, select, update
from sqlalchemy import case as either
from sqlalchemy.orm import Session, aliased

from grm.cases import history, permissions, queries, spine
from grm.cases.links_models import CaseLink
from grm.cases.models import Case, Complainant
from grm.cases.permissions import CaseFacts
from grm.cases.spine import Step
from grm.cases.states import ENDED, Action, Status
from grm.kernel import tracking_number as numbers
from grm.kernel.actor import Actor
from grm.kernel.errors import IllegalAction, InvalidInput, NotFound
from grm.kernel.transaction import transaction


@dataclass(frozen=True, slots=True)
class Linked:
    """Another case that is answered together with this one, as far as the reader may see it."""

    case_id: int
    tracking_number: str
    kind: str
    leads: bool
    """Whether the other one is the lead."""
    status: str
    due_on: date
    office_id: int
    version: int

    @property
    def is_open(self) -> bool:
        """Whether it is still to be answered."""
        return Status(self.status) not in ENDED


@dataclass(frozen=True, slots=True)
class Pair:
    """An act on a case that follows, with the lead beside it; both are locked."""

    step: Step
    lead: Case
    lead_facts: CaseFacts


# --- what is linked ---------------------------------------------------------------------------------------------------


_OWN, _OTHER = aliased(Case), aliased(Case)
"""Made once: an alias of so wide a table takes milliseconds."""


def links_column(actor: Actor, tracking_number: Any) -> Label[Any]:
    """The cases answered together with one, as a JSON column for a page that is about it: those the actor may see, and no others,
    so that their number is the length of the list. The number may be a parameter of the
    statement."""
    own, other = _OWN, _OTHER
    number = numbers.parse(tracking_number) if isinstance(tracking_number, str) else tracking_number
    here = select(own.id).where(own.tracking_number == number).scalar_subquery()
    is_lead = CaseLink.case_id == here
    return (
        select(
            func.jsonb_agg(
                func.jsonb_build_object(
                    "case_id", other.id, "tracking_number", other.tracking_number, "kind", CaseLink.kind,
                    "leads", is_lead, "status", other.status, "due_on", other.due_on, "office_id", other.office_id,
                    "version", other.version,
                )
            )
        )
        .select_from(CaseLink)
        .join(other, other.id == either((is_lead, CaseLink.lead_id), else_=CaseLink.case_id))
        .where(
            CaseLink.ended_at.is_(None),
            or_(is_lead, CaseLink.lead_id == here),
            queries.visible_to(actor, other),
        )
        .correlate(None)
        .scalar_subquery()
        .label("links")
    )  # fmt: skip


def links_from(rows: Sequence[Mapping[str, Any]] | None) -> tuple[Linked, ...]:
    """The cases out of `links_column`: the lead first, then the merged ones, then the linked, by their due dates."""
    found = [Linked(**{**row, "due_on": date.fromisoformat(row["due_on"])}) for row in rows or ()]
    return tuple(sorted(found, key=lambda each: (not each.leads, each.kind != "merged", each.due_on, each.case_id)))


def links_of(session: Session, actor: Actor, tracking_number: str) -> tuple[Linked, ...]:
    """The cases answered together with one that the actor may see (one statement)."""
    return links_from(session.execute(select(links_column(actor, tracking_number))).scalar_one())


def release(session: Session, lead_id: int, now: datetime) -> None:
    """Let go of the ended cases that are still linked under one that follows another itself from now on: no chains."""
    session.execute(
        update(CaseLink)
        .where(CaseLink.lead_id == lead_id, CaseLink.kind == "linked", CaseLink.ended_at.is_(None))
        .values(ended_at=now, why_ended="lead_ended")
    )


def is_open_follower(each: Linked) -> bool:
    """Whether a case is linked under the one at hand and still to be answered."""
    return each.kind == "linked" and not each.leads and each.is_open


def live_link(session: Session, case_id: int) -> CaseLink | None:
    """The link by which a case follows another, locked; None where it stands by itself."""
    statement = select(CaseLink).where(CaseLink.case_id == case_id, CaseLink.ended_at.is_(None)).with_for_update()
    return session.scalars(statement.execution_options(populate_existing=True)).one_or_none()


def end(link: CaseLink, why: str, actor: Actor, now: datetime) -> None:
    """End a link, for a reason of `links_models.ENDS`."""
    link.ended_at, link.why_ended, link.ended_by_id = now, why, actor.officer_id


# --- acts -------------------------------------------------------------------------------------------------------------


def link_case(
    actor: Actor,
    tracking_number: str,
    version: int | None,
    lead_number: str,
    *,
    lead_version: int | None = None,
    now: datetime | None = None,
) -> int:
    """Link a case under a lead case, to be answered together; both must be open and in the actor's hands.

    A superior may put cases of one desk together for whoever answers there. Returns the follower's new version. Raises
    `InvalidInput` for a lead that the actor may not know of.
    """
    with acting_on_two(actor, tracking_number, version, lead_number, lead_version, Action.LINK, now) as pair:
        step = pair.step
        release(step.session, step.case.id, step.act.now)
        step.session.add(
            CaseLink(
                case_id=step.case.id,
                lead_id=pair.lead.id,
                kind="linked",
                linked_at=step.act.now,
                linked_by_id=actor.officer_id,
            )
        )
        spine.apply(step, "linked", {"is_lead": False})
        note(step, pair.lead, "linked", {"is_lead": True})
        return step.case.version


def unlink_case(actor: Actor, tracking_number: str, version: int | None, *, now: datetime | None = None) -> int:
    """Let a linked case be answered by itself again; the lead need not be in the actor's hands any more."""
    with spine.acting(actor, tracking_number, version, Action.UNLINK, now) as step:
        link = live_link(step.session, step.case.id)
        assert link is not None, "the verdict has seen it"
        end(link, "unlinked", actor, step.act.now)
        spine.apply(step, "unlinked", {"is_lead": False})
        note(step, case_of(step.session, link.lead_id), "unlinked", {"is_lead": True})
        return step.case.version


@contextmanager
def acting_on_two(
    actor: Actor,
    tracking_number: str,
    version: int | None,
    lead_number: str,
    lead_version: int | None,
    action: Action,
    now: datetime | None,
) -> Iterator[Pair]:
    """Open an act by which a case begins to follow another, and commit it at the end: as `spine.acting`, with the lead locked and
    judged as well."""
    with transaction(now) as act:
        lock_two(act.session, actor, tracking_number, lead_number)
        step = spine.begin(act, actor, tracking_number, version, action)
        try:
            lead, lead_facts = queries.find_case(act.session, actor, lead_number, for_update=True)
        except NotFound:
            raise InvalidInput(fields={"number": "no-such-case"}) from None
        spine.check_version(act.session, lead, lead_version)
        if why := why_not_under(step.facts, lead_facts, actor, action):
            raise IllegalAction(why)
        yield Pair(step, lead, lead_facts)


def why_not_under(follower: CaseFacts, lead: CaseFacts, actor: Actor, action: Action) -> str:
    """Why a case may not follow this lead, seen from the lead: a code, or empty if it may. Pure.

    The part is the same on both: who may not act on the lead gives it nothing to answer. What follows gets the words of the
    lead's answer: so the same people must be kept from seeing either. What is merged shares its decision too: an appeal must
    lead to the same instance.
    """
    if lead.tracking_number == follower.tracking_number:
        return "same-case"
    if permissions.why_not(actor, lead, action):
        return "lead-not-yours"
    if Status(lead.status) in ENDED:
        return "lead-ended"
    if lead.is_subcase:
        return "part-of-a-case"
    if lead.follows:
        return "lead-follows"
    if action is Action.MERGE and (lead.main_clock == "comply" or lead.tier != follower.tier):
        return "other-tier"
    if lead.is_sensitive != follower.is_sensitive:
        return "sensitivity-differs"
    if set(follower.accusations) != set(lead.accusations):
        return "accuses-others"
    is_for_others = any(permissions.relation_of(actor, each) == "superior" for each in (follower, lead))
    if is_for_others and (follower.office_id, follower.desk) != (lead.office_id, lead.desk):
        return "other-desk"
    return ""


def lock_two(session: Session, actor: Actor, *tracking_numbers: str) -> None:
    """Lock cases the actor may see, in the order of their ids, whichever is named first."""
    wanted = [number for each in tracking_numbers if (number := numbers.parse(each)) is not None]
    session.execute(
        select(Case.id)
        .where(Case.tracking_number.in_(wanted), queries.visible_to(actor))
        .order_by(Case.id)
        .with_for_update(key_share=True)
    )


def note(step: Step, case: Case, kind: str, data: Mapping[str, Any], actor: Actor | None = None) -> None:
    """Write an event into the history of the other case, whose row is locked; its version grows, as what it shows changes."""
    case.version += 1
    who = actor or step.actor
    history.append(step.session, case, kind, who, step.act.now, {**data, "version": case.version})


def case_of(session: Session, case_id: int) -> Case:
    """A case by its id, whoever may see it: for what an act on another does to it. Its row is locked already."""
    return session.get_one(Case, case_id, populate_existing=True)


def is_same_person(session: Session, case_id: int, other_id: int) -> bool:
    """Whether two cases share a complainant, by their phones; who left no phone is nobody's double."""
    one, two = aliased(Complainant), aliased(Complainant)
    shared = select(one.id).join(two, two.phone_index == one.phone_index)
    shared = shared.where(one.case_id == case_id, two.case_id == other_id, one.phone_index.is_not(None)).limit(1)
    return session.execute(shared).scalar() is not None
