"""Looking for alarms, once each morning; a morning that was missed is made up for once, when the system is there again.

All of a morning is one transaction: its row in `alarm_run`, what is new, what goes on, what is over, and the mail. So looking
twice is looking once, and a morning that is cut off half-way never was.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grm.alarms import counting, rules
from grm.alarms.counting import Days
from grm.alarms.events import AlarmsRaised
from grm.alarms.models import Alarm, AlarmRun
from grm.cases.models import Case
from grm.kernel import clock
from grm.kernel.clock import DHAKA, dhaka_date
from grm.kernel.db import db
from grm.kernel.transaction import Act, transaction
from grm.offices.queries import directory
from grm.tallies import rebuilding
from grm.tallies.figures import Line, View, total
from grm.tallies.periods import period
from grm.tallies.reading import series

NOT_BEFORE = time(6)
"""By the wall clock in Dhaka: the day before is over, and who is told begins to work."""
MOST_MISSED = 14
EXPLAINED = 0.7
"""A programme's surge of which one place's surge of the same category is so great a part is that place's."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a look: alarms that are new, and those that are over."""

    raised: int = 0
    ended: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """Something worth an alarm: what kind, about whom, from when; `until_on` is the last day it counts."""

    kind: str
    subject: str
    starts_on: date
    until_on: date
    evidence: Mapping[str, Any]
    about: Mapping[str, int] = field(default_factory=dict)


def look(now: datetime | None = None) -> Looked:
    """Look for what is new today, if it is late enough in the morning and nobody has looked yet."""
    session = db.session()
    now = now or clock.now(session)
    today = dhaka_date(now)
    # From tallies that are to be made anew every office would seem to answer nothing, or to have caught up.
    is_done = session.get(AlarmRun, today) is not None or rebuilding.is_wanted(session)
    session.rollback()
    if is_done or now.astimezone(DHAKA).time() < NOT_BEFORE:
        return Looked()
    counting.count(today - timedelta(days=1), now)
    with transaction(now) as act:
        done = act.session.scalars(select(AlarmRun.day).order_by(AlarmRun.day.desc()).limit(MOST_MISSED)).all()
        begun = act.session.execute(
            insert(AlarmRun).values(day=today, ran_at=now).on_conflict_do_nothing().returning(AlarmRun.day)
        ).scalar_one_or_none()
        if begun is None:
            return Looked()
        looked = _look(act, rules.missed_mornings(done, today, MOST_MISSED), today)
        run = act.session.get_one(AlarmRun, today, populate_existing=True)
        run.raised, run.ended = looked.raised, looked.ended
        if looked.raised:
            act.record(AlarmsRaised(day=today, total=looked.raised))
        return looked


def _look(act: Act, mornings: Iterable[date], today: date) -> Looked:
    session, raised = act.session, 0
    places, programmes = counting.by_place(session), counting.by_programme(session)
    ended: set[int] = set()
    for morning in mornings:
        live = _live(session, "surge")
        found = list(_surges(session, places, programmes, live, morning - timedelta(days=1)))
        new, over = _keep(act, live, found, morning)
        raised, ended = raised + new, ended | over
    for kind, others in (
        ("silent", _silences(session, places, today)),
        ("unheard", _unheard(session, places, today)),
        ("behind", _behind(session, today)),
    ):
        new, over = _keep(act, _live(session, kind), list(others), today)
        raised, ended = raised + new, ended | over
    return Looked(raised, len(ended))


def _live(session: Session, kind: str) -> dict[str, Alarm]:
    """The alarms of a kind that are not over, by subject; locked."""
    rows = select(Alarm).where(Alarm.kind == kind, Alarm.state != "over").with_for_update()
    return {row.subject: row for row in session.scalars(rows)}


def _keep(act: Act, live: dict[str, Alarm], found: list[Found], morning: date) -> tuple[int, set[int]]:
    """Write down what was found: what is new, what goes on, what is over. Returns how many are new, and which are over."""
    new, still = 0, set()
    for each in found:
        still.add(each.subject)
        if (alarm := live.get(each.subject)) is not None:
            alarm.until_on, alarm.evidence, alarm.seen_on = each.until_on, dict(each.evidence), morning
            continue
        row = {
            "kind": each.kind,
            "subject": each.subject,
            "starts_on": each.starts_on,
            "until_on": each.until_on,
            "evidence": dict(each.evidence),
            "raised_at": act.now,
            "seen_on": morning,
            **each.about,
        }
        new += _raise(act, row) or (each.kind == "behind" and _raise(act, row | {"starts_on": morning}))
    over = [alarm for subject, alarm in live.items() if subject not in still]
    for alarm in over:
        alarm.state, alarm.over_at = "over", act.now
    act.session.flush()
    return new, {alarm.id for alarm in over}


def _raise(act: Act, row: Mapping[str, Any]) -> bool:
    """Write a new alarm; False where there is one with this beginning. An office that falls behind again in the month in which
    its alarm was over would begin with the same month: its new alarm begins on the morning that finds it."""
    inserted = insert(Alarm).values(row).on_conflict_do_nothing().returning(Alarm.id)
    return act.session.execute(inserted).scalar_one_or_none() is not None


# --- surges ---------------------------------------------------------------------------------------------------------------


