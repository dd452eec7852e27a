"""Which cases a link of a report asks for, said a second time: the address is read here and the cases are found among the
recounted ones, without a line of `grm.reports`."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from grm.kernel.actor import Actor
from tests.support.recount import AGES, UNKNOWN, Life, figures

FIGURE_OF = {"upheld": "appeals_upheld", "rejected": "appeals_rejected"}
DUE = {"due_7": 7, "due_14": 14}
GROUPS = {"providers": "provider", "district-offices": "district"}


@dataclass(frozen=True)
class Sight:
    """Whose cases somebody's figures are about: at these offices (None: all), of these shades, and not about the reader."""

    office_ids: frozenset[int] | None
    shades: frozenset[int]
    reader: Actor

    def of(self, found: Iterable[Life]) -> list[Life]:
        """The cases that count for the reader."""
        posts = {seat.post_id for seat in self.reader.seats}
        offices = {seat.office_id for seat in self.reader.seats}
        return [
            life
            for life in found
            if (self.office_ids is None or life.office_id in self.office_ids)
            and life.shade in self.shades
            and not life.accuses(self.reader.officer_id, posts, offices)
        ]


def span(code: str, today: date) -> tuple[date, date]:
    """The first day of a period, and the first after it."""
    this, following = _month(today, 0), _month(today, 1)
    july = date(today.year if today.month >= 7 else today.year - 1, 7, 1)
    named = {
        "this_month": (this, following),
        "last_month": (_month(today, -1), this),
        "last_3_months": (_month(today, -2), following),
        "this_fiscal_year": (july, following),
        "last_fiscal_year": (july.replace(year=july.year - 1), july),
        "last_12_months": (_month(today, -11), following),
    }
    if code in named:
        return named[code]
    first = date.fromisoformat(f"{code}-01")
    return first, _month(first, 1)


def _month(day: date, by: int) -> date:
    number = day.year * 12 + day.month - 1 + by
    return date(number // 12, number % 12 + 1, 1)


def behind(found: Iterable[Life], sight: Sight, asked: Mapping[str, str], book: Any, today: date) -> set[str]:
    """The tracking numbers of the cases that an address of a list asks for."""
    rest = {
        name: value for name, value in asked.items() if name not in ("scope", "sort", "lang", "back", "by", "order")
    }
    measure = rest.pop("measure", "escalated")
    since, until = span(rest.pop("period", "last_12_months"), today)
    if "since" in rest:
        since, until = date.fromisoformat(rest.pop("since")), date.fromisoformat(rest.pop("until"))
    cases = sight.of(found)
    for name in list(rest):
        if name in FITS:
            fits, value = FITS[name](book), rest.pop(name)
            cases = [life for life in cases if fits(life, value)]
    if level := rest.pop("level", None):
        cases = [life for life in cases if life.level == int(level)]
    if age := rest.pop("age", None):
        low, high = next((low, high) for low, high, code in AGES if code == age)
        cases = [life for life in cases if low <= (today - life.due_on).days <= high]
    stars = rest.pop("stars", None)
    holder = rest.pop("holder", None)
    assert not rest, f"the recount does not know what {rest} means"
    assert holder is None, "who has a case is not recounted"
    line = figures(cases, since, until, today)
    ids = line.ids(FIGURE_OF.get(measure, measure))
    if measure in DUE:
        last = today + timedelta(days=DUE[measure])
        ids = {life.case_id for life in cases if line_open(life) and today <= life.due_on <= last}
    if measure == "satisfied":
        ids = {life.case_id for life in cases if life.case_id in line.ids("rated") and (life.stars or 0) >= 4}
    if stars:
        ids = {life.case_id for life in cases if life.case_id in ids and life.stars == int(stars)}
    return {life.number for life in cases if life.case_id in ids}


def line_open(life: Life) -> bool:
    """Whether the clock of a complaint runs."""
    return life.is_open and not life.is_paused and not life.is_part


Fits = Callable[[Life, str], bool]


def _ministry(book: Any) -> Fits:
    office_of = {each.slug: {book.ministry(each.id).office_id} for each in book.ministries}
    for office in book.offices:
        office_of.setdefault(office.code, {office.id})
    for group, kind in GROUPS.items():
        office_of[group] = {each.id for each in book.offices if each.kind == kind}
    return lambda life, value: life.office_id in office_of[value]


def _cluster(book: Any) -> Fits:
    offices = {each.slug: {book.ministry(one).office_id for one in each.ministry_ids} for each in book.clusters}
    everywhere: Collection[int] = set().union(*offices.values())
    return lambda life, value: life.office_id not in everywhere if value == "none" else life.office_id in offices[value]


def _programme(book: Any) -> Fits:
    ids = {each.slug: each.id for each in book.programmes} | {"none": None}
    return lambda life, value: life.programme_id == ids[value]


def _stage(book: Any) -> Fits:
    stages = {each.id: each.lifecycle_stage for each in book.programmes}
    return lambda life, value: stages.get(life.programme_id, "none") == value


def _category(book: Any) -> Fits:
    ids = {each.slug: each.id for each in book.categories}
    return lambda life, value: life.category_id == ids[value]


def _district(book: Any) -> Fits:
    ids = {each.code: each.id for each in book.districts} | {"none": None}
    return lambda life, value: life.district_id == ids[value]


def _division(book: Any) -> Fits:
    codes = {each.id: each.code for each in book.divisions}
    divisions = {each.id: codes[each.parent_id] for each in book.districts}
    return lambda life, value: (divisions[life.district_id] if life.district_id else "none") == value


FITS: dict[str, Callable[[Any], Fits]] = {
    "ministry": _ministry,
    "cluster": _cluster,
    "programme": _programme,
    "stage": _stage,
    "category": _category,
    "district": _district,
    "division": _division,
    "channel": lambda book: lambda life, value: life.channel == value,
    "sex": lambda book: lambda life, value: life.sex == value,
    "age_group": lambda book: lambda life, value: life.age_group == value,
    "disability": lambda book: lambda life, value: life.disability == value,
    "area": lambda book: lambda life, value: life.area == value,
}

__all__ = ["UNKNOWN", "Sight", "behind", "span"]
