"""The signed-in officer as Flask-Login and the guard see them: the account and today's seats."""

from datetime import date
from typing import Any

from flask_login import UserMixin
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.kernel.actor import Actor, Seat
from grm.offices.models import Office, Place, Post, Posting


class SignedIn(UserMixin):
    """An officer with the seats held today."""

    def __init__(self, officer: Officer, actor: Actor) -> None:
        self.id = str(officer.id)
        self.officer = officer
        self.actor = actor
        self.language = officer.language

    @property
    def is_active(self) -> bool:
        """A deactivated officer is out at the next request."""
        return self.officer.is_active


def seats_of(session: Session, officer_id: int, on: date) -> tuple[Seat, ...]:
    """Return the posts an officer holds on a day, as regular holder or alternate (one statement)."""
    rows = session.execute(
        select(Office.id, Office.kind, Office.ministry_id, Place.code, Post.id, Post.role, Posting.is_alternate)
        .join(Post, Post.id == Posting.post_id)
        .join(Office, Office.id == Post.office_id)
        .outerjoin(Place, Place.id == Office.district_id)
        .where(
            Posting.officer_id == officer_id,
            Posting.starts_on <= on,
            or_(Posting.ends_on.is_(None), Posting.ends_on > on),
        )
        .order_by(Posting.is_alternate, Post.rank.desc(), Post.id)
    )
    return tuple(Seat(*row) for row in rows)


def actor_of(session: Session, officer: Officer, on: date) -> Actor:
    """Return an officer as an actor with the seats of a day."""
    return Actor(
        officer_id=officer.id,
        name=officer.name_en,
        kind="officer",
        seats=seats_of(session, officer.id, on),
        is_admin=officer.is_admin,
    )


def load(session: Session, officer_id: Any, on: date) -> SignedIn | None:
    """Return the signed-in officer for a session's user id; None when gone or deactivated."""
    officer = session.get(Officer, int(officer_id))
    if officer is None or not officer.is_active:
        return None
    return SignedIn(officer, actor_of(session, officer, on))
