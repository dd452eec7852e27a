"""The signed-in officer as Flask-Login and the guard see them: the account and today's seats."""

from collections.abc import Collection
from datetime import date
from typing import Any

from flask_login import UserMixin
from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.kernel.actor import Actor, Seat
from grm.kernel.prepared import PREPARED
from grm.offices import overseeing
from grm.offices.models import Office, Place, Post, Posting
from grm.offices.queries import directory


class SignedIn(UserMixin):
    """An officer with the seats held today."""

    def __init__(self, officer: Officer, actor: Actor) -> None:
        self.id = str(officer.id)
        self.officer = officer
        self.actor = actor
        self.language = officer.language

    @property
    def must_set_password(self) -> bool:
        """Whether the password was given out by somebody else: nothing opens before it is changed."""
        return self.officer.must_set_password

    @property
    def is_active(self) -> bool:
        """A deactivated officer is out at the next request."""
        return self.officer.is_active


_SEAT = (
    Office.id.label("office_id"),
    Office.kind,
    Office.ministry_id,
    Place.code,
    Post.id.label("post_id"),
    Post.role,
    Posting.is_alternate,
)
_ORDER = (Posting.is_alternate, Post.rank.desc(), Post.id)
_LOAD = (
    select(Officer, *_SEAT)
    .outerjoin(
        Posting,
        and_(
            Posting.officer_id == Officer.id,
            Posting.starts_on <= bindparam("on"),
            or_(Posting.ends_on.is_(None), Posting.ends_on > bindparam("on")),
        ),
    )
    .outerjoin(Post, Post.id == Posting.post_id)
    .outerjoin(Office, Office.id == Post.office_id)
    .outerjoin(Place, Place.id == Office.district_id)
    .where(Officer.id == bindparam("officer_id"))
    .order_by(*_ORDER)
    .execution_options(**PREPARED)
)


def seats_of(session: Session, officer_id: int, on: date) -> tuple[Seat, ...]:
    """Return the posts an officer holds on a day, as regular holder or alternate (one statement)."""
    rows = session.execute(
        select(*_SEAT)
        .join(Post, Post.id == Posting.post_id)
        .join(Office, Office.id == Post.office_id)
        .outerjoin(Place, Place.id == Office.district_id)
        .where(
            Posting.officer_id == officer_id,
            Posting.starts_on <= on,
            or_(Posting.ends_on.is_(None), Posting.ends_on > on),
        )
        .order_by(*_ORDER)
    )
    return tuple(Seat(*row) for row in rows)


def actor_of(session: Session, officer: Officer, on: date) -> Actor:
    """Return an officer as an actor with the seats of a day."""
    return _actor(session, officer, seats_of(session, officer.id, on))


def actors_of(session: Session, officer_ids: Collection[int], on: date) -> list[Actor]:
    """Return officers as actors with the seats of a day; who has none is left out (one statement for any number)."""
    rows = session.execute(
        select(Officer, *_SEAT)
        .join(Posting, Posting.officer_id == Officer.id)
        .join(Post, Post.id == Posting.post_id)
        .join(Office, Office.id == Post.office_id)
        .outerjoin(Place, Place.id == Office.district_id)
        .where(
            Officer.id.in_(officer_ids),
            Posting.starts_on <= on,
            or_(Posting.ends_on.is_(None), Posting.ends_on > on),
        )
        .order_by(Officer.id, *_ORDER)
    ).all()
    seats: dict[Officer, list[Seat]] = {}
    for row in rows:
        seats.setdefault(row.Officer, []).append(Seat(*row[1:]))
    return [_actor(session, officer, tuple(held)) for officer, held in seats.items()]


def load(session: Session, officer_id: Any, on: date) -> SignedIn | None:
    """Return the signed-in officer for a session's user id; None when gone or deactivated (one statement)."""
    rows = session.execute(_LOAD, {"officer_id": int(officer_id), "on": on}).all()
    if not rows or not rows[0].Officer.is_active:
        return None
    officer = rows[0].Officer
    seats = tuple(Seat(*row[1:]) for row in rows if row.post_id is not None)
    return SignedIn(officer, _actor(session, officer, seats))


def _actor(session: Session, officer: Officer, seats: tuple[Seat, ...]) -> Actor:
    overseen: frozenset[int] = frozenset()
    if any(seat.role == overseeing.ROLE for seat in seats):  # few have such a seat: the others need no directory for it
        overseen = overseeing.overseen_office_ids(seats, directory(session))
    return Actor(
        officer_id=officer.id,
        name=officer.name_en,
        kind="officer",
        seats=seats,
        is_admin=officer.is_admin,
        overseen_office_ids=overseen,
    )
