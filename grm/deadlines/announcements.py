"""Changing the calendar: each change is a new edition, and what was in force before stays readable."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from grm.deadlines import queries
from grm.deadlines.calendar import Day
from grm.deadlines.models import CalendarDay, CalendarEdition
from grm.kernel import audit
from grm.kernel.actor import Actor
from grm.kernel.chain import plain
from grm.kernel.errors import InvalidInput
from grm.offices import edition as reference

FEW_HOLIDAYS = 6
"""Of fewer holidays in a year than this, a list may take away any number."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a new edition changed; `version` is None where nothing did, and then there is no new edition."""

    version: int | None
    added: tuple[date, ...] = ()
    changed: tuple[date, ...] = ()
    removed: tuple[date, ...] = ()
    covered_until: date | None = None


def announce(
    session: Session,
    days: Mapping[date, Day | None],
    source: str,
    actor: Actor,
    now: datetime,
    covers_until: date | None = None,
    allow_fewer: bool = False,
) -> Change:
    """Put announced days in force and take back those that are None, as one new edition; the caller commits.

    `covers_until` says that the list is complete up to this date: estimates up to there that the list does not name are
    dropped, and the calendar counts as known. Repeating an announcement changes nothing. Raises `InvalidInput`
    `coverage-shrinks` for a date before the present one, and `most-holidays-gone` (with the years) where most holidays of a
    year would go: that is a broken list rather than a change of the law, unless `allow_fewer` says otherwise.
    """
    session.execute(text("LOCK TABLE calendar_edition IN SHARE ROW EXCLUSIVE MODE"))
    latest = session.scalars(select(CalendarEdition).order_by(CalendarEdition.id.desc()).limit(1)).first()
    known_until = latest.covered_until if latest else date.min
    if covers_until is not None and covers_until < known_until:
        raise InvalidInput("coverage-shrinks", covered_until=known_until)
    in_force = queries.days_in_force(session)
    wanted = dict(days)
    if covers_until is not None:
        estimates = (on for on, row in in_force.items() if row.is_estimated and known_until < on <= covers_until)
        wanted |= {on: None for on in estimates if on not in days}
    change = Change(
        None,
        tuple(sorted(on for on, day in wanted.items() if day is not None and on not in in_force)),
        tuple(sorted(on for on, day in wanted.items() if day and on in in_force and _of(in_force[on]) != day)),
        tuple(sorted(on for on, day in wanted.items() if day is None and on in in_force)),
        covers_until or known_until,
    )
    if not (change.added or change.changed or change.removed or change.covered_until != known_until):
        return change
    years = years_emptied({on: _of(row) for on, row in in_force.items()}, wanted)
    if years and not allow_fewer:
        raise InvalidInput("most-holidays-gone", years=years)
    version = _write(session, wanted, change, source, now)
    reference.bump(session)
    audit.record(
        session,
        "calendar",
        "calendar-changed",
        actor,
        now,
        version=version,
        source=source,
        covered_until=plain(change.covered_until),
        added=plain(change.added),
        changed=plain(change.changed),
        removed=plain(change.removed),
    )
    return Change(version, change.added, change.changed, change.removed, change.covered_until)


def years_emptied(in_force: Mapping[date, Day], wanted: Mapping[date, Day | None]) -> dict[int, tuple[int, int]]:
    """The years that would lose more than half of their holidays: how many there are, and how many would be left. Pure."""
    after = {on: day for on, day in {**in_force, **wanted}.items() if day is not None}
    found = {}
    for year in sorted({on.year for on in wanted}):
        before, left = (
            sum(on.year == year and day.kind == "holiday" for on, day in days.items()) for days in (in_force, after)
        )
        if before >= FEW_HOLIDAYS and left * 2 < before:
            found[year] = (before, left)
    return found


def _of(row: CalendarDay) -> Day:
    return Day(
        "holiday" if row.kind == "holiday" else "working", row.name_bn, row.name_en, row.source, row.is_estimated
    )


def _write(session: Session, wanted: Mapping[date, Day | None], change: Change, source: str, now: datetime) -> int:
    note = f"{len(change.added)} added, {len(change.changed)} changed, {len(change.removed)} removed"
    new = CalendarEdition(created_at=now, source=source, note=note, covered_until=change.covered_until)
    session.add(new)
    session.flush()
    gone = (*change.changed, *change.removed)
    if gone:
        session.execute(
            update(CalendarDay)
            .where(CalendarDay.day.in_(gone), CalendarDay.removed_in.is_(None))
            .values(removed_in=new.id)
            .execution_options(synchronize_session=False)
        )
    rows = [
        {
            "day": on,
            "kind": day.kind,
            "name_bn": day.name_bn,
            "name_en": day.name_en,
            "source": day.source,
            "is_estimated": day.is_estimated,
            "added_in": new.id,
        }
        for on in (*change.added, *change.changed)
        if (day := wanted[on]) is not None
    ]
    if rows:
        session.execute(insert(CalendarDay), rows)
    session.expire_all()
    return new.id
