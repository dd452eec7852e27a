"""Reading samples and reviews. Everything passes through `visible_to`; a figure and its list have the same condition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, and_, func, select, true
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases.closing_models import ClosureSample, SampleMonth
from grm.cases.models import Case
from grm.cases.tracking_models import Rating
from grm.kernel.actor import Actor
from grm.kernel.text import latin_digits
from grm.reviews.findings import FAULTS, FAULTY
from grm.reviews.models import ClosureReview
from grm.reviews.service import cell_id, seen_by

PAGE = 50
STATES = ("open", "mine", "nobody", "reviewed", "sound", "faulty", *FAULTS, "rated", "contradicted")
"""What a list of drawn closures may be narrowed to: to be reviewed, by me, by nobody, reviewed, without and with a finding, each
finding, rated by the complainant, and rated low though found sound."""
MONTHS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """Which drawn closures: of a month (None: of the months from `since` on), of an office, of a state."""

    month: date | None = None
    since: date | None = None
    office_id: int | None = None
    state: str | None = None
    office_ids: frozenset[int] | None = None
    """The offices that the reader is kept to; never part of an address."""
    is_given: bool = False
    """Only what was given to the reader for review; never part of an address."""

    def with_(self, **changes: Any) -> "Choice":
        """This choice narrowed or changed."""
        return replace(self, **changes)

    def address(self, after: int | None = None) -> str:
        """Where the list of it is."""
        values = {
            "month": f"{self.month:%Y-%m}" if self.month else None,
            "since": f"{self.since:%Y-%m}" if self.since and not self.month else None,
            "office": self.office_id,
            "state": self.state,
            "after": after,
        }
        given = {key: value for key, value in values.items() if value}
        return "/reports/samples" + ("?" + urlencode(given) if given else "")


def choice_from(values: Mapping[str, str]) -> Choice:
    """The choice of an address; what means nothing is left out, never an error page."""
    office = latin_digits(values.get("office", "")[:18])
    return Choice(
        month=month_from(values.get("month", "")),
        since=month_from(values.get("since", "")),
        office_id=int(office) if office.isascii() and office.isdigit() else None,
        state=values.get("state") if values.get("state") in STATES else None,
    )


def month_from(text: str) -> date | None:
    """The first day of a month written as 2026-06; None for anything else."""
    try:
        return date.fromisoformat(f"{latin_digits(text[:7])}-01")
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Findings:
    """What was drawn, reviewed and found, of an office, a month, or all (key None)."""

    key: Any
    drawn: int
    reviewed: int
    sound: int
    faults: dict[str, int]
    rated: int
    satisfied: int
    stars: float | None
    contradicted: int
    """How many closures reviewers found sound and their complainants rated with one or two stars."""


def months(session: Session) -> Sequence[SampleMonth]:
    """The months that were drawn, the latest first."""
    return session.scalars(select(SampleMonth).order_by(SampleMonth.month.desc())).all()


def first_shown(months: Sequence[SampleMonth]) -> date | None:
    """The first of the latest twelve months that were drawn."""
    shown = months[:MONTHS_SHOWN]
    return shown[-1].month if shown else None


_LAST = and_(ClosureReview.sample_id == ClosureSample.id, ClosureReview.replaced_at.is_(None))
_FOUND: dict[str, ColumnElement[bool]] = {
    question: getattr(ClosureReview, question) == answer for question, answer in FAULTY.items()
}


_STARS = (
    select(Rating.stars)
    .where(Rating.case_id == ClosureSample.case_id, Rating.stage == "complaint")
    .order_by(Rating.decision_seq.desc())
    .limit(1)
)
_RATED = _STARS.correlate(ClosureSample).scalar_subquery().is_not(None)
_RATED_LOW = _STARS.correlate(ClosureSample).scalar_subquery() <= 2


def conditions(actor: Actor, chosen: Choice) -> ColumnElement[bool]:
    """The condition of a choice, on samples joined with their cases and the reviews that stand."""
    parts: list[ColumnElement[bool]] = [seen_by(actor)]
    if chosen.month:
        parts.append(ClosureSample.month == chosen.month)
    elif chosen.since:
        parts.append(ClosureSample.month >= chosen.since)
    if chosen.office_id:
        parts.append(ClosureSample.office_id == chosen.office_id)
    if chosen.office_ids is not None:
        parts.append(ClosureSample.office_id.in_(chosen.office_ids))
    if chosen.is_given:
        parts.append(ClosureSample.reviewer_id == actor.officer_id)
    if chosen.state:
        parts.append(_state(actor, chosen.state))
    return and_(*parts)


def _state(actor: Actor, state: str) -> ColumnElement[bool]:
    is_open = ClosureSample.state == "open"
    if state == "mine":
        return and_(is_open, ClosureSample.reviewer_id == actor.officer_id)
    if state in _FOUND:
        return _FOUND[state]
    known: dict[str, ColumnElement[bool]] = {
        "open": is_open,
        "nobody": and_(is_open, ClosureSample.reviewer_id.is_(None), ClosureSample.office_id == cell_id()),
        "rated": _RATED,
        "contradicted": and_(ClosureReview.is_sound.is_(True), _RATED_LOW),
        "reviewed": ClosureSample.state == "reviewed",
        "sound": ClosureReview.is_sound.is_(True),
        "faulty": ClosureReview.is_sound.is_(False),
    }
    return known[state]


def _joined(statement: Any) -> Any:
    return statement.join(Case, Case.id == ClosureSample.case_id).outerjoin(ClosureReview, _LAST)


def count(session: Session, actor: Actor, chosen: Choice) -> int:
    """How many drawn closures a choice holds."""
    statement = _joined(select(func.count()).select_from(ClosureSample))
    return int(session.execute(statement.where(conditions(actor, chosen))).scalar_one())


def page(session: Session, actor: Actor, chosen: Choice, after: int = 0) -> Sequence[Any]:
    """A page of a choice: sample, case, review and the reviewer's names; one more row than `PAGE` where there is more."""
    statement = select(ClosureSample, Case, ClosureReview, Officer.name_bn, Officer.name_en)
    return session.execute(
        _joined(statement.select_from(ClosureSample))
        .outerjoin(Officer, Officer.id == func.coalesce(ClosureReview.reviewer_id, ClosureSample.reviewer_id))
        .where(conditions(actor, chosen), ClosureSample.id > after)
        .order_by(ClosureSample.id)
        .limit(PAGE + 1)
    ).all()


