"""What happens to a monthly return: prepared when the month is over, submitted by its office, called for when it is late.

Nobody types a number. What is submitted is counted in the same transaction and never changed after.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.orm import Session

from grm.deadlines import queries as deadline_queries
from grm.deadlines.calendar import end_of_day
from grm.kernel import audit
from grm.kernel.actor import Actor
from grm.kernel.clock import dhaka_date
from grm.kernel.db import db
from grm.kernel.errors import IllegalAction, NotFound
from grm.kernel.transaction import Act, transaction
from grm.notifications.catalogue import RETURN_LATE, RETURN_PREPARED
from grm.notifications.handovers import tell
from grm.offices.directory import Office
from grm.offices.queries import StaffedPost, directory, holders
from grm.returns import counting, rules, units
from grm.returns.models import MonthlyReturn, ReturnReminder, ReturnSubmission
from grm.returns.sheets import Sheets
from grm.tallies import rebuilding
from grm.tallies.periods import Period, month_of

STREAM = "returns"
CATCH_UP_MONTHS = 12
"""So many months are prepared late, where nothing ran for long."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What came of a submission; `is_new` is False where the return had been submitted before."""

    return_id: int
    at: datetime
    is_new: bool


# --- preparing --------------------------------------------------------------------------------------------------------


def prepare_due(now: datetime | None = None) -> int:
    """Prepare the returns of the months that are over and have none yet; returns how many were. Any number of runs, at once or
    after being killed, make each of them once and tell of it once."""
    with transaction(now) as act:
        last = month_of(month_of(dhaka_date(act.now)).starts_on - timedelta(days=1))
        at, newest = (
            act.now,
            act.session.scalar(select(MonthlyReturn.month).order_by(MonthlyReturn.month.desc()).limit(1)),
        )
    months = [last]
    while newest is not None and months[0].starts_on > newest and len(months) <= CATCH_UP_MONTHS:
        months.insert(0, month_of(months[0].starts_on - timedelta(days=1)))
    return sum(prepare_month(month, at) for month in months)


def prepare_month(month: Period, now: datetime, *, is_told: bool = True) -> int:
    """Prepare a month's returns, an office at a time; returns how many were new. Raises `IllegalAction` `month-not-over`."""
    if dhaka_date(now) < month.ends_on:
        raise IllegalAction("month-not-over")
    session = db.session()
    there = set(session.scalars(select(MonthlyReturn.office_id).where(MonthlyReturn.month == month.starts_on)))
    offices = [office for office in reporting(session, month) if office.id not in there]
    session.rollback()
    count = 0
    for office in offices:
        with transaction(now) as act:
            count += _prepare(act, office, month, is_told)
    return count


def _prepare(act: Act, office: Office, month: Period, is_told: bool) -> bool:
    calendar, known = deadline_queries.calendar(act.session), rules.rules()
    due_on = rules.due_on(known, month.ends_on, calendar)
    if end_of_day(due_on) <= act.now:
        # Nothing ran, or its first case was entered late: who could not hand it in until today has as many days from today on.
        due_on = rules.due_on(known, dhaka_date(act.now) + timedelta(days=1), calendar)
    next_rung_at = rules.rung_at(known, 0, due_on, calendar)
    row = {
        "month": month.starts_on,
        "office_id": office.id,
        "prepared_at": act.now,
        "due_on": due_on,
        "due_at": end_of_day(due_on),
        "next_level": 0 if next_rung_at else None,
        "next_rung_at": next_rung_at,
    }
    made = act.session.execute(
        pg_insert(MonthlyReturn).values(row).on_conflict_do_nothing().returning(MonthlyReturn.id)
    ).scalar_one_or_none()
    if made is None:
        return False
    if is_told:
        posts = holders(act.session, [office.id], dhaka_date(act.now))
        to = _answering(posts, units.submitters(office.kind))
        _tell(act, RETURN_PREPARED, f"{RETURN_PREPARED}:{made}", to, month.starts_on, due_on, office)
    return True


def reporting(session: Session, month: Period) -> Sequence[Office]:
    """The offices of which a return is asked: the cell and all ministries, as nothing received is worth knowing; any other office
    where it had a case in the month."""
    book = directory(session)
    had = set(session.scalars(text(_HAD_CASES), {"since": month.starts_on, "until": month.ends_on}))
    in_force = (each for each in book.offices if each.valid_from < month.ends_on)
    return [
        office
        for office in in_force
        if (office.valid_to is None or office.valid_to > month.starts_on)
        and (office.kind in ("cell", "ministry") or office.id in had)
    ]


_HAD_CASES = """
    SELECT o.id FROM office AS o WHERE EXISTS (
        SELECT FROM stay AS s WHERE s.office_id = o.id AND s.ended_on >= :since AND s.began_on < :until)
    OR EXISTS (SELECT FROM stay AS s WHERE s.office_id = o.id AND s.ended_on IS NULL AND s.began_on < :until)
"""


# --- submitting -------------------------------------------------------------------------------------------------------


