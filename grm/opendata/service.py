"""Publishing: each month once it is over, and again where the figures of an earlier month have changed enough since."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grm.kernel.clock import dhaka_date
from grm.kernel.db import db
from grm.kernel.errors import IllegalAction
from grm.kernel.transaction import transaction
from grm.opendata.counting import figures, whole_country
from grm.opendata.edition import COUNTS, OPEN, Figures, publish, withheld
from grm.opendata.models import OpenDataEdition
from grm.opendata.suppression import Row
from grm.tallies import rebuilding

DAY = 5
"""The day of the month from which the month before is published: paper of its last days has been entered by then."""
CORRECTED_MONTHS = 12
"""How many months back an earlier month is looked at again."""
LOCK = 0x6F64
"""One publisher at a time: two would number their editions alike."""


def publish_due(now: datetime | None = None) -> list[OpenDataEdition]:
    """Publish what is due: from the 5th on the month before, if nobody has, and with it new editions of the twelve months before
    that where their figures have changed. Any number of runs, also at the same time, publish each once.

    The corrections come first, so that a run that is killed between is made up for by the next.
    """
    with transaction(now) as act:
        at, today = act.now, dhaka_date(act.now)
        month = months_before(today, 1)
        if today.day < DAY or _editions(act.session, month):
            return []
        first = months_before(month, CORRECTED_MONTHS)
        past = act.session.scalars(
            select(OpenDataEdition.month)
            .where(OpenDataEdition.month >= first, OpenDataEdition.month < month)
            .distinct()
            .order_by(OpenDataEdition.month)
        ).all()
    made = [publish_month(each, at) for each in (*past, month)]
    return [edition for edition in made if edition is not None]


def publish_month(month: date, now: datetime | None = None) -> OpenDataEdition | None:
    """Publish the next edition of a month (its first day), or nothing: where nothing has changed since the last one, where a
    total has changed by too little to be told apart from somebody (`edition.publish`), where there never was a complaint, or as
    long as the tallies are to be made anew: what is published of half of them could never be taken back.

    `IllegalAction` `month-not-over` for a month that is not over yet.
    """
    with transaction(now) as act:
        today = dhaka_date(act.now)
        if month > months_before(today, 1):
            raise IllegalAction("month-not-over")
        session = act.session
        session.execute(select(func.pg_advisory_xact_lock(LOCK)))
        earlier = [edition.content for edition in _editions(session, month)]
        with _snapshot() as reader:
            if rebuilding.is_wanted(reader):
                return None
            counted = figures(reader, month, today)
            untold = _untold(session, reader, month)
            late = _late(session, reader, counted)
        if not any(counted.total) and not counted.open_at_month_end:
            return None
        content = publish(counted, today, earlier, untold, late)
        if content is None:
            return None
        edition = OpenDataEdition(month=month, number=len(earlier) + 1, made_at=act.now, content=content)
        session.add(edition)
        session.flush()
        session.expunge(edition)
        return edition


def editions(session: Session) -> Sequence[tuple[date, int, datetime]]:
    """All editions there are: (month, number, made at), the latest month and its latest edition first."""
    rows = session.execute(
        select(OpenDataEdition.month, OpenDataEdition.number, OpenDataEdition.made_at).order_by(
            OpenDataEdition.month.desc(), OpenDataEdition.number.desc()
        )
    )
    return [(month, number, made_at) for month, number, made_at in rows]


def edition(session: Session, month: date, number: int | None = None) -> OpenDataEdition | None:
    """An edition of a month: the latest one without a number."""
    found = _editions(session, month)
    if number is None:
        return found[-1] if found else None
    return next((each for each in found if each.number == number), None)


def months_before(day: date, count: int) -> date:
    """The first day of the month that many months before a day's."""
    month = day.replace(day=1)
    for _ in range(count):
        month = (month - timedelta(days=1)).replace(day=1)
    return month


@contextmanager
def _snapshot() -> Iterator[Session]:
    """A session that sees the database as of one instant: an act between two readings would leave tables that do not add up to
    the total, and a wrong number of open cases that can never be changed. Begun after the lock, which it could not wait for."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with db.engine.connect().execution_options(**options) as connection, Session(bind=connection) as session:
        yield session


def _untold(session: Session, reader: Session, month: date) -> list[Row]:
    """The country's counts that earlier months withhold, back to the last one of which any edition told what was open."""
    found: list[Row] = []
    before = select(OpenDataEdition.month).where(OpenDataEdition.month < month).distinct()
    for each in session.scalars(before.order_by(OpenDataEdition.month.desc())).all():
        published = [edition.content["total"] for edition in _editions(session, each)]
        if any(total[OPEN] is not None for total in published):
            break
        found += withheld(whole_country(reader, each), published[-1])
    return found


def _late(session: Session, reader: Session, counted: Figures) -> list[int]:
    """For each edition that told what was open: how many more are open at the end of this month than that number, with all that
    the files say was received and ended since, lets a reader expect. They came late, and no file tells of them yet.

    A count that is withheld is taken as it is: who might reckon it out of this is not helped (`untold`).
    """
    true: dict[date, Row] = {counted.month: counted.total}
    open_since: dict[date, int] = {}
    told: list[int] = []

    def expected(until: date) -> int:
        return sum(count for month, count in open_since.items() if month <= until)

    columns = (OpenDataEdition.month, OpenDataEdition.content["total"])
    published = select(*columns).order_by(OpenDataEdition.made_at, OpenDataEdition.month, OpenDataEdition.number)
    for month, total in session.execute(published).all():
        if month not in true and any(total[name] is None for name in COUNTS):
            true[month] = whole_country(reader, month)
        known = zip(COUNTS, true.get(month, ()) or (0,) * len(COUNTS), strict=True)
        received, *ended = (count if total[name] is None else total[name] for name, count in known)
        open_since[month] = received - sum(ended)
        if total[OPEN] is not None:
            told.append(total[OPEN] - expected(month))
    received, *ended = counted.total
    open_since[counted.month] = received - sum(ended)
    return [counted.open_at_month_end - expected(counted.month) - each for each in told]


def _editions(session: Session, month: date) -> Sequence[OpenDataEdition]:
    return session.scalars(
        select(OpenDataEdition).where(OpenDataEdition.month == month).order_by(OpenDataEdition.number)
    ).all()
