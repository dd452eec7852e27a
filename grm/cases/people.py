"""Posts and the officers in them, as those read them who run an office: its head, and administrators.

A head runs the own office; an administrator every one, and sees no case: counts only. Accounts are for whoever runs all the
offices where the officer sits, so that nobody gets hold of a seat elsewhere by way of its password.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases import queries
from grm.cases.handover_models import Handover, HandoverItem
from grm.cases.models import Case
from grm.kernel.actor import Actor
from grm.kernel.errors import IllegalAction, NotFound
from grm.kernel.text import search_key
from grm.offices import directory as book_module
from grm.offices.models import Leave, Post, Posting
from grm.offices.queries import directory

MOST_FOUND = 50
MOST_HANDOVERS = 10


@dataclass(frozen=True, slots=True)
class Seat:
    """An officer in a post: now, or from a day to come."""

    posting_id: int
    officer: queries.Named
    username: str
    is_alternate: bool
    starts_on: date
    leaving_on: date | None
    away_until: date | None
    """The last day of a leave that has begun."""
    has_begun: bool


@dataclass(frozen=True, slots=True)
class PostLine:
    """A post with everybody in it."""

    id: int
    role: str
    name_bn: str
    name_en: str
    seats: tuple[Seat, ...]

    @property
    def is_vacant(self) -> bool:
        """Whether no regular holder sits here today."""
        return not any(seat.has_begun and not seat.is_alternate for seat in self.seats)

    @property
    def is_unattended(self) -> bool:
        """Whether nobody answers for it today: all are on leave, or nobody sits here."""
        return not any(seat.has_begun and seat.away_until is None for seat in self.seats)


def offices_of(actor: Actor) -> frozenset[int]:
    """The offices that the actor heads."""
    return actor.office_ids("head")


def check_office(actor: Actor, office_id: int) -> None:
    """Raise `NotFound` for an office that is not the actor's to run."""
    if not actor.is_admin and office_id not in offices_of(actor):
        raise NotFound


def posts_of(session: Session, office_id: int, today: date) -> tuple[PostLine, ...]:
    """Every post of an office that is in force, the highest first, with its officers, also those to come (one statement)."""
    away = (
        select(func.max(Leave.ends_on) - 1)
        .where(Leave.officer_id == Officer.id, Leave.starts_on <= today, Leave.ends_on > today)
        .scalar_subquery()
    )
    held = and_(Posting.post_id == Post.id, or_(Posting.ends_on.is_(None), Posting.ends_on > today))
    rows = session.execute(
        select(Post.id, Post.role, Post.name_bn, Post.name_en)
        .add_columns(Posting.id, Officer.id, Officer.name_bn, Officer.name_en, Officer.username)
        .add_columns(Posting.is_alternate, Posting.starts_on, Posting.leaving_on, away)
        .outerjoin(Posting, held)
        .outerjoin(Officer, and_(Officer.id == Posting.officer_id, Officer.is_active))
        .where(Post.office_id == office_id, Post.valid_from <= today)
        .where(or_(Post.valid_to.is_(None), Post.valid_to > today))
        .order_by(Post.rank.desc(), Post.id, Posting.is_alternate, Posting.starts_on, Posting.id)
    )
    posts: dict[int, tuple[Any, ...]] = {}
    seats: dict[int, list[Seat]] = {}
    for row in rows:
        posts[row[0]] = tuple(row[:4])
        seats.setdefault(row[0], [])
        if row[5] is not None:
            named = queries.Named(row[5], row[6], row[7])
            seats[row[0]].append(Seat(row[4], named, row[8], row[9], row[10], row[11], row[12], row[10] <= today))
    return tuple(PostLine(post[0], post[1], post[2], post[3], tuple(seats[post[0]])) for post in posts.values())


def open_cases(session: Session, actor: Actor, office_id: int) -> Mapping[int, int]:
    """How many open cases of an office each officer holds: as far as the actor may know of them; for an administrator, who
    sees none, all as a bare count."""
    seen = queries.visible_to(actor) if office_id in offices_of(actor) else Case.id.is_not(None)
    counted = select(Case.assignee_id, func.count()).where(
        Case.office_id == office_id, Case.is_open, Case.assignee_id.is_not(None), seen
    )
    return {row[0]: row[1] for row in session.execute(counted.group_by(Case.assignee_id)) if row[0] is not None}


