"""Reading cases. `visible_to` is the one filter of sight: every list, count, page and export goes through it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Label,
    Row,
    Select,
    and_,
    bindparam,
    cast,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session, aliased

from grm.accounts.models import Officer
from grm.cases.models import Accused, Case, CaseEvent, CaseText, Complainant
from grm.cases.permissions import Accusation, CaseFacts
from grm.deadlines.calendar import end_of_day
from grm.deadlines.models import KINDS, Deadline
from grm.kernel import tracking_number as numbers
from grm.kernel.actor import Actor
from grm.kernel.crypto import Keyring
from grm.kernel.db import among
from grm.kernel.errors import NotFound
from grm.kernel.prepared import PREPARED


@lru_cache(1024)  # a page asks several times, each officer all day long
def visible_to(actor: Actor, case: Any = Case) -> ColumnElement[bool]:
    """The cases an actor may know of, as a condition on `Case`, or on an alias of it where a statement names two cases; the
    same rule as `permissions.may_see`."""
    if actor.is_complainant:
        own: ColumnElement[bool] = case.tracking_number == actor.tracking_number
        return own
    if actor.is_system:
        return true()
    grounds: list[ColumnElement[bool]] = []
    if actor.has_role("cell_officer"):
        grounds.append(true())
    else:
        if whole_offices := actor.office_ids("appeal_officer", "head"):
            grounds += [case.office_id.in_(whole_offices), case.referred_from_office_id.in_(whole_offices)]
        if gro_desks := actor.office_ids("gro", "case_officer"):
            sent = and_(case.referred_from_office_id.in_(gro_desks), case.referred_from_desk == "gro")
            here = and_(case.office_id.in_(gro_desks), case.desk == "gro")
            grounds += [and_(here, ~case.is_sensitive), and_(sent, ~case.is_sensitive)]
        if filing_offices := actor.office_ids("desk_officer"):
            grounds.append(and_(case.filed_by_office_id.in_(filing_offices), ~case.is_sensitive))
        if overseen := actor.overseen_office_ids:
            grounds.append(and_(case.office_id.in_(overseen), ~case.is_sensitive))
    if not grounds:
        return false()
    return and_(or_(*grounds), spares(actor, case))


def spares(actor: Actor, case: Any = Case) -> ColumnElement[bool]:
    """The cases that accuse neither the actor, nor their post or office."""
    return or_(~case.has_accused, ~_accuses(actor, case))


def names_as_accused(actor: Actor) -> ColumnElement[bool]:
    """The accusations that name the actor, their post, or their whole office, as a condition on `Accused`."""
    posts = [seat.post_id for seat in actor.seats]
    names_nobody = Accused.officer_id.is_(None)
    return or_(
        Accused.officer_id == actor.officer_id,
        and_(names_nobody, Accused.post_id.in_(posts)),
        and_(names_nobody, Accused.post_id.is_(None), Accused.office_id.in_(actor.office_ids())),
    )


def _accuses(actor: Actor, case: Any) -> ColumnElement[bool]:
    return exists().where(Accused.case_id == case.id, names_as_accused(actor))


def is_overdue(now: datetime) -> ColumnElement[bool]:
    """Open cases whose time is over; a case whose clock stands still is not overdue."""
    return and_(Case.is_open, Case.due_at <= now, ~Case.is_paused)


_ACCUSATIONS = (
    select(func.jsonb_agg(func.jsonb_build_array(Accused.officer_id, Accused.office_id, Accused.post_id)))
    .where(Accused.case_id == Case.id, Case.has_accused)
    .scalar_subquery()
)
_FORMER_OFFICES = (
    select(func.array_agg(cast(CaseEvent.data["from_office_id"].astext, BigInteger)))
    .where(CaseEvent.case_id == Case.id, CaseEvent.kind.in_(("referred", "returned")), Case.referral_count > 0)
    .scalar_subquery()
)


_STANDING = literal_column(
    """
    (SELECT jsonb_build_object(
        'deciders', CASE WHEN cases.is_open THEN (
            SELECT jsonb_agg(e.actor_id) FROM case_event AS e
            WHERE e.case_id = cases.id AND e.kind IN ('resolved', 'declined', 'answered_together') AND NOT EXISTS (
                SELECT FROM case_event AS s WHERE s.case_id = e.case_id AND (
                    s.kind = 'sent_back' AND CAST(s.data ->> 'undone' AS integer) = e.seq
                    OR s.kind = 'unmerged' AND e.kind = 'answered_together' AND s.seq > e.seq))) END,
        'hearing_at', (SELECT h.at FROM hearing AS h WHERE h.case_id = cases.id AND h.state = 'planned'),
        'investigators', (
            SELECT e.data -> 'investigator_ids' FROM case_event AS e
            WHERE e.case_id = cases.id AND e.kind IN ('investigation_started', 'investigators_changed')
            ORDER BY e.seq DESC LIMIT 1),
        'permission_asked', CASE WHEN cases.is_open THEN (
            SELECT CASE WHEN e.kind = 'investigation_asked' AND e.at >= main.started_at
                THEN jsonb_build_array(e.actor_id, e.data -> 'investigator_ids') END
            FROM case_event AS e
            WHERE e.case_id = cases.id AND e.kind IN ('investigation_asked', 'investigation_refused',
                'investigation_started', 'referred', 'returned', 'merged')
            ORDER BY e.seq DESC LIMIT 1) END,
        'is_investigating', EXISTS (
            SELECT FROM deadline AS d WHERE d.case_id = cases.id AND d.kind = 'investigate' AND d.met_at IS NULL),
        'is_investigated', EXISTS (
            SELECT FROM deadline AS d
            WHERE d.case_id = cases.id AND d.kind = 'investigate' AND d.started_at >= main.started_at),
        'extension', (
            SELECT jsonb_build_array(x.state, x.requested_by_id, x.handed_to_id)
            FROM extension AS x WHERE x.deadline_id = main.id),
        'confirm_by_on', CASE WHEN cases.status = 'resolved' THEN (
            SELECT e.data ->> 'confirm_by_on' FROM case_event AS e
            WHERE e.case_id = cases.id AND e.kind IN ('resolved', 'complied') ORDER BY e.seq DESC LIMIT 1)
            WHEN cases.outcome = 'merged' THEN (
            SELECT e.data ->> 'confirm_by_on' FROM case_event AS e
            WHERE e.case_id = cases.id AND e.kind IN ('answered_together', 'sent_back') AND e.at >= cases.ended_at
            ORDER BY e.seq DESC LIMIT 1) END,
        'follows', (
            SELECT jsonb_build_object('kind', k.kind,
                'due_at', CASE WHEN lead.is_open AND NOT lead.is_paused
                    THEN least(lead.due_at, cases.due_at) ELSE cases.due_at END,
                'is_answered', EXISTS (
                    SELECT FROM case_event AS e
                    WHERE e.case_id = cases.id AND e.kind = 'answered_together' AND e.at >= k.linked_at
                      AND NOT EXISTS (
                        SELECT FROM case_event AS s
                        WHERE s.case_id = e.case_id AND s.kind = 'sent_back' AND s.seq > e.seq)))
            FROM case_link AS k JOIN cases AS lead ON lead.id = k.lead_id
            WHERE k.case_id = cases.id AND k.ended_at IS NULL),
        'followers', (
            SELECT jsonb_build_array(
                count(*) FILTER (WHERE k.kind = 'merged'), count(*) FILTER (WHERE k.kind = 'linked' AND f.is_open))
            FROM case_link AS k JOIN cases AS f ON f.id = k.case_id
            WHERE k.lead_id = cases.id AND k.ended_at IS NULL),
        'appeal_until_at', (
            SELECT max(d.due_at) FROM deadline AS d
            WHERE d.case_id = cases.id AND d.kind = 'appeal_window' AND d.started_at >= cases.ended_at
              AND d.met_at IS NULL),
        'is_to_be_informed', cases.is_not_informed OR EXISTS (
            SELECT FROM deadline AS d WHERE d.case_id = cases.id AND d.kind = 'inform' AND d.met_at IS NULL),
        'subcases', (
            SELECT jsonb_build_array(count(*), count(*) FILTER (WHERE part.is_open))
            FROM cases AS part WHERE part.parent_id = cases.id),
        'is_directed', EXISTS (SELECT FROM direction AS o WHERE o.case_id = cases.id AND o.ended_at IS NULL),
        'ladder', CASE WHEN cases.is_open THEN jsonb_build_array(main.next_level, EXISTS (
            SELECT FROM case_event AS e
            WHERE e.case_id = cases.id AND e.kind = 'escalation_asked'
              AND CAST(e.data ->> 'deadline_id' AS bigint) = main.id
              AND CAST(e.data ->> 'epoch' AS integer) = main.epoch)) END)
    FROM (VALUES (1)) AS one LEFT JOIN LATERAL (
        SELECT d.id, d.started_at, d.epoch, CASE WHEN d.set_aside_at IS NULL THEN d.next_level END AS next_level
        FROM deadline AS d
        WHERE d.case_id = cases.id AND d.kind = cases.main_clock ORDER BY d.epoch DESC LIMIT 1) AS main ON true
    )
    """,
    JSONB,
).label("standing")
"""What clocks and history say of a case beyond its row: who decided, who investigates, what may still be asked for."""


def case_statement(actor: Actor, tracking_number: str) -> Select[*tuple[Any, ...]]:
    """One visible case with what decisions about it need; the number in any spelling. Raises `NotFound` for none."""
    number = numbers.parse(tracking_number)
    if number is None:
        raise NotFound
    return case_numbered(actor, number)


def case_numbered(actor: Actor, number: Any) -> Select[*tuple[Any, ...]]:
    """The same for a number as the database has it, or for the parameter that will be one."""
    columns = (_ACCUSATIONS.label("accusations"), _FORMER_OFFICES.label("former_office_ids"), _STANDING)
    return select(Case, *columns).where(Case.tracking_number == number, visible_to(actor))


def facts_of(
    case: Case,
    accusations: Sequence[Sequence[int | None]] | None,
    former: Sequence[int] | None,
    standing: Mapping[str, Any] | None = None,
) -> CaseFacts:
    """The facts that `permissions` and `lifecycle` decide by, from the columns of `case_statement`; who may see a case
    can be told without `standing`."""
    known = standing or {}
    confirm_by_on, appeal_until_at = known.get("confirm_by_on"), known.get("appeal_until_at")
    extension, requester_id, heir_id = known.get("extension") or (None, None, None)
    asker_id, proposed_ids = known.get("permission_asked") or (None, ())
    subcases, open_subcases = known.get("subcases") or (0, 0)
    lead, followers = known.get("follows") or {}, known.get("followers") or (0, 0)
    next_level, is_escalation_asked = known.get("ladder") or (None, False)
    is_investigating = bool(known.get("is_investigating"))
    return CaseFacts(
        tracking_number=case.tracking_number,
        status=case.status,
        office_id=case.office_id,
        desk=case.desk,
        is_sensitive=case.is_sensitive,
        assignee_id=case.assignee_id,
        filed_by_office_id=case.filed_by_office_id,
        accusations=tuple(Accusation(*row) for row in accusations or ()),
        referral_count=case.referral_count,
        former_office_ids=frozenset(former or ()),
        tier=case.tier,
        main_clock=case.main_clock,
        due_at=case.due_at,
        is_paused=case.is_paused,
        decider_ids=frozenset(known.get("deciders") or ()),
        investigator_ids=frozenset((known.get("investigators") or ()) if is_investigating else ()),
        is_investigating=is_investigating,
        is_investigated=bool(known.get("is_investigated")),
        permission_asker_id=asker_id,
        proposed_ids=tuple(proposed_ids),
        extension=extension,
        extension_requester_id=requester_id,
        extension_heir_id=heir_id,
        confirm_until_at=end_of_day(date.fromisoformat(confirm_by_on)) if confirm_by_on else None,
        appeal_until_at=datetime.fromisoformat(appeal_until_at) if appeal_until_at else None,
        is_anonymous=case.is_anonymous,
        follows=lead.get("kind"),
        lead_due_at=datetime.fromisoformat(lead["due_at"]) if lead else None,
        is_answered_with_lead=bool(lead.get("is_answered")),
        merged_count=followers[0],
        linked_count=followers[1],
        is_to_be_informed=bool(known.get("is_to_be_informed")),
        hearing_at=datetime.fromisoformat(known["hearing_at"]) if known.get("hearing_at") else None,
        referred_from_office_id=case.referred_from_office_id,
        referred_from_desk=case.referred_from_desk or "",
        referral_state=case.referral_state,
        is_subcase=case.parent_id is not None,
        has_subcases=subcases > 0,
        open_subcases=open_subcases,
        is_directed=bool(known.get("is_directed")),
        next_level=next_level,
        is_escalation_asked=bool(is_escalation_asked),
    )


def one_or_not_found(session: Session, statement: Select[*tuple[Any, ...]]) -> Row[Any]:
    """The one row of a statement, read anew; raises `NotFound` for none."""
    row = session.execute(statement.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound
    return row


def find_case(
    session: Session, actor: Actor, tracking_number: str, *, for_update: bool = False
) -> tuple[Case, CaseFacts]:
    """A case the actor may see, with its facts; locked until the end of the transaction if asked. One statement.

    Raises `NotFound` for a case that does not exist and for one the actor must not know of.
    """
    statement = case_statement(actor, tracking_number)
    if for_update:
        statement = statement.with_for_update(of=Case, key_share=True)
    row = one_or_not_found(session, statement)
    return row.Case, facts_of(row.Case, row.accusations, row.former_office_ids, row.standing)


def facts_by_id(session: Session, actor: Actor, case_ids: Collection[int]) -> dict[int, CaseFacts]:
    """The facts of those of many cases that the actor may see (one statement, however many)."""
    if not case_ids:
        return {}
    columns = (_ACCUSATIONS.label("accusations"), _FORMER_OFFICES.label("former_office_ids"), _STANDING)
    found = select(Case, *columns).where(Case.id == among(case_ids), visible_to(actor))
    rows = session.execute(found.execution_options(populate_existing=True))
    return {row.Case.id: facts_of(row.Case, row.accusations, row.former_office_ids, row.standing) for row in rows}


def can_find(session: Session, actor: Actor, tracking_number: str) -> bool:
    """Whether the actor may open the case (one statement)."""
    number = numbers.parse(tracking_number)
    if number is None:
        return False
    found = select(exists().where(Case.tracking_number == number, visible_to(actor)))
    return bool(session.execute(found).scalar_one())


@dataclass(frozen=True, slots=True)
class Named:
    """An officer by name only: no more of the row is read."""

    id: int
    name_bn: str
    name_en: str


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event of the history, with its texts (None: erased) and the officers it names."""

    seq: int
    kind: str
    at: datetime
    actor_kind: str
    actor: Named | None
    officer: Named | None
    data: dict[str, Any]
    texts: dict[str, str | None]