def submit(actor: Actor, month: Period, office_code: str, now: datetime | None = None) -> Submitted:
    """Freeze the return of an office as it is counted now. Submitted before, it stays as it was then: two at once are one.

    `NotFound` for whoever does not submit it, `IllegalAction` `not-prepared` before the month is over, `does-not-balance` where
    the numbers contradict one another, `figures-not-made` while what an upgrade brought is not counted yet.
    """
    with transaction(now) as act:
        session = act.session
        session.execute(text("SET LOCAL statement_timeout = '30s'"))  # millions of cases may lie at one office
        unit = units.unit_of(directory(session), "office", office_code)
        if not units.may_submit(actor, unit):
            raise NotFound
        found = session.scalars(
            select(MonthlyReturn)
            .where(MonthlyReturn.month == month.starts_on, MonthlyReturn.office_id == unit.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one_or_none()
        if found is None:
            raise IllegalAction("not-prepared")
        before = session.get(ReturnSubmission, found.id)
        if before is not None:
            return Submitted(found.id, before.submitted_at, is_new=False)
        if rebuilding.is_wanted(session):
            raise IllegalAction("figures-not-made")
        counted = counting.lines(session, counting.live(session, unit, month, dhaka_date(act.now), most_due=None))
        relation = counting.told(counted)
        sheets = {name: counting.sheets(session, relation, shades) for name, shades in units.VIEWS.items()}
        if not all(sheet.balances for view in sheets.values() for sheet in view.values()):
            raise IllegalAction("does-not-balance")
        figures = as_json(sheets)
        session.add(
            ReturnSubmission(
                return_id=found.id,
                submitted_at=act.now,
                submitted_by_id=actor.officer_id,
                figures=figures,
                counted=counted,
                hash=digest(figures, counted),
            )
        )
        found.next_level = found.next_rung_at = None
        audit.record(
            *(session, STREAM, "Submitted", actor, act.now),
            office=office_code,
            month=month.code,
            hash=digest(figures, counted).hex(),
        )
        return Submitted(found.id, act.now, is_new=True)


def as_json(sheets: dict[str, Sheets]) -> dict[str, Any]:
    """The figures as they are frozen."""
    return {name: {side: sheet.as_json() for side, sheet in view.items()} for name, view in sheets.items()}


def digest(figures: Any, counted: str) -> bytes:
    """The SHA-256 of what was submitted: the figures, and what they count."""
    canonical = json.dumps(figures, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{canonical}\n{counted}".encode()).digest()


# --- what is late -----------------------------------------------------------------------------------------------------


def call_for_late(now: datetime | None = None) -> int:
    """Climb the rungs of late returns whose time has come, one return at a time; returns how many were climbed. Each is climbed
    once, whoever runs how often."""
    count, at = 0, now
    while True:
        with transaction(at) as act:
            at = act.now
            found = act.session.scalars(
                select(MonthlyReturn)
                .where(MonthlyReturn.next_rung_at <= at)
                .order_by(MonthlyReturn.next_rung_at, MonthlyReturn.id)
                .limit(1)
                .with_for_update(skip_locked=True)
                .execution_options(populate_existing=True)
            ).one_or_none()
            if found is None:
                return count
            _climb(act, found)
            count += 1


def _climb(act: Act, found: MonthlyReturn) -> None:
    session, level, known = act.session, found.next_level, rules.rules()
    assert level is not None
    book, calendar = directory(session), deadline_queries.calendar(session)
    office, role = book.office(found.office_id), rules.role_at(known, level, found.due_on)
    at = book.cell.id if role == "cell_officer" else office.id
    roles = units.submitters(office.kind) if role == "gro" else (role,)
    to = _answering(holders(session, [at], dhaka_date(act.now)), roles)
    reminder = {"return_id": found.id, "level": level, "role": role, "at": act.now, "officer_id": to}
    session.execute(pg_insert(ReturnReminder).values(reminder).on_conflict_do_nothing())
    # The cell hears once of a month, however many are late: the page lists them.
    is_one = at != book.cell.id or office.id == book.cell.id
    name = f"{RETURN_LATE}:{found.id if is_one else found.month}:{level}"
    _tell(act, RETURN_LATE, name, to, found.month, found.due_on, office if is_one else None)
    found.next_rung_at = rules.rung_at(known, level + 1, found.due_on, calendar)
    found.next_level = level + 1 if found.next_rung_at else None


def _answering(posts: Iterable[StaffedPost], roles: Sequence[str]) -> int | None:
    """Who answers today: of the first role that has somebody."""
    found = list(posts)
    for role in roles:
        for post in found:
            if post.role == role and post.acting is not None:
                return post.acting.officer_id
    return None


def _tell(act: Act, template: str, name: str, to: int | None, month: date, due_on: date, office: Office | None) -> None:
    if to is not None:
        params = {"return_month": month.isoformat(), "due_on": due_on.isoformat()}
        params |= {"return_office": office.code} if office is not None else {}
        tell(act, template, name, {to: json.dumps(params)})