@dataclass(frozen=True, slots=True)
class OfficeLine:
    """An office in the administrator's list."""

    office: book_module.Office
    posts: int
    vacant: int


def all_offices(session: Session, today: date, typed: str = "") -> tuple[OfficeLine, ...]:
    """Every office whose name holds what was typed, with how many posts have nobody (one statement)."""
    held = select(Posting.id).where(
        Posting.post_id == Post.id,
        Posting.starts_on <= today,
        or_(Posting.ends_on.is_(None), Posting.ends_on > today),
        ~Posting.is_alternate,
    )
    counted = select(Post.office_id, func.count(), func.count().filter(~held.exists()))
    counted = counted.where(Post.valid_from <= today, or_(Post.valid_to.is_(None), Post.valid_to > today))
    counts = {row[0]: (row[1], row[2]) for row in session.execute(counted.group_by(Post.office_id))}
    wanted = search_key(typed)
    return tuple(
        OfficeLine(office, *counts.get(office.id, (0, 0)))
        for office in directory(session).offices
        if not wanted or any(wanted in search_key(name) for name in (office.name_bn, office.name_en, office.code))
    )


def find_officers(session: Session, typed: str) -> Sequence[Officer]:
    """Officers by user name or a part of the name, open accounts first; an administrator's search."""
    text = typed.strip()
    if not text:
        return ()
    part = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    named = or_(Officer.username.ilike(part), Officer.name_en.ilike(part), Officer.name_bn.ilike(part))
    found = select(Officer).where(named).order_by(Officer.is_active.desc(), Officer.username).limit(MOST_FOUND)
    return session.scalars(found).all()


@dataclass(frozen=True, slots=True)
class Profile:
    """An officer as those see them who run the office."""

    officer: Officer
    seats: tuple[tuple[Post, Posting], ...]
    """Present and future ones."""
    leaves: tuple[Leave, ...]
    may_manage: bool
    """Whether name, addresses, password and the account itself are the actor's to change."""
    is_self: bool

    @property
    def office_ids(self) -> tuple[int, ...]:
        """Where the officer sits, or is to."""
        return tuple(dict.fromkeys(post.office_id for post, _ in self.seats))


def profile(session: Session, actor: Actor, officer_id: int, today: date) -> Profile:
    """An officer with seats and leaves. Raises `NotFound` for whom the actor has nothing to do with."""
    officer = session.get(Officer, officer_id)
    if officer is None:
        raise NotFound
    rows = session.execute(
        select(Post, Posting)
        .join(Posting, Posting.post_id == Post.id)
        .where(Posting.officer_id == officer_id, or_(Posting.ends_on.is_(None), Posting.ends_on > today))
        .order_by(Posting.is_alternate, Post.rank.desc(), Posting.id)
    )
    seats = tuple((row.Post, row.Posting) for row in rows)
    offices = {post.office_id for post, _ in seats}
    if not actor.is_admin and (officer.is_admin or not offices & offices_of(actor)):
        raise NotFound
    leaves = session.scalars(
        select(Leave).where(Leave.officer_id == officer_id).order_by(Leave.starts_on.desc()).limit(10)
    )
    is_self = actor.officer_id == officer_id
    may_manage = not is_self and (actor.is_admin or offices <= offices_of(actor))
    return Profile(officer, seats, tuple(leaves), may_manage, is_self)


def managed(session: Session, actor: Actor, officer_id: int, today: date) -> Profile:
    """The same, for who may change the account. Raises `IllegalAction` `not-your-account` where that is somebody else."""
    found = profile(session, actor, officer_id, today)
    if not found.may_manage:
        raise IllegalAction("not-your-account")
    return found