_DOER, _NAMED = aliased(Officer), aliased(Officer)
_EVENTS = (
    select(CaseEvent.seq, CaseEvent.kind, CaseEvent.at, CaseEvent.actor_kind, CaseEvent.data)
    .add_columns(_DOER.id, _DOER.name_bn, _DOER.name_en, _NAMED.id, _NAMED.name_bn, _NAMED.name_en)
    .add_columns(CaseText.field, CaseText.body)
    .outerjoin(_DOER, and_(CaseEvent.actor_kind == "officer", _DOER.id == CaseEvent.actor_id))
    .outerjoin(_NAMED, _NAMED.id == cast(CaseEvent.data["officer_id"].astext, BigInteger))
    .outerjoin(CaseText, and_(CaseText.case_id == CaseEvent.case_id, CaseText.seq == CaseEvent.seq))
    .where(CaseEvent.case_id == bindparam("case_id"))
    .order_by(CaseEvent.seq, CaseText.id)
    .execution_options(**PREPARED)
)
"""Built once: to build it takes longer than to run it."""


def events_of(session: Session, case_id: int) -> tuple[EventLine, ...]:
    """The history of a case, the oldest first (one statement)."""
    rows = session.execute(_EVENTS, {"case_id": case_id})
    lines: dict[int, EventLine] = {}
    for seq, kind, at, actor_kind, data, *names, field, body in rows:
        if seq not in lines:
            actor, officer = (Named(*three) if three[0] is not None else None for three in (names[:3], names[3:]))
            lines[seq] = EventLine(seq, kind, at, actor_kind, actor, officer, data, {})
        if field is not None:
            lines[seq].texts[field] = body
    return tuple(lines.values())


