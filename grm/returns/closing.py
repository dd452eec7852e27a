"""Closing a month: the returns that nobody submits, of the country, ministries, districts and programmes, are frozen as the
histories say at that instant, and sent to those who answer for them.

One transaction: killed at any moment, nothing of it has happened; two at once close once.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta

import structlog
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from grm.deadlines import queries as deadline_queries
from grm.deadlines.calendar import end_of_day
from grm.kernel import audit, clock
from grm.kernel.actor import SYSTEM
from grm.kernel.db import db
from grm.kernel.errors import IllegalAction
from grm.kernel.transaction import Act, transaction
from grm.offices.directory import Directory
from grm.offices.queries import directory
from grm.returns import freezing, letters, rules, service
from grm.returns.models import ClosedReturn, MonthlyReturn, ReturnClosing, ReturnSubmission
from grm.returns.units import Unit, closed_units
from grm.tallies import rebuilding
from grm.tallies.periods import Period, month_of

NEWS = timedelta(days=62)
"""Of a month that has been over for longer, nobody is told."""
MOST_DUE = 20_000
"""While more changed cases wait to be counted, closing waits too."""
SECONDS = 240
_SETTINGS = (
    f"SET LOCAL statement_timeout = '{SECONDS}s'",
    "SET LOCAL lock_timeout = '40s'",  # a submission that is under way comes before
    "SET LOCAL work_mem = '128MB'",
    "SET LOCAL jit = off",
)
_TRY = text("SELECT pg_try_advisory_xact_lock(hashtext('grm.returns.close'))")
_DUE = text("SELECT count(*) FROM (SELECT FROM tally_due LIMIT :most) AS due")

log = structlog.get_logger("grm.returns")


def close_due(now: datetime | None = None) -> int:
    """Close the months whose time has come, the earliest first; returns how many were. A month is closed on its day, or before as
    soon as every return that is owed was submitted."""
    session = db.session()
    at = now or clock.now(session)
    is_submitted = func.bool_and(ReturnSubmission.return_id.is_not(None))
    prepared = session.execute(
        select(MonthlyReturn.month, func.min(MonthlyReturn.due_on), is_submitted)
        .outerjoin(ReturnSubmission, ReturnSubmission.return_id == MonthlyReturn.id)
        .where(MonthlyReturn.month.not_in(select(ReturnClosing.month)))
        .group_by(MonthlyReturn.month)
        .order_by(MonthlyReturn.month)
    ).all()
    calendar, known = deadline_queries.calendar(session), rules.rules()
    session.rollback()
    count = 0
    for month, due_on, are_all_submitted in prepared:
        is_time = end_of_day(rules.closes_on(known, due_on, calendar)) <= at
        if is_time or are_all_submitted:
            count += close_month(month_of(month), now, is_time=is_time)
    return count


def close_month(month: Period, now: datetime | None = None, *, is_time: bool = True) -> bool:
    """Close a month whose returns were prepared; False where it is closed already, somebody else does so, the figures are being
    made anew, or a return is owed still and it `is_time` not yet. Raises `IllegalAction` `does-not-balance`."""
    with transaction(now) as act:
        session = act.session
        for setting in _SETTINGS:
            session.execute(text(setting))
        if not session.scalar(_TRY) or session.get(ReturnClosing, month.starts_on) is not None:
            return False
        if rebuilding.is_wanted(session) or session.scalar(_DUE, {"most": MOST_DUE + 1}) > MOST_DUE:
            log.warning("a month is not closed before its cases are counted", month=month.code)
            return False
        owing = _owing(session, month)
        if owing and not is_time:
            return False
        _close(act, month, owing)
    return True


def _owing(session: Session, month: Period) -> set[int]:
    """The offices that owe their return. No return is submitted while the month is being closed."""
    statement = (
        select(MonthlyReturn.office_id, ReturnSubmission.return_id)
        .outerjoin(ReturnSubmission, ReturnSubmission.return_id == MonthlyReturn.id)
        .where(MonthlyReturn.month == month.starts_on)
        .with_for_update(read=True, of=MonthlyReturn)
    )
    session.execute(statement)  # waits; what was submitted meanwhile is seen by the next statement only
    submitted = {office_id for office_id, return_id in session.execute(statement) if return_id is not None}
    return {office.id for office in service.reporting(session, month)} - submitted


def _close(act: Act, month: Period, owing: Collection[int]) -> None:
    session, book = act.session, directory(act.session)
    hash_of_stays = freezing.freeze(session, month)
    session.add(ReturnClosing(month=month.starts_on, closed_at=act.now, hash=hash_of_stays))
    session.flush()
    counted = freezing.figures(session, month)
    places = freezing.places_of(session, month.starts_on, owing)
    frozen = {}
    for unit in closed_units(book):
        views = counted.get((unit.kind, unit.id)) or freezing.nothing()
        if not all(sheet.balances for view in views.values() for sheet in view.values()):
            raise IllegalAction("does-not-balance")
        missing = sorted(each for each in owing if _is_of(unit, each, book, places))
        figures = service.as_json(views)
        made = ClosedReturn(
            month=month.starts_on, kind=unit.kind, unit_id=unit.id, figures=figures, not_submitted=missing
        )
        made.hash = digest(made, hash_of_stays)
        frozen[unit.kind, unit.id] = made
    session.add_all(frozen.values())
    audit.record(session, service.STREAM, "Closed", SYSTEM, act.now, month=month.code, hash=hash_of_stays.hex())
    if act.now < end_of_day(month.last_day) + NEWS:
        letters.send(
            act,
            month,
            {key: (counted.get(key) or freezing.nothing(), each.not_submitted) for key, each in frozen.items()},
        )


def _is_of(unit: Unit, office_id: int, book: Directory, places: Collection[tuple[str, int, int]]) -> bool:
    """Whether what an office did not submit is missing from a unit: one of its own; or one where cases of it lay."""
    if unit.kind == "ministry":
        return office_id in unit.office_ids
    return unit.kind == "country" or (unit.kind, unit.id, office_id) in places


def digest(row: ClosedReturn, hash_of_stays: bytes) -> bytes:
    """The SHA-256 of what was frozen of a unit: whose it is, its figures, who had not submitted, and all stays of the month."""
    offices = ",".join(map(str, row.not_submitted))
    return service.digest(row.figures, f"{row.month}:{row.kind}:{row.unit_id}:{offices}:{hash_of_stays.hex()}")


def changed(session: Session, month: date) -> list[str]:
    """What of a closed month is not as it was frozen, in words."""
    closing = session.get_one(ReturnClosing, month)
    now = freezing.hash_of(session, month)
    found = [] if now == bytes(closing.hash) else [f"{month:%Y-%m}: its stays were changed after it was closed"]
    rows = session.scalars(select(ClosedReturn).where(ClosedReturn.month == month))
    return found + [
        f"{month:%Y-%m}: the return of {row.kind} {row.unit_id} was changed after it was closed"
        for row in rows
        if bytes(row.hash) != digest(row, closing.hash)
    ]