def latest_handovers(session: Session, office_id: int) -> Sequence[Any]:
    """The latest handovers of an office: who left work, when, why, and how many officers got some (one statement)."""
    heirs = (
        select(func.count(HandoverItem.to_officer_id.distinct()))
        .where(HandoverItem.handover_id == Handover.id)
        .scalar_subquery()
        .label("heirs")
    )
    columns = (Handover.id, Handover.at, Handover.reason, Officer.name_bn, Officer.name_en, heirs)
    found = select(*columns).join(Officer, Officer.id == Handover.officer_id)
    at_office = or_(
        Handover.office_id == office_id,
        and_(
            Handover.office_id.is_(None),
            select(HandoverItem.id)
            .where(HandoverItem.handover_id == Handover.id, HandoverItem.office_id == office_id)
            .exists(),
        ),
    )
    return session.execute(found.where(at_office).order_by(Handover.id.desc()).limit(MOST_HANDOVERS)).all()


@dataclass(frozen=True, slots=True)
class Record:
    """One handover as its readers see it. `case_ids` are the cases the page may be about: all for a head, else those the reader
    got; the page shows of them what the reader may see. `counts` says by kind how much went."""

    row: Handover
    officer: queries.Named
    by: queries.Named | None
    counts: tuple[tuple[str, int], ...]
    heirs: tuple[tuple[queries.Named | None, int], ...]
    case_ids: tuple[int, ...]
    office_ids: tuple[int, ...]
    is_blind: bool


def record(session: Session, actor: Actor, number: int) -> Record:
    """A handover, for heads of its offices, for who got something by it, and in counts for administrators.

    Raises `NotFound` for everybody else.
    """
    row = session.get(Handover, number)
    if row is None:
        raise NotFound
    items = session.execute(
        select(HandoverItem.kind, HandoverItem.case_id, HandoverItem.office_id, HandoverItem.to_officer_id).where(
            HandoverItem.handover_id == number
        )
    ).all()
    offices = {each.office_id for each in items if each.office_id} | ({row.office_id} if row.office_id else set())
    led = offices & offices_of(actor)
    own = [each for each in items if actor.officer_id is not None and each.to_officer_id == actor.officer_id]
    if not (led or own or actor.is_admin):
        raise NotFound
    is_blind = not led and not own
    shown = [each for each in items if each.office_id in led or each in own] if not is_blind else []
    counted = items if is_blind else _visible(session, actor, shown)
    kinds: dict[str, int] = {}
    heirs: dict[int | None, int] = {}
    for each in counted:
        kinds[each.kind] = kinds.get(each.kind, 0) + 1
        heirs[each.to_officer_id] = heirs.get(each.to_officer_id, 0) + 1
    wanted = {row.officer_id, *([row.by_id] if row.by_id else []), *(each for each in heirs if each)}
    columns = (Officer.id, Officer.name_bn, Officer.name_en)
    names = {each[0]: queries.Named(*each) for each in session.execute(select(*columns).where(Officer.id.in_(wanted)))}
    return Record(
        row=row,
        officer=names[row.officer_id],
        by=names.get(row.by_id or 0),
        counts=tuple(kinds.items()),
        heirs=tuple((names.get(heir or 0), count) for heir, count in heirs.items()),
        case_ids=tuple(sorted({each.case_id for each in shown if each.case_id is not None})),
        office_ids=tuple(sorted(led or {each.office_id for each in own if each.office_id})),
        is_blind=is_blind,
    )


def _visible(session: Session, actor: Actor, items: Sequence[Any]) -> list[Any]:
    """Without the cases that the reader must not know of, also as a number."""
    ids = sorted({each.case_id for each in items if each.case_id is not None})
    seen = set(session.scalars(select(Case.id).where(Case.id.in_(ids), queries.visible_to(actor)))) if ids else set()
    return [each for each in items if each.case_id is None or each.case_id in seen]


def places_of(session: Session, officer_id: int, today: date) -> frozenset[int]:
    """The offices where an officer sits (one statement)."""
    held = (
        select(Post.office_id)
        .join(Posting, Posting.post_id == Post.id)
        .where(Posting.officer_id == officer_id, Posting.starts_on <= today)
        .where(or_(Posting.ends_on.is_(None), Posting.ends_on > today))
    )
    return frozenset(session.scalars(held))
