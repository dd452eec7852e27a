"""Opening a case with its tracking number and secret: guesses are bounded, and wrong is always the same answer.

Every attempt claims its place before it is verified, by one atomic statement, so fifty parallel guesses count as fifty and
at most five are looked at. Per number: five free, then a wait that doubles from 30 seconds to an hour (NIST SP 800-63B).
A wait ends by itself; and while it lasts, a source that has not tried this number lately still gets `FRESH_TRIES` tries, so
that a stranger who keeps guessing cannot keep the true holder out. Per source: `SOURCE_TRIES` wrong ones in ten minutes.
Overall: while more than `ALL_TRIES` in ten minutes are wrong, wherever they come from, a source has `STRICT_TRIES`.

An unknown number is guarded, looked up and compared (with a dummy) exactly like a known one. Rows are keyed hashes of
number and source; nothing is kept in clear, and no source for longer than a day.
"""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grm.cases.models import Case
from grm.kernel import context
from grm.kernel import tracking_number as numbers
from grm.kernel.clock import dhaka_date
from grm.kernel.transaction import transaction
from grm.web import throttle
from grm.web.models import Throttle
from grm.web.security import keyed_hash

log = structlog.get_logger("grm.cases")

SOURCE_TRIES = 20
SOURCE_WINDOW = timedelta(minutes=10)
ALL_TRIES = 1_000
STRICT_TRIES = 3
FRESH_TRIES = 2
FRESH_WINDOW = timedelta(hours=1)
MOST_FAILURES = 100
"""In a day, with the fresh sources' tries; beyond it only the regular tries, one an hour, are left."""
VIEW_LIFETIME = timedelta(minutes=30)

_DUMMY_SECRET = "0" * numbers.LENGTH


@dataclass(frozen=True, slots=True)
class Knock:
    """The answer to an attempt: the case's number if it opened; else for how many seconds to wait, 0 if not at all."""

    tracking_number: str | None
    wait_seconds: int
    now: datetime


def knock(number_typed: str, secret_typed: str, source: str) -> Knock:
    """Try to open a case. `source` is the address the attempt comes from. Commits the count, whatever the answer.

    The same statements run for a wrong number and a wrong secret.
    """
    with transaction() as act:
        session, now = act.session, act.now
        number, secret = numbers.parse(number_typed), numbers.parse(secret_typed)
        name = number or number_typed[:64]
        if wait := admit(session, name, source, now):
            return Knock(None, wait, now)
        if not _matches(session, number, secret):
            note_failure(session, now)
            return Knock(None, 0, now)
        note_success(session, name, source, now)
        return Knock(number, 0, now)


def admit(session: Session, name: str, source: str, now: datetime) -> int:
    """Claim the place of a try at the number `name`, in advance of its failure: 0, or for how many seconds to wait."""
    source_key = _source_key(source, now)
    tries = throttle.count(session, source_key, now, SOURCE_WINDOW)
    if tries > SOURCE_TRIES or (tries > STRICT_TRIES and _is_under_attack(session, now)):
        return seconds_left(session, source_key, now)
    guard = keyed_hash("track-number", name)
    own_tries = throttle.count(
        session, keyed_hash(f"track-pair:{dhaka_date(now)}", f"{name}\0{source}"), now, FRESH_WINDOW
    )
    if not _claim(session, guard, now) and not (own_tries <= FRESH_TRIES and _count_more(session, guard)):
        return throttle.wait_seconds(session, [guard], now) or 1
    return 0


