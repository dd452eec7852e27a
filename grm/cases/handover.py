"""Ending a posting, closing an account, handing work over: one act in which everything that was the officer's goes to others.

Nothing ends while something is left: `WorkLeft` says what. The cases are locked before the officer's row, the officer's row
before the inventory is taken again; whoever assigns a case locks them in the same order, so a case that is assigned meanwhile
is handed over too, or its assignment finds the officer gone. The database has triggers that say the same (ADR 0026).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select, text, update
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.accounts.sessions import end_sessions_of
from grm.cases import duties as registry
from grm.cases import handover_ground, history, queries
from grm.cases.duties import FOLLOWS, Duty, Leaving
from grm.cases.events import WorkHandedOver
from grm.cases.handover_ground import DESK, Choices, Ground
from grm.cases.handover_models import Handover, HandoverItem
from grm.cases.models import Case
from grm.kernel import audit
from grm.kernel.actor import Actor
from grm.kernel.clock import dhaka_date
from grm.kernel.errors import Conflict, IllegalAction, NotFound
from grm.kernel.transaction import Act, transaction
from grm.offices.models import Post, Posting
from grm.offices.queries import holders
from grm.offices.service import close_posting, post_officer

NOTHING = Choices({}, {}, {})
_TRIES = 4
_YIELDING = frozenset({"investigation", "extension_decision", "bulk_asked", "bulk_decision", "alternate"})
"""What may stay with the desk, or with the others who have it, where the successor may not take it."""


class WorkLeft(Conflict):
    """Something is not handed over. `left` is what the actor may know of, `count` how much that is; for who sees no cases,
    `left` is empty and `count` is of all."""

    default_code = "work-left"

    def __init__(self, left: Sequence[Duty], count: int) -> None:
        super().__init__(count=count)
        self.left, self.count = tuple(left), count


class _Again(Exception):
    """A case was assigned to the officer just now."""


@dataclass(frozen=True, slots=True)
class Departure:
    """What is to end: `postings` are the officer's seats that end with the act, none where only work changes hands."""

    officer_id: int
    reason: str
    leaving: Leaving
    postings: tuple[int, ...]
    office_ids: frozenset[int]
    posting_id: int | None = None


def departure_from_posting(session: Session, posting_id: int, on: date, *, is_ending: bool = True) -> Departure:
    """What ends with a posting: with a regular one, the officer's seats as alternate at that office too.

    Raises `NotFound` for an unknown posting, `Conflict` `posting-has-ended` for one that is over.
    """
    row = session.execute(select(Posting, Post).join(Post, Post.id == Posting.post_id).where(Posting.id == posting_id))
    found = row.one_or_none()
    if found is None:
        raise NotFound("no-such-posting", posting_id=posting_id)
    posting, post = found.Posting, found.Post
    if posting.ends_on is not None:
        raise Conflict("posting-has-ended", posting_id=posting_id)
    office = frozenset({post.office_id})
    if not is_ending:
        return Departure(posting.officer_id, "work_only", Leaving(posting.officer_id, office), (), office, posting_id)
    seats = _seats(session, posting.officer_id, on)
    ending = [
        seat
        for seat in seats
        if seat.id == posting_id or (not posting.is_alternate and seat.is_alternate and seat.office_id in office)
    ]
    kept = [seat for seat in seats if seat not in ending]
    leaving = Leaving(
        officer_id=posting.officer_id,
        office_ids=office,
        ending=_roles(ending),
        kept=_roles(seat for seat in kept if seat.starts_on <= on),
        alternate_posting_ids=tuple(seat.id for seat in ending if seat.is_alternate),
    )
    return Departure(
        posting.officer_id, "posting_ended", leaving, tuple(seat.id for seat in ending), office, posting_id
    )


def departure_of_account(session: Session, officer_id: int, on: date) -> Departure:
    """What ends with an account: every seat, and all work wherever it lies. Raises `NotFound` for an unknown officer."""
    if session.get(Officer, officer_id) is None:
        raise NotFound("no-such-officer", officer_id=officer_id)
    seats = _seats(session, officer_id, on)
    leaving = Leaving(
        officer_id=officer_id,
        office_ids=None,
        ending=_roles(seats),
        alternate_posting_ids=tuple(seat.id for seat in seats if seat.is_alternate),
    )
    return Departure(
        officer_id,
        "account_deactivated",
        leaving,
        tuple(seat.id for seat in seats),
        frozenset(seat.office_id for seat in seats),
    )


def is_blind(actor: Actor, office_ids: Iterable[int]) -> bool:
    """Whether the actor is to be told counts only: an administrator who heads none of the offices."""
    return actor.is_admin and not set(office_ids) <= actor.office_ids("head")