def events_since(events: Sequence[EventLine], version: int) -> tuple[EventLine, ...]:
    """What happened after the state that carried `version`: each act of a person notes the version it made."""
    seen = max((line.seq for line in events if line.data.get("version", 1) <= version and _is_act(line)), default=0)
    return tuple(line for line in events if line.seq > seen and _is_act(line))


def _is_act(line: EventLine) -> bool:
    return line.kind == "filed" or "version" in line.data


def confirm_by_on(events: Sequence[EventLine]) -> date | None:
    """Until when (Dhaka date) the complainant may object to the last answer; None before one was given."""
    found = [line.data.get("confirm_by_on") for line in events if line.kind in ("resolved", "complied")]
    return date.fromisoformat(found[-1]) if found and found[-1] else None


@dataclass(frozen=True, slots=True)
class Person:
    """A complainant or representative with the sealed fields opened: for those who may read the case, never for logs."""

    role: str
    name: str | None
    phone: str | None
    email: str | None
    sex: str | None
    age_group: str | None
    disability: str | None
    relation: str | None
    id: int = 0


_PEOPLE = (
    select(Complainant)
    .where(Complainant.case_id == bindparam("case_id"))
    .order_by(Complainant.id)
    .execution_options(**PREPARED)
)


def people_of(session: Session, case: Case, keyring: Keyring) -> tuple[Person, ...]:
    """Who is aggrieved and who filed for them (one statement)."""

    def opened(field: str, sealed: bytes | None) -> str | None:
        return keyring.open(sealed, f"complainant.{field}:{case.tracking_number}") if sealed else None

    rows = session.scalars(_PEOPLE, {"case_id": case.id})
    return tuple(
        Person(
            role=row.role,
            name=opened("name", row.name_sealed),
            phone=opened("phone", row.phone_sealed),
            email=opened("email", row.email_sealed),
            sex=row.sex,
            age_group=row.age_group,
            disability=row.disability,
            relation=row.relation,
            id=row.id,
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class Clock:
    """A deadline as the case page shows it."""

    kind: str
    state: str
    due_on: date
    met_at: datetime | None
    is_provisional: bool


def deadlines_column() -> Label[Any]:
    """The deadlines of the case as a JSON column, so that the case page needs no statement of their own for them."""
    return (
        select(
            func.jsonb_agg(
                func.jsonb_build_object(
                    "kind", Deadline.kind, "epoch", Deadline.epoch, "state", Deadline.state, "due_on", Deadline.due_on,
                    "met_at", Deadline.met_at, "is_provisional", Deadline.is_provisional,
                )
            )
        )
        .where(Deadline.case_id == Case.id)
        .scalar_subquery()
        .label("deadlines")
    )  # fmt: skip


def clocks_of(rows: Sequence[dict[str, Any]] | None) -> tuple[Clock, ...]:
    """The deadlines out of `deadlines_column`: of each kind the one begun last, in the order of the steps."""
    newest = {row["kind"]: row for row in sorted(rows or (), key=lambda row: row["epoch"])}
    return tuple(
        Clock(
            kind=row["kind"],
            state=row["state"],
            due_on=date.fromisoformat(row["due_on"]),
            met_at=datetime.fromisoformat(row["met_at"]) if row["met_at"] else None,
            is_provisional=row["is_provisional"],
        )
        for row in sorted(newest.values(), key=lambda row: KINDS.index(row["kind"]))
    )


def waits_run_out(session: Session, now: datetime, limit: int) -> Sequence[str]:
    """The tracking numbers of cases whose wait for the complainant has run out, the oldest first."""
    return session.scalars(
        select(Case.tracking_number).where(Case.waiting_until <= now).order_by(Case.waiting_until, Case.id).limit(limit)
    ).all()
