"""The first calendar, policies and ladder of a new system. Idempotent, and it never undoes what an administrator did.

The `holidays` package knows about half of the days off: it lacks what the government adds by executive order, some
religious holidays and the Saturdays ordered to be worked. `grm/data/calendar_days.csv` adds what is known of those for
2025 and 2026, each line with its source. From the first year on in which the package only estimates the moon, the
calendar does not count as known: deadlines reaching into it are provisional until the government's list is imported.
"""

import re
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import holidays
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grm.deadlines import calendar_csv
from grm.deadlines.announcements import announce
from grm.deadlines.calendar import Day
from grm.deadlines.models import CalendarDay, CalendarEdition, DeadlinePolicy, LadderRung, WeekendRule
from grm.kernel.actor import SYSTEM
from grm.kernel.errors import Misconfigured
from grm.offices.edition import bump

YEARS = range(2020, 2036)
OWN_DAYS = Path(__file__).parent.parent / "data" / "calendar_days.csv"


def _(text: str) -> str:
    """Mark a source that people read; the table holds the English, the page shows it in the reader's language."""
    return text


GUIDELINES = _("Grievance Redress System Guidelines 2015 (revised 2018), Cabinet Division")
PROPOSAL = _("Proposal of this project; the guidelines name no such limit")
_CORRECTION = _("Proposal of this project: a wrong name, number or date needs no investigation")
_SINCE = date(2015, 1, 1)

WEEKENDS: tuple[dict[str, Any], ...] = (
    {
        "valid_from": date(2005, 1, 1),
        "weekdays": [4, 5],
        "source": _("Friday and Saturday since 2005 (Python package holidays, Bangladesh)"),
    },
)
POLICIES: tuple[dict[str, Any], ...] = (
    {"code": "acknowledge", "kind": "acknowledge", "limit": 3, "category": None, "source": PROPOSAL},
    {"code": "resolve", "kind": "resolve", "limit": 30, "category": None, "source": GUIDELINES},
    {
        "code": "resolve-data-correction",
        "kind": "resolve",
        "limit": 10,
        "category": "data-correction",
        "source": _CORRECTION,
    },
    {"code": "investigate", "kind": "investigate", "limit": 20, "category": None, "source": GUIDELINES},
    {"code": "inform", "kind": "inform", "limit": 7, "category": None, "source": GUIDELINES},
    {
        "code": "appeal-window",
        "kind": "appeal_window",
        "limit": 1,
        "unit": "calendar_months",
        "category": None,
        "source": GUIDELINES,
    },
    {"code": "appeal", "kind": "appeal", "limit": 20, "category": None, "source": GUIDELINES},
    {"code": "cell", "kind": "cell", "limit": 60, "category": None, "source": GUIDELINES},
    {"code": "comply", "kind": "comply", "limit": 20, "category": None, "source": GUIDELINES},
    {"code": "direct", "kind": "direct", "limit": 7, "category": None, "source": PROPOSAL},
    # No clocks of their own: by how much a clock is extended where the case is investigated, how long a question to the
    # complainant may stop the clock, and how long an answer may be objected to.
    {"code": "extension", "kind": "extension", "limit": 10, "category": None, "source": GUIDELINES},
    {"code": "answer", "kind": "answer", "limit": 10, "category": None, "source": PROPOSAL},
    {"code": "confirm", "kind": "confirm", "limit": 10, "category": None, "source": PROPOSAL},
)
RUNGS: tuple[dict[str, Any], ...] = (
    {"deadline_kind": "acknowledge", "level": 0, "offset_working_days": 0, "role": "holder"},
    {"deadline_kind": "resolve", "level": 0, "offset_working_days": -3, "role": "holder"},
    {"deadline_kind": "resolve", "level": 1, "offset_working_days": 0, "role": "gro"},
    {"deadline_kind": "resolve", "level": 2, "offset_working_days": 5, "role": "appeal_officer"},
    {"deadline_kind": "resolve", "level": 3, "offset_working_days": 10, "role": "cell_officer"},
    {"deadline_kind": "investigate", "level": 0, "offset_working_days": -3, "role": "holder"},
    {"deadline_kind": "investigate", "level": 1, "offset_working_days": 0, "role": "gro"},
    {"deadline_kind": "inform", "level": 0, "offset_working_days": 0, "role": "holder"},
    {"deadline_kind": "inform", "level": 1, "offset_working_days": 3, "role": "gro"},
    {"deadline_kind": "appeal", "level": 0, "offset_working_days": -3, "role": "holder"},
    {"deadline_kind": "appeal", "level": 1, "offset_working_days": 0, "role": "appeal_officer"},
    {"deadline_kind": "appeal", "level": 2, "offset_working_days": 5, "role": "cell_officer"},
    {"deadline_kind": "cell", "level": 0, "offset_working_days": -3, "role": "holder"},
    {"deadline_kind": "cell", "level": 1, "offset_working_days": 0, "role": "cell_officer"},
    {"deadline_kind": "comply", "level": 0, "offset_working_days": -3, "role": "holder"},
    {"deadline_kind": "comply", "level": 1, "offset_working_days": 0, "role": "appeal_officer"},
    {"deadline_kind": "comply", "level": 2, "offset_working_days": 5, "role": "cell_officer"},
    {"deadline_kind": "direct", "level": 0, "offset_working_days": -1, "role": "holder"},
    {"deadline_kind": "direct", "level": 1, "offset_working_days": 0, "role": "appeal_officer"},
    {"deadline_kind": "direct", "level": 2, "offset_working_days": 3, "role": "cell_officer"},
)
_ESTIMATED = re.compile(r" \((?:estimated|আনুমানিক)\)")


