"""Signing in: one answer for an unknown user, a wrong password and a deactivated account; waits that grow with failures."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.accounts import passwords
from grm.accounts.models import Officer
from grm.accounts.sessions import end_sessions_of
from grm.kernel import audit
from grm.kernel.actor import Actor
from grm.kernel.context import settings
from grm.kernel.errors import InvalidInput, TooMany
from grm.kernel.text import nfc
from grm.kernel.transaction import transaction
from grm.web import throttle
from grm.web.security import keyed_hash

STREAM = "accounts"


def find_officer(session: Session, username: str) -> Officer | None:
    """Return the account of a user name; upper and lower case and white space around it do not matter."""
    name = nfc(username).strip().casefold()
    return session.execute(select(Officer).where(Officer.username == name)).scalar_one_or_none()


def sign_in(username: str, password: str, source: str) -> Officer:
    """Return the officer whose password this is.

    ``source`` is the address the attempt comes from; it is kept as a keyed hash only. Failures are counted per account
    *and* source, so that an outsider cannot lock the holder out from elsewhere, and per source alone at ten times the rate.
    Raises InvalidInput 'wrong-credentials' (unknown, wrong and deactivated look alike) or TooMany with the wait.
    """
    name = nfc(username).strip().casefold()[:200]
    keys = [keyed_hash("login", f"{name}\0{source}")]
    with transaction() as act:
        wait = throttle.wait_seconds(act.session, keys, act.now)
        if wait:
            raise TooMany("sign-in-wait", retry_after_seconds=wait)
        officer = find_officer(act.session, name)
        known_hash = officer.password_hash if officer is not None and _may_enter(officer, act.now) else None
    # The slow hash is computed outside any transaction.
    is_right = passwords.verify(known_hash, password)
    with transaction() as act:
        if officer is None or not is_right:
            throttle.record_failure(act.session, keys[0], act.now)
        else:
            throttle.forget(act.session, keys)
            who = Actor(officer_id=officer.id, name=officer.name_en, kind="officer")
            audit.record(act.session, STREAM, "SignedIn", who, act.now, username=officer.username)
    if officer is None or not is_right:
        raise InvalidInput("wrong-credentials")
    return officer


def set_own_password(officer_id: int, present: str, new: str) -> None:
    """Choose another password; `present` is the one that holds, or the one that was given out. All sessions end.

    Raises `InvalidInput` with a code for the field (`wrong-password`, `password-same`, or as `passwords.check_new`), and
    `TooMany` after several wrong ones: a session that was left open is not to be turned into an account.
    """
    keys = [keyed_hash("own-password", str(officer_id))]
    with transaction() as act:
        if wait := throttle.wait_seconds(act.session, keys, act.now):
            raise TooMany("sign-in-wait", retry_after_seconds=wait)
        officer = act.session.get_one(Officer, officer_id)
        who, known_hash = Actor(officer_id=officer.id, name=officer.name_en, kind="officer"), officer.password_hash
    if not passwords.verify(known_hash, present):
        with transaction() as act:
            throttle.record_failure(act.session, keys[0], act.now)
        raise InvalidInput("wrong-password", fields={"present": "wrong-password"})
    try:
        passwords.check_new(new)
    except InvalidInput as error:
        raise InvalidInput(error.code, fields={"new": error.code}) from None
    if present == new:
        raise InvalidInput("password-same", fields={"new": "password-same"})
    new_hash = passwords.hash_password(new)
    with transaction() as act:
        officer = act.session.get_one(Officer, officer_id, with_for_update=True, populate_existing=True)
        if officer.password_hash != known_hash:
            raise InvalidInput("wrong-password", fields={"present": "wrong-password"})
        officer.password_hash, officer.must_set_password, officer.password_until_at = new_hash, False, None
        end_sessions_of(officer_id)
        throttle.forget(act.session, keys)
        audit.record(act.session, STREAM, "PasswordChanged", who, act.now, officer_id=officer_id)


def _may_enter(officer: Officer, now: datetime) -> bool:
    """A database that once served development may hold demo accounts, whose password everybody knows; and a password that was
    given out is good for some days only."""
    is_stale = officer.password_until_at is not None and officer.password_until_at <= now
    return officer.is_active and not is_stale and not (officer.is_demo and settings().is_production)
