"""Who has lost the secret code gets in with a one-time code, sent to the phone on file (NIST SP 800-63B, 5.1.3).

Asking always shows the same page after the same work, whether or not number and phone belong together. Nothing is sent for an
anonymous or a sensitive complaint, to who wants no messages, or to anybody but who filed: one who has joined in cannot act for
all. A code has six digits, lives ten minutes, opens once, and only from the form that asked for it. Five tries; each counts as
a try of the number, too, and a new code gives none of those back. Counters of asking stand under the phone only where it is
the right one: a stranger cannot use up somebody's codes without knowing both number and phone.
"""

import binascii
import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Row, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grm.cases import events, tracking
from grm.cases.models import Case, Complainant
from grm.cases.tracking import Knock
from grm.cases.tracking_models import TrackCode
from grm.kernel import context
from grm.kernel import tracking_number as numbers
from grm.kernel.clock import dhaka_date
from grm.kernel.contact import parse_mobile
from grm.kernel.crypto import CannotOpen
from grm.kernel.errors import InvalidInput
from grm.kernel.text import latin_digits
from grm.kernel.transaction import transaction
from grm.web import throttle
from grm.web.security import keyed_hash

DIGITS = 6
LIFETIME = timedelta(minutes=10)
"""How long a code opens; also the life of its message (`grm/notifications/catalogue.py`)."""
MOST_TRIES = 5
BETWEEN = timedelta(seconds=60)
A_DAY = timedelta(hours=24)
MOST_A_DAY = 5
SOURCE_ASKS = 20
_LONGEST = 64
_NOBODY = "+8800000000000"
_NO_NUMBER = "0" * numbers.LENGTH
_CONTEXT = "track-code.request"


@dataclass(frozen=True, slots=True)
class Asked:
    """What comes of asking: the sealed request for the next form, or for how many seconds to wait."""

    request: str
    wait_seconds: int = 0


def new_request() -> str:
    """A mark for a form that asks for a code: sent twice, it asks once."""
    return secrets.token_urlsafe(16)


def ask(number_typed: str, phone_typed: str, request: str, source: str) -> Asked:
    """Ask for a code. `request` is the form's mark, `source` the address it comes from. Commits, whatever the answer."""
    request = request[:_LONGEST] or new_request()
    with transaction() as act:
        session, now = act.session, act.now
        by_source = keyed_hash(f"code-source:{dhaka_date(now)}", source)
        if throttle.count(session, by_source, now, tracking.SOURCE_WINDOW) > SOURCE_ASKS:
            return Asked("", tracking.seconds_left(session, by_source, now))
        number = numbers.parse(number_typed)
        name, phone = number or number_typed[:_LONGEST], _phone(phone_typed) or phone_typed[:_LONGEST]
        case = _case_of(session, number or _NO_NUMBER, phone)
        counted = keyed_hash("code-phone", phone) if case else keyed_hash("code-pair", f"{name}\0{phone}")
        is_first = throttle.count(session, f"{counted}:m", now, BETWEEN) == 1
        today = throttle.count(session, f"{counted}:d", now, A_DAY, by=int(is_first))
        case_id = case.id if case and is_first and today <= MOST_A_DAY else None
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        code_id = _keep(session, _hash(request, name, phone), case_id, code, now)
        if code_id is not None:
            act.record(
                events.CodeAsked(
                    code_id=code_id,
                    case_id=case_id,
                    language=case.language if case else "bn",
                    phone=phone if case else _NOBODY,
                    made_at=now,
                )
            )
    return Asked(_sealed(request, name, phone))