def findings(session: Session, actor: Actor, chosen: Choice, by: str) -> list[Findings]:
    """What was found, by `office` or by `month`, and in all with key None; one statement. The ratings are those of the very
    closures that were drawn: the last that their complainants gave the complaint's answer."""
    column: Any = {"office": ClosureSample.office_id, "month": ClosureSample.month}[by]
    rated = _STARS.lateral()
    is_sound = ClosureReview.is_sound.is_(True)
    statement = (
        select(
            func.grouping(column),
            column,
            func.count(),
            func.count(ClosureReview.id),
            func.count().filter(is_sound),
            *(func.count().filter(_FOUND[fault]) for fault in FAULTS),
            func.count(rated.c.stars),
            func.count().filter(rated.c.stars >= 4),
            func.avg(rated.c.stars),
            func.count().filter(and_(is_sound, rated.c.stars <= 2)),
        )
        .select_from(ClosureSample)
        .join(Case, Case.id == ClosureSample.case_id)
        .outerjoin(ClosureReview, _LAST)
        .outerjoin(rated, true())
        .where(conditions(actor, chosen))
        .group_by(func.rollup(column))
    )
    lines: list[Findings] = []
    for is_total, key, drawn, reviewed, sound, *rest in session.execute(statement):
        faults = dict(zip(FAULTS, rest[: len(FAULTS)], strict=True))
        of_rated, satisfied, stars, contradicted = rest[len(FAULTS) :]
        mean = float(stars) if stars is not None else None
        lines.append(
            Findings(None if is_total else key, drawn, reviewed, sound, faults, of_rated, satisfied, mean, contradicted)
        )
    return lines


def reviews_of(session: Session, sample_id: int) -> Sequence[Any]:
    """Every writing of a review, the last first, with who wrote it."""
    return session.execute(
        select(ClosureReview, Officer.name_bn, Officer.name_en)
        .join(Officer, Officer.id == ClosureReview.reviewer_id)
        .where(ClosureReview.sample_id == sample_id)
        .order_by(ClosureReview.number.desc())
    ).all()