def note_failure(session: Session, now: datetime) -> None:
    """Count a try that was admitted and wrong."""
    if throttle.count(session, _all_key(), now, SOURCE_WINDOW) == ALL_TRIES:
        log.warning("guessing at the tracking page", wrong=ALL_TRIES, minutes=SOURCE_WINDOW.seconds // 60)


def note_success(session: Session, name: str, source: str, now: datetime) -> None:
    """A try was right: it uses nothing up, and the number's failures are forgotten."""
    throttle.forget(session, [keyed_hash("track-number", name)])
    key = _source_key(source, now)
    session.execute(update(Throttle).where(Throttle.key == key).values(count=Throttle.count - 1))


def _source_key(source: str, now: datetime) -> str:
    return keyed_hash(f"track-source:{dhaka_date(now)}", source)


def _all_key() -> str:
    return keyed_hash("track-all", "")


def _is_under_attack(session: Session, now: datetime) -> bool:
    wrong = select(Throttle.count).where(Throttle.key == _all_key(), Throttle.window_ends_at > now)
    return (session.execute(wrong).scalar_one_or_none() or 0) > ALL_TRIES


@dataclass(frozen=True, slots=True)
class View:
    """What a view token opens, and to which visit (`grm/cases/visits.py`) it belongs; `is_fresh` within half an hour."""

    tracking_number: str
    visit: str
    is_fresh: bool


def view_token(tracking_number: str, now: datetime, visit: str = "") -> str:
    """Proof, for half an hour, that its bearer has opened the case. It travels in forms only, never in an address."""
    return str(_serializer().dumps([tracking_number, int(now.timestamp()), visit]))


def read_view(token: str, now: datetime) -> View | None:
    """What a token says; None for a forged one. `now` is the database's clock."""
    try:
        number, issued, visit = _serializer().loads(token)
    except (BadData, ValueError, TypeError):
        return None
    age = now - datetime.fromtimestamp(issued, UTC)
    return View(str(number), str(visit), timedelta(minutes=-1) <= age <= VIEW_LIFETIME)


def read_view_token(token: str, now: datetime) -> str | None:
    """The tracking number that a token opens; None for a forged or an expired one. `now` is the database's clock."""
    view = read_view(token, now)
    return view.tracking_number if view is not None and view.is_fresh else None


def _serializer() -> URLSafeSerializer:
    settings = context.settings()
    return URLSafeSerializer([*settings.secret_key_fallbacks, settings.secret_key], salt="tracking-view")


def _matches(session: Session, number: str | None, secret: str | None) -> bool:
    wanted = number or _DUMMY_SECRET
    stored = session.execute(select(Case.secret_mac).where(Case.tracking_number == wanted)).scalar_one_or_none()
    given = numbers.secret_mac(context.settings().tracking_key, wanted, secret or _DUMMY_SECRET)
    is_equal = hmac.compare_digest(bytes(stored) if stored is not None else bytes(32), given)
    return is_equal and stored is not None and number is not None and secret is not None


def _claim(session: Session, key: str, now: datetime) -> bool:
    """Take one of the tries of a number, in advance of its failure; False while it must wait."""
    forgets = Throttle.window_ends_at <= now
    count = case((forgets, 1), else_=Throttle.count + 1)
    doublings = func.least(count - throttle.FREE_FAILURES, 10)
    first, longest = throttle.FIRST_WAIT, throttle.LONGEST_WAIT
    wait = func.least(first * func.power(2, doublings), longest)
    statement = insert(Throttle).values(
        key=key, count=1, window_ends_at=now + throttle.FORGET_AFTER, blocked_until=None
    )
    claimed = session.execute(
        statement.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "count": count,
                "window_ends_at": case((forgets, now + throttle.FORGET_AFTER), else_=Throttle.window_ends_at),
                "blocked_until": case((count >= throttle.FREE_FAILURES, now + wait), else_=None),
            },
            where=or_(Throttle.blocked_until.is_(None), Throttle.blocked_until <= now),
        ).returning(Throttle.count)
    )
    return claimed.scalar_one_or_none() is not None


def _count_more(session: Session, key: str) -> bool:
    """Count a fresh source's try on a number that must wait; False when there were too many of them."""
    counted = session.execute(
        update(Throttle)
        .where(Throttle.key == key, Throttle.count < MOST_FAILURES)
        .values(count=Throttle.count + 1)
        .returning(Throttle.count)
    )
    return counted.scalar_one_or_none() is not None


def seconds_left(session: Session, key: str, now: datetime) -> int:
    """For how many seconds the running window of a counter still lasts."""
    ends_at = session.execute(select(Throttle.window_ends_at).where(Throttle.key == key)).scalar_one()
    return max(1, int((ends_at - now).total_seconds()) + 1)