def enter(asked: str, code_typed: str, source: str) -> Knock:
    """Try a code in the form that asked for it. Wrong, used, too old, from another form and none at all are one answer."""
    request, name, phone = _opened(asked)
    request_hash = _hash(request, name, phone)
    with transaction() as act:
        session, now = act.session, act.now
        row = session.execute(
            update(TrackCode)
            .where(
                *(TrackCode.request_hash == request_hash, TrackCode.used_at.is_(None)),
                *(TrackCode.expires_at > now, TrackCode.tries < MOST_TRIES),
            )
            .values(tries=TrackCode.tries + 1)
            .returning(TrackCode.id, TrackCode.case_id, TrackCode.code_mac)
        ).one_or_none()
        if not name:
            return Knock(None, 0, now)  # forged: it asks for nobody's complaint
        # A code that has had its time is tried and counted like any other. A right phone has no sixth code in a day, so its
        # last row grows old where a wrong phone's is made anew: whoever asks must not see by a wait which of the two it is.
        if wait := tracking.admit(session, name, source, now):
            if row is not None:
                session.execute(update(TrackCode).where(TrackCode.id == row.id).values(tries=TrackCode.tries - 1))
            return Knock(None, wait, now)
        if row is None:
            tracking.note_failure(session, now)
            return Knock(None, 0, now)
        is_equal = hmac.compare_digest(bytes(row.code_mac), _mac(request_hash, _digits(code_typed)))
        if not is_equal or row.case_id is None or not _use(session, row.id, now):
            tracking.note_failure(session, now)
            return Knock(None, 0, now)
        tracking.note_success(session, name, source, now)
        return Knock(name, 0, now)


def context_of(code_id: int) -> str:
    """What a sealed code is bound to."""
    return f"track_code.code:{code_id}"


def _case_of(session: Session, number: str, phone: str) -> Row[int, str] | None:
    index = context.keyring().blind_index("phone", phone)
    statement = (
        select(Case.id, Case.language)
        .join(Complainant, Complainant.case_id == Case.id)
        .where(
            *(Case.tracking_number == number, Complainant.phone_index == index, Complainant.role != "member"),
            *(~Case.is_anonymous, ~Case.is_sensitive, Case.preferred_channel != "none", Case.parent_id.is_(None)),
        )
        .limit(1)
    )
    return session.execute(statement).one_or_none()


def _keep(session: Session, request_hash: str, case_id: int | None, code: str, now: datetime) -> int | None:
    """Keep a code in the row of its request: its id. None where the request has a code that is not a minute old, or still
    lives while no other may be sent."""
    values = {
        "case_id": case_id,
        "code_mac": _mac(request_hash, code),
        "tries": 0,
        "made_at": now,
        "expires_at": now + LIFETIME,
        "used_at": None,
    }
    is_old = TrackCode.made_at <= now - BETWEEN
    statement = insert(TrackCode).values(request_hash=request_hash, **values)
    code_id = session.execute(
        statement.on_conflict_do_update(
            index_elements=["request_hash"],
            set_=values,
            where=is_old & or_(statement.excluded.case_id.is_not(None), TrackCode.case_id.is_(None)),
        ).returning(TrackCode.id)
    ).scalar_one_or_none()
    if code_id is not None:
        sealed = context.keyring().seal(code, context_of(code_id))
        session.execute(update(TrackCode).where(TrackCode.id == code_id).values(code_sealed=sealed))
    return code_id


def _use(session: Session, code_id: int, now: datetime) -> bool:
    """Use a code up; False where another request of the same moment was faster."""
    unused = update(TrackCode).where(TrackCode.id == code_id, TrackCode.used_at.is_(None))
    return session.execute(unused.values(used_at=now, code_sealed=None).returning(TrackCode.id)).first() is not None


def _phone(typed: str) -> str | None:
    try:
        return parse_mobile(typed)
    except InvalidInput:
        return None


def _digits(typed: str) -> str:
    return "".join(each for each in latin_digits(typed[:_LONGEST]) if each in "0123456789")


def _hash(request: str, name: str, phone: str) -> str:
    return keyed_hash("track-code", json.dumps([request, name, phone]))


def _mac(request_hash: str, code: str) -> bytes:
    return hmac.digest(context.settings().tracking_key, f"grm:track-code:{request_hash}:{code}".encode(), "sha256")


def _sealed(request: str, name: str, phone: str) -> str:
    """The request as the next form carries it: nothing of it can be read on a shared phone."""
    return urlsafe_b64encode(context.keyring().seal(json.dumps([request, name, phone]), _CONTEXT)).decode()


def _opened(asked: str) -> tuple[str, str, str]:
    try:
        request, name, phone = json.loads(context.keyring().open(urlsafe_b64decode(asked.encode()), _CONTEXT))
    except (CannotOpen, ValueError, binascii.Error):
        return new_request(), "", ""
    return str(request), str(name), str(phone)


def again(asked: str, source: str) -> Asked:
    """Ask once more with what was typed before."""
    request, name, phone = _opened(asked)
    return ask(name, phone, request, source)
