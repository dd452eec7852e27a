"""Opening an officer's account together with the first posting; in this package because accounts know no offices."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.kernel import audit
from grm.kernel.actor import SYSTEM, Actor
from grm.kernel.clock import dhaka_date
from grm.kernel.contact import parse_email, parse_mobile
from grm.kernel.errors import Conflict, InvalidInput, NotFound
from grm.kernel.text import clean_line, is_blank, nfc
from grm.offices import overseeing
from grm.offices.coordinators import coordinators_post
from grm.offices.models import Office, Post
from grm.offices.queries import directory, holders
from grm.offices.service import post_officer

ADMIN = "admin"
"""The role of a system administrator, who holds no post and sees no case."""

_SEVERAL = ("case_officer", "desk_officer")
"""Roles of which an office may have any number: where all posts are held, one more is made."""

_LONGEST_USERNAME = 80
_USERNAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_")


def open_account(
    session: Session,
    now: datetime,
    *,
    username: str,
    password_hash: str,
    name_bn: str,
    name_en: str,
    role: str,
    office: Office | None,
    email: str | None = None,
    phone: str | None = None,
    is_alternate: bool = False,
    actor: Actor = SYSTEM,
) -> tuple[Officer, Post | None]:
    """Make an account and post its officer from today to a vacant post with the role; the caller commits.

    The hash comes from `passwords.hash_password`, computed before the transaction because it is slow; `role` is one of the
    posts' roles, or `admin` with no office. Raises `InvalidInput` (`username-invalid`, `name-missing`, `office-and-role`,
    or a code of the address parsers), `Conflict` `username-taken` or `post-is-held`, `NotFound` `no-such-post`.
    """
    name = check_username(username)
    if is_blank(name_bn) or is_blank(name_en):
        raise InvalidInput("name-missing")
    if (role == ADMIN) != (office is None):
        raise InvalidInput("office-and-role")
    if session.scalar(select(Officer.id).where(Officer.username == name)) is not None:
        raise Conflict("username-taken", username=name)
    officer = Officer(
        username=name,
        password_hash=password_hash,
        name_bn=clean_line(name_bn),
        name_en=clean_line(name_en),
        email=parse_email(email) if email else None,
        phone=parse_mobile(phone) if phone else None,
        is_admin=role == ADMIN,
        created_at=now,
    )
    post = _free_post(session, now, office, role, is_alternate) if office is not None else None
    session.add(officer)
    session.flush()
    audit.record(session, "accounts", "AccountCreated", actor, now, officer_id=officer.id, role=role)
    if post is not None:
        post_officer(session, now, officer.id, post.id, dhaka_date(now), is_alternate=is_alternate, actor=actor)
    return officer, post


def check_username(typed: str) -> str:
    """The user name in its stored form. Raises `InvalidInput` `username-invalid`: a-z, digits, dot, hyphen, underscore."""
    name = nfc(typed).strip().casefold()
    if not name or len(name) > _LONGEST_USERNAME or not set(name) <= _USERNAME:
        raise InvalidInput("username-invalid")
    return name


def _free_post(session: Session, now: datetime, office: Office, role: str, is_alternate: bool) -> Post:
    seats = [seat for seat in holders(session, [office.id], dhaka_date(now)) if seat.role == role]
    if not seats and role == overseeing.ROLE:
        return coordinators_post(session, directory(session), office.id, dhaka_date(now))
    if not seats:
        raise NotFound("no-such-post", office=office.code, role=role)
    free = next((seat for seat in seats if is_alternate or seat.regular is None), None)
    if free is not None:
        return session.get_one(Post, free.post_id)
    if role not in _SEVERAL:
        raise Conflict("post-is-held", office=office.code, role=role)
    pattern = session.get_one(Post, seats[0].post_id)
    count = session.scalar(select(func.count()).where(Post.office_id == office.id, Post.role == role)) or 0
    post = Post(
        office_id=office.id,
        code=f"{pattern.code}-{count + 1}",
        role=role,
        rank=pattern.rank,
        name_en=pattern.name_en,
        name_bn=pattern.name_bn,
        valid_from=dhaka_date(now),
    )
    session.add(post)
    session.flush()
    return post