def seed(session: Session, now: datetime) -> None:
    """Write what is missing of weekends, policies, rungs and calendar; the caller commits.

    Days that were ever announced or taken back are left as they are.
    """
    policies = [{"unit": "working_days", "valid_from": _SINCE, **each} for each in POLICIES]
    rungs = [{"source": PROPOSAL, **each} for each in RUNGS]
    written = 0
    for model, rows, key in (
        (WeekendRule, list(WEEKENDS), ["valid_from"]),
        (DeadlinePolicy, policies, ["code", "valid_from"]),
        (LadderRung, rungs, ["deadline_kind", "level"]),
    ):
        statement = insert(model).values(rows).on_conflict_do_nothing(index_elements=key).returning(model.id)
        written += len(session.execute(statement).all())
    if written:
        bump(session)
    _seed_calendar(session, now)


def _seed_calendar(session: Session, now: datetime) -> None:
    announced = packaged_days() | own_days()
    ever_known = set(session.scalars(select(CalendarDay.day)))
    new: dict[date, Day | None] = {on: day for on, day in announced.items() if on not in ever_known}
    has_edition = session.scalars(select(CalendarEdition.id).limit(1)).first() is not None
    if new or not has_edition:
        covers = None if has_edition else last_announced()
        source = f"Python package holidays {version('holidays')}; grm/data/calendar_days.csv"
        announce(session, new, source, SYSTEM, now, covers_until=covers)


def packaged_days() -> dict[date, Day]:
    """The public holidays the `holidays` package knows, with names in both languages; estimates are marked."""
    bangla = holidays.country_holidays("BD", years=YEARS, language="bn")
    english = holidays.country_holidays("BD", years=YEARS, language="en_US")
    source = f"Python package holidays {version('holidays')}"
    return {
        on: Day(
            "holiday",
            _ESTIMATED.sub("", bangla[on]),
            _ESTIMATED.sub("", english[on]),
            source,
            _ESTIMATED.search(english[on]) is not None,
        )
        for on in sorted(english)
    }


def own_days() -> dict[date, Day]:
    """What the package misses, as far as we know it."""
    parsed = calendar_csv.parse(OWN_DAYS.read_bytes())
    if parsed.faults:
        raise Misconfigured("calendar-days", faults=[f"line {fault.line}: {fault.message}" for fault in parsed.faults])
    return {on: day for on, day in parsed.days.items() if day is not None}


def last_announced() -> date:
    """The end of the last year before which the package need not estimate: how far the seeded calendar is known."""
    estimated = {on.year for on, day in packaged_days().items() if day.is_estimated}
    known = [year for year in YEARS if year not in estimated]
    return date(max(known), 12, 31)