def _surges(
    session: Session,
    places: Mapping[tuple[int, int], Days],
    programmes: Mapping[tuple[int, int], Days],
    live: Mapping[str, Alarm],
    last_day: date,
) -> Iterator[Found]:
    """What is more than a place, or a programme, explains by its own weeks; last year is asked only about these."""
    days_of: dict[str, Days] = {}
    about: dict[str, Mapping[str, int]] = {}
    for column, counted in (("district_id", places), ("programme_id", programmes)):
        for (value, category_id), days in counted.items():
            subject = f"{column.removesuffix('_id')}:{value}:{category_id}"
            if _surge(subject, {}, days, live, last_day) is not None:
                days_of[subject], about[subject] = days, {column: value, "category_id": category_id}
    before = counting.last_year(session, about, last_day)
    by_category: dict[int, list[int]] = defaultdict(list)
    for subject, days in days_of.items():  # districts first
        found = _surge(subject, about[subject], days, live, last_day, before.get(subject))
        if found is None:
            continue
        cases, of_category = found.evidence["cases"], by_category[found.about["category_id"]]
        if "district_id" in found.about:
            of_category.append(cases)
            yield found
        elif subject in live or all(count < EXPLAINED * cases for count in of_category):
            yield found


def _surge(
    subject: str,
    about: Mapping[str, int],
    days: Days,
    live: Mapping[str, Alarm],
    last_day: date,
    last_year: int | None = None,
) -> Found | None:
    known = live.get(subject)
    surge = (
        rules.lasting(days, last_day, known.starts_on, last_year) if known else rules.surge(days, last_day, last_year)
    )
    if surge is None:
        return None
    evidence = {"cases": surge.cases, "usual": surge.usual, "score": surge.score, "last_year": surge.last_year}
    return Found("surge", subject, surge.starts_on, surge.until_on, evidence, about)


# --- silences -------------------------------------------------------------------------------------------------------------


def _districts(places: Mapping[tuple[int, int], Days]) -> dict[int, dict[date, int]]:
    found: dict[int, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for (district_id, _), days in places.items():
        for day, cases in days.items():
            found[district_id][day] += cases
    return found


def _silences(session: Session, places: Mapping[tuple[int, int], Days], today: date) -> Iterator[Found]:
    """Districts that were heard and are no more. Known ones are silent until somebody is heard again."""
    last_day, heard, live = today - timedelta(days=1), _districts(places), _live(session, "silent")
    counted = counting.in_all(session)
    share = rules.unheard(sum(counted.values()), len(directory(session).districts), len(counted))
    for district in directory(session).districts:
        subject, days = f"district:{district.id}", heard.get(district.id, {})
        about = {"district_id": district.id}
        known = live.get(subject)
        if known is not None:
            if not any(cases and day >= known.starts_on for day, cases in days.items()):
                evidence = {**known.evidence, "days": (last_day - known.starts_on).days + 1}
                yield Found("silent", subject, known.starts_on, known.until_on, evidence, about)
        elif days:
            found = rules.silence(days, last_day, min(counted, default=last_day))
            if found is not None:
                evidence = {"days": found.days, "expected": found.expected, "usual": found.usual}
                starts_on = found.last_on + timedelta(days=1)
                yield Found("silent", subject, starts_on, found.last_on, evidence, about)
        elif share is not None and (last_on := _last_heard(session, district.id)) is not None:
            evidence = {"days": (last_day - last_on).days, "expected": share, "usual": None}
            yield Found("silent", subject, last_on + timedelta(days=1), last_on, evidence, about)


def _unheard(session: Session, places: Mapping[tuple[int, int], Days], today: date) -> Iterator[Found]:
    """Districts from which no case ever came."""
    counted, heard = counting.in_all(session), _districts(places)
    began = min((day for day, cases in counted.items() if cases), default=None)
    districts = directory(session).districts
    if began is None:
        return
    last_day = today - timedelta(days=1)
    days = (last_day - began).days + 1
    share = rules.unheard(sum(counted.values()), len(districts), days)
    for district in districts:
        if share is not None and district.id not in heard and _last_heard(session, district.id) is None:
            evidence = {"days": days, "expected": share}
            yield Found("unheard", f"district:{district.id}", began, last_day, evidence, {"district_id": district.id})


def _last_heard(session: Session, district_id: int) -> date | None:
    """When the last case of a district came: a look at the end of its index."""
    wanted = select(func.max(Case.received_on)).where(Case.district_id == district_id, Case.parent_id.is_(None))
    return session.execute(wanted).scalar_one()


# --- falling behind -------------------------------------------------------------------------------------------------------


def _behind(session: Session, today: date) -> Iterator[Found]:
    """Ministries that fall behind: the month before this one and this one as far as it has come, against six months before."""
    this = period("this_month", today)
    months = [this.starts_on]
    for _ in range(rules.BEHIND_MONTHS + 1):
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    lines = series(session, View(since=months[-1], until=this.ends_on, by="office"), exactly=True)
    for office in directory(session).offices:
        if office.kind != "ministry":
            continue
        of_office = lines.get(str(office.id), {})
        now, before = (_pace(of_office, some) for some in (months[:2], months[2:]))
        if reasons := rules.behind(now, before):
            evidence = {
                "reasons": [asdict(each) for each in reasons],
                "resolved": now.resolved,
                "received": now.received,
            }
            about = {"office_id": office.id}
            yield Found("behind", f"office:{office.id}", months[1], today, evidence, about)


def _pace(of_office: Mapping[date, Line], months: Iterable[date]) -> rules.Pace:
    line = total(of_office.get(month, Line()) for month in months)
    return rules.Pace(
        received=line.received,
        ended=line.resolved + line.declined + line.withdrawn,
        resolved=line.resolved,
        late=line.late,
        median_days=line.median_days,
    )
