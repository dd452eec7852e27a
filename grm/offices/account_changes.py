"""Changing officers' accounts: names and addresses, passwords that somebody gives out, opening an account again.

Closing one is a handover (`grm/cases/handover.py`): nothing may be left behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.accounts.sessions import end_sessions_of
from grm.kernel import audit
from grm.kernel.actor import SYSTEM, Actor
from grm.kernel.contact import parse_email, parse_mobile
from grm.kernel.errors import Conflict, InvalidInput, NotFound
from grm.kernel.text import clean_line, has_forbidden_characters, is_blank
from grm.offices.accounts import check_username
from grm.offices.service import post_officer

GIVEN_PASSWORD_LASTS = timedelta(hours=72)
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Particulars:
    """What is kept of an officer, checked and in its stored form."""

    name_bn: str
    name_en: str
    email: str | None
    phone: str | None
    language: str


def particulars(typed: Mapping[str, str]) -> Particulars:
    """Read what was typed (`name_bn name_en email phone language`). Raises `InvalidInput` with a code for each field."""
    faults: dict[str, str] = {}
    for name in ("name_bn", "name_en"):
        if is_blank(typed[name]) or has_forbidden_characters(typed[name]):
            faults[name] = "name-missing"
        elif len(typed[name]) > LONGEST_NAME:
            faults[name] = "too-long"
    found: dict[str, str | None] = {"email": None, "phone": None}
    for name, parse in (("email", parse_email), ("phone", parse_mobile)):
        try:
            found[name] = None if is_blank(typed[name]) else parse(typed[name])
        except InvalidInput as error:
            faults[name] = error.code
    if typed["language"] not in ("bn", "en"):
        faults["language"] = "choose-one"
    if faults:
        raise InvalidInput(fields=faults)
    names = clean_line(typed["name_bn"]), clean_line(typed["name_en"])
    return Particulars(*names, found["email"], found["phone"], typed["language"])


def open_account_at(
    session: Session,
    now: datetime,
    username: str,
    given_hash: str,
    about: Particulars,
    post_id: int,
    starts_on: date,
    *,
    is_alternate: bool = False,
    actor: Actor = SYSTEM,
) -> Officer:
    """Make an account for an officer who sits in a post from a day on; the password is one to be changed at the first sign-in.

    Raises `InvalidInput` or `Conflict` for the user name, and as `post_officer`.
    """
    name = check_username(username)
    if session.scalar(select(Officer.id).where(Officer.username == name)) is not None:
        raise Conflict("username-taken", username=name)
    officer = Officer(
        username=name,
        password_hash=given_hash,
        must_set_password=True,
        password_until_at=now + GIVEN_PASSWORD_LASTS,
        name_bn=about.name_bn,
        name_en=about.name_en,
        email=about.email,
        phone=about.phone,
        language=about.language,
        created_at=now,
    )
    session.add(officer)
    session.flush()
    audit.record(session, "accounts", "AccountCreated", actor, now, officer_id=officer.id, post_id=post_id)
    post_officer(session, now, officer.id, post_id, starts_on, is_alternate=is_alternate, actor=actor)
    return officer


def change_account(session: Session, now: datetime, officer_id: int, about: Particulars, *, actor: Actor) -> None:
    """Change names, addresses and language; the record names the fields, not what stands in them."""
    officer = _locked(session, officer_id)
    changed = [name for name in Particulars.__slots__ if getattr(officer, name) != getattr(about, name)]
    for name in changed:
        setattr(officer, name, getattr(about, name))
    if changed:
        session.flush()
        audit.record(session, "accounts", "AccountChanged", actor, now, officer_id=officer_id, fields=changed)


def give_password(session: Session, now: datetime, officer_id: int, given_hash: str, *, actor: Actor) -> None:
    """Replace a forgotten password by one to be changed at the next sign-in; all sessions end."""
    officer = _locked(session, officer_id)
    officer.password_hash, officer.must_set_password = given_hash, True
    officer.password_until_at = now + GIVEN_PASSWORD_LASTS
    session.flush()
    end_sessions_of(officer_id)
    audit.record(session, "accounts", "PasswordGiven", actor, now, officer_id=officer_id)


def reopen_account(session: Session, now: datetime, officer_id: int, given_hash: str, *, actor: Actor) -> None:
    """Open a closed account again, with a new password to be changed; posts are not given back by it.

    Raises `Conflict` `account-open`.
    """
    officer = _locked(session, officer_id)
    if officer.is_active:
        raise Conflict("account-open", officer_id=officer_id)
    officer.is_active = True
    audit.record(session, "accounts", "AccountReopened", actor, now, officer_id=officer_id)
    give_password(session, now, officer_id, given_hash, actor=actor)


def _locked(session: Session, officer_id: int) -> Officer:
    officer = session.scalar(select(Officer).where(Officer.id == officer_id).with_for_update())
    if officer is None:
        raise NotFound("no-such-officer", officer_id=officer_id)
    return officer