def shown_to(session: Session, actor: Actor, duties: Sequence[Duty]) -> frozenset[int]:
    """The cases among the duties that the actor may know of (one statement)."""
    ids = sorted({duty.case_id for duty in duties if duty.case_id is not None})
    if not ids:
        return frozenset()
    return frozenset(session.scalars(select(Case.id).where(Case.id.in_(ids), queries.visible_to(actor))))


def has_present_head(session: Session, office_ids: Iterable[int], on: date, but: int) -> bool:
    """Whether each of the offices has a head, other than the officer who leaves, who can choose the successors."""
    wanted = set(office_ids)
    led = {
        seat.office_id
        for seat in holders(session, wanted, on)
        if seat.role == "head" and any(each.officer_id != but for each in seat.present)
    }
    return bool(wanted) and led == wanted


def hand_over(actor: Actor, wanted: "Wanted", choices: Choices = NOTHING, *, now: datetime | None = None) -> int | None:
    """End what is wanted, with everything handed over as chosen; returns the handover's id, None where nothing changed hands that
    the actor may know of.

    A case that its chosen successor may not have needs another choice. What the actor must not know of is never asked about:
    it goes to the successor where that is allowed, else back to the desk. Raises `WorkLeft`, `NotFound` for an office that is
    not the actor's to run, `IllegalAction` `own-posting`, `head-hands-over` (an administrator, where a head can choose),
    `Conflict` `posting-has-ended` or `account-closed`.
    """
    for attempt in range(_TRIES):
        try:
            with transaction(now) as act:
                return _hand_over(act, actor, wanted, choices, is_last=attempt == _TRIES - 1)
        except _Again:
            continue
    raise AssertionError("unreachable: the last try takes what it finds")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: a posting that ends (or, with `is_work_only`, whose work is given away), or an account to close."""

    posting_id: int | None = None
    officer_id: int | None = None
    is_work_only: bool = False

    def departure(self, session: Session, on: date) -> Departure:
        """What that means on a day. Raises as the two functions above."""
        if self.posting_id is not None:
            return departure_from_posting(session, self.posting_id, on, is_ending=not self.is_work_only)
        return departure_of_account(session, self.officer_id or 0, on)


def check_may_run(session: Session, actor: Actor, departure: Departure) -> None:
    """Whether the actor may end this. Raises `NotFound` or `IllegalAction` as `hand_over` says."""
    if actor.is_system:
        return
    if not actor.is_admin and (not departure.office_ids or not departure.office_ids <= actor.office_ids("head")):
        raise NotFound
    officer = session.get_one(Officer, departure.officer_id)
    if officer.is_admin and not actor.is_admin:
        raise NotFound
    if departure.reason != "work_only" and actor.officer_id == departure.officer_id:
        raise IllegalAction("own-posting")


def _hand_over(act: Act, actor: Actor, wanted: Wanted, choices: Choices, *, is_last: bool) -> int | None:
    session, today = act.session, dhaka_date(act.now)
    departure = wanted.departure(session, today)
    check_may_run(session, actor, departure)
    duties = _locked_inventory(session, departure, is_last)
    officer = session.get_one(Officer, departure.officer_id, populate_existing=True)
    if departure.reason == "account_deactivated" and not officer.is_active:
        raise Conflict("account-closed", officer_id=officer.id)
    ground = handover_ground.read(session, officer.id, duties, departure.office_ids, today)
    blind = is_blind(actor, departure.office_ids)
    if duties and blind and has_present_head(session, {duty.office_id for duty in duties}, today, officer.id):
        raise IllegalAction("head-hands-over", count=len(duties))
    targets = _targets(session, actor, duties, choices, ground, blind)
    row = None
    if duties or departure.reason != "work_only":
        row = _record(session, act.now, actor, departure, today, targets)
        _change_cases(session, act.now, actor, row, targets, ground)
        _change_requests(session, act.now, targets)
        _end_seats(session, act.now, actor, departure, today, targets, ground)
        counts = _counts(targets)
        audit.record(
            session,
            "directory",
            {"posting_ended": "posting-ended", "account_deactivated": "account-closed"}.get(
                departure.reason, "work-handed-over"
            ),
            actor,
            act.now,
            handover_id=row.id,
            officer_id=officer.id,
            posting_ids=list(departure.postings),
            ended_on=today.isoformat(),
            items=len(targets),
        )
        if counts:
            act.record(WorkHandedOver(handover_id=row.id, counts=tuple(sorted(counts.items()))))
    if departure.reason == "account_deactivated":
        officer.is_active = False
        session.flush()
        end_sessions_of(officer.id)
    known = shown_to(session, actor, [duty for duty, _ in targets])
    is_told = any(blind or duty.case_id is None or duty.case_id in known for duty, _ in targets)
    return row.id if row is not None and is_told else None


_LOCK_CASES = text("SELECT FROM cases WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id FOR NO KEY UPDATE")
_LOCK_OFFICER = text("SELECT FROM officer WHERE id = :id FOR UPDATE")


def _locked_inventory(session: Session, departure: Departure, is_last: bool) -> tuple[Duty, ...]:
    """The inventory, with its cases and then the officer locked, so that nothing is added to it any more."""
    held = _case_ids(registry.inventory(session, departure.leaving))
    session.execute(_LOCK_CASES, {"ids": sorted(held)})
    session.execute(_LOCK_OFFICER, {"id": departure.officer_id})
    duties = registry.inventory(session, departure.leaving)
    if new := _case_ids(duties) - held:
        if not is_last:
            raise _Again
        session.execute(_LOCK_CASES, {"ids": sorted(new)})
    return duties


def _case_ids(duties: Iterable[Duty]) -> set[int]:
    return {duty.case_id for duty in duties if duty.case_id is not None}


def _targets(
    session: Session, actor: Actor, duties: Sequence[Duty], choices: Choices, ground: Ground, blind: bool
) -> list[tuple[Duty, int]]:
    """Who gets what. Raises `WorkLeft`."""
    shown = shown_to(session, actor, duties)
    found: list[tuple[Duty, int]] = []
    left: list[Duty] = []
    of_case: dict[int, int] = {}
    for duty in duties:
        if duty.kind in FOLLOWS:
            if duty.case_id in of_case:
                found.append((duty, of_case[duty.case_id]))
            continue
        is_hidden = duty.case_id is not None and duty.case_id not in shown
        target = _target(duty, choices, ground, is_hidden=is_hidden, blind=blind)
        if target is None:
            left.append(duty)
            continue
        found.append((duty, target))
        if duty.kind == "case" and duty.case_id is not None:
            of_case[duty.case_id] = target
    if left:
        raise WorkLeft(() if blind else left, len(left))
    return found


def _target(duty: Duty, choices: Choices, ground: Ground, *, is_hidden: bool, blind: bool) -> int | None:
    if blind or is_hidden:
        # The choice is for the office, never for a case, and its answer tells nothing about one.
        chosen = choices.of(duty) if duty.kind == "alternate" else choices.by_office.get(duty.office_id)
        if chosen is None and blind:
            return None
        if chosen and ground.allows(duty, chosen):
            return chosen
        return DESK if (is_hidden and not blind) or ground.allows(duty, DESK) else None
    chosen = choices.of(duty)
    if chosen is not None and ground.allows(duty, chosen):
        return chosen
    if chosen is not None and duty.kind in _YIELDING and duty.case_id not in choices.by_case:
        return DESK if ground.allows(duty, DESK) else None
    return None


def _record(
    session: Session,
    now: datetime,
    actor: Actor,
    departure: Departure,
    today: date,
    targets: Sequence[tuple[Duty, int]],
) -> Handover:
    is_ending = departure.reason != "work_only"
    row = Handover(
        officer_id=departure.officer_id,
        office_id=next(iter(departure.office_ids)) if len(departure.office_ids) == 1 else None,
        posting_id=departure.posting_id,
        reason=departure.reason,
        by_id=actor.officer_id,
        at=now,
        ended_on=today if is_ending else None,
    )
    session.add(row)
    session.flush()
    session.add_all(
        HandoverItem(
            handover_id=row.id,
            kind=duty.kind,
            case_id=duty.case_id,
            ref_id=duty.ref_id,
            office_id=duty.office_id,
            to_officer_id=target or None,
        )
        for duty, target in targets
    )
    session.flush()
    return row


_ASSIGN = text(
    """
    UPDATE cases SET version = cases.version + 1,
                     assignee_id = CASE WHEN new.moves THEN nullif(new.officer_id, 0) ELSE cases.assignee_id END
    FROM unnest(CAST(:ids AS bigint[]), CAST(:officer_ids AS bigint[]), CAST(:moves AS boolean[]))
        AS new (id, officer_id, moves)
    WHERE cases.id = new.id
    RETURNING cases.id, cases.version
    """
)


def _change_cases(
    session: Session, now: datetime, actor: Actor, row: Handover, targets: Sequence[tuple[Duty, int]], ground: Ground
) -> None:
    """Give the cases to their new holders, each with its event, in a constant number of statements."""
    given = {d.case_id: target for d, target in targets if d.kind == "case" and d.case_id is not None}
    teams = {d.case_id: target for d, target in targets if d.kind == "investigation" and d.case_id is not None}
    ids = sorted(given.keys() | teams.keys())
    if not ids:
        return
    officers, moves = [given.get(each, DESK) for each in ids], [each in given for each in ids]
    versions: dict[int, int] = dict(
        session.execute(_ASSIGN, {"ids": ids, "officer_ids": officers, "moves": moves}).all()
    )
    common: dict[str, Any] = {"handover_id": row.id, "from_officer_id": row.officer_id}
    entries = []
    for case_id in ids:
        data = {**common, "version": versions[case_id]}
        if (target := given.get(case_id, -1)) > DESK:
            entries.append(history.Entry(case_id, "assigned", {**data, "officer_id": target, "is_claim": False}))
        elif target == DESK:
            entries.append(history.Entry(case_id, "unassigned", {**data, "officer_id": row.officer_id}))
        if case_id in teams:
            team = _team(ground.members[case_id], row.officer_id, teams[case_id])
            entries.append(
                history.Entry(
                    case_id, "investigators_changed", {**data, "officer_id": team[0], "investigator_ids": team}
                )
            )
    history.append_many(session, entries, actor, now)


def _team(members: Sequence[int], leaver_id: int, target: int) -> list[int]:
    """Who investigates from now on, the leader first; the successor takes the place of who leaves."""
    changed = [target if each == leaver_id else each for each in members]
    return [each for each in dict.fromkeys(changed) if each != DESK]


_HAND_EXTENSIONS = text(
    """
    UPDATE extension SET handed_to_id = new.officer_id
    FROM unnest(CAST(:ids AS bigint[]), CAST(:officer_ids AS bigint[])) AS new (id, officer_id)
    WHERE extension.id = new.id AND extension.state = 'requested'
    """
)
_WITHDRAW_BULK = text(
    """
    UPDATE bulk_act SET state = 'withdrawn', finished_at = :now
    WHERE id = ANY(CAST(:ids AS bigint[])) AND state = 'waiting_for_approval'
    """
)


def _change_requests(session: Session, now: datetime, targets: Sequence[tuple[Duty, int]]) -> None:
    asked = [(duty.ref_id, target) for duty, target in targets if duty.kind == "extension_asked" and target != DESK]
    if asked:
        session.execute(_HAND_EXTENSIONS, {"ids": [each[0] for each in asked], "officer_ids": [e[1] for e in asked]})
    if bulk := [duty.ref_id for duty, _ in targets if duty.kind == "bulk_asked"]:
        session.execute(_WITHDRAW_BULK, {"ids": bulk, "now": now})


def _end_seats(
    session: Session,
    now: datetime,
    actor: Actor,
    departure: Departure,
    today: date,
    targets: Sequence[tuple[Duty, int]],
    ground: Ground,
) -> None:
    for posting_id in departure.postings:
        close_posting(session, posting_id, today)
    for duty, target in targets:
        if duty.kind == "alternate" and target != DESK:
            post_officer(session, now, target, ground.posts[duty.ref_id or 0], today, is_alternate=True, actor=actor)


def _counts(targets: Sequence[tuple[Duty, int]]) -> dict[int, int]:
    """How many cases and other duties each successor got; what follows its case is not counted apart."""
    counts: dict[int, int] = {}
    for duty, target in targets:
        if target != DESK and duty.kind not in FOLLOWS:
            counts[target] = counts.get(target, 0) + 1
    return counts


@dataclass(frozen=True, slots=True)
class _Held:
    id: int
    office_id: int
    role: str
    is_alternate: bool
    starts_on: date


def _seats(session: Session, officer_id: int, on: date) -> list[_Held]:
    """The officer's seats that are not over, also those that have not begun."""
    rows = session.execute(
        select(Posting.id, Post.office_id, Post.role, Posting.is_alternate, Posting.starts_on)
        .join(Post, Post.id == Posting.post_id)
        .where(Posting.officer_id == officer_id, or_(Posting.ends_on.is_(None), Posting.ends_on > on))
        .order_by(Posting.id)
    )
    return [_Held(*row) for row in rows]


def _roles(seats: Iterable[_Held]) -> Mapping[int, frozenset[str]]:
    found: dict[int, set[str]] = {}
    for seat in seats:
        found.setdefault(seat.office_id, set()).add(seat.role)
    return {office_id: frozenset(roles) for office_id, roles in found.items()}


def announce_end(actor: Actor, posting_id: int, leaving_on: date | None, *, now: datetime | None = None) -> None:
    """Note that an officer is to leave a post on a day (None: not after all). The seat does not end by it.

    Raises `IllegalAction` `leaving-day-past` for a day that is not to come, and as `hand_over`.
    """
    with transaction(now) as act:
        departure = departure_from_posting(act.session, posting_id, dhaka_date(act.now))
        check_may_run(act.session, actor, departure)
        if leaving_on is not None and leaving_on <= dhaka_date(act.now):
            raise IllegalAction("leaving-day-past")
        act.session.execute(update(Posting).where(Posting.id == posting_id).values(leaving_on=leaving_on))
        day = leaving_on.isoformat() if leaving_on else None
        audit.record(act.session, "directory", "end-announced", actor, act.now, posting_id=posting_id, leaving_on=day)
