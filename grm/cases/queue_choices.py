"""The filters of the queue: what may be chosen, and what an address means by it."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from grm.cases.queue import Filters
from grm.cases.states import Status
from grm.deadlines.calendar import end_of_day
from grm.kernel.errors import NotFound
from grm.kernel.text import latin_digits
from grm.offices.directory import Directory, in_force
from grm.web.labels import choices
from grm.web.locale import gettext
from grm.web.presentation import name


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


WORDS = {
    "programme": _("Programme"),
    "category": _("Category"),
    "district": _("District"),
    "upazila": _("Upazila or city corporation"),
    "level": _("Level"),
    "status": _("Status"),
    "age": _("How old"),
    "informed": _("Complainant"),
}
"""The filters by their names in an address, in the order of the page."""

AGES: dict[str, tuple[str, int | None, int | None]] = {
    "under-10": (_("Under 10 days"), None, 9),
    "10-30": (_("10 to 30 days"), 10, 30),
    "31-90": (_("31 to 90 days"), 31, 90),
    "over-90": (_("Over 90 days"), 91, None),
}
"""How long ago a case was filed: words, and the youngest and oldest age in days of the calendar, in Dhaka."""


def options(book: Directory, today: date, district: str | None) -> dict[str, list[tuple[str, str]]]:
    """What may be chosen, in the reader's language; the upazilas of the district that is chosen."""
    found = {
        "programme": [(each.slug, name(each)) for each in in_force(book.programmes, today)],
        "category": [(each.slug, name(each)) for each in in_force(book.categories, today)],
        "district": sorted(((each.code, name(each)) for each in book.districts), key=lambda each: each[1]),
        "level": choices("level"),
        "status": choices("status"),
        "age": [(code, gettext(words)) for code, (words, _, _) in AGES.items()],
        "informed": [("no", gettext("Not informed"))],
    }
    if district is not None:
        found["upazila"] = [(each.code, name(each)) for each in book.children(district)]
    return found


def read(book: Directory, today: date, args: Mapping[str, str]) -> tuple[Filters, dict[str, str]]:
    """The filters that an address asks for, and its part that keeps them. What it gets wrong is ignored."""
    chosen: dict[str, str] = {}
    ids: dict[str, int] = {}
    for key, find in (("programme", book.programme), ("category", book.category), ("district", book.place)):
        if typed := args.get(key, ""):
            try:
                ids[key] = find(typed).id
                chosen[key] = typed
            except NotFound:
                pass
    if (upazila := _upazila(book, args.get("upazila", ""), ids.get("district"))) is not None:
        ids["upazila"], chosen["upazila"] = upazila
    level = latin_digits(args.get("level", ""))
    if level in ("0", "1", "2", "3"):
        chosen["level"] = level
    if (status := args.get("status", "")) in set(Status):
        chosen["status"] = status
    if (age := args.get("age", "")) in AGES:
        chosen["age"] = age
    if args.get("informed") == "no":
        chosen["informed"] = "no"
    filed_from, filed_before = _filed(chosen.get("age"), today)
    filters = Filters(
        programme_id=ids.get("programme"),
        category_id=ids.get("category"),
        district_id=ids.get("district"),
        upazila_id=ids.get("upazila"),
        level=int(chosen["level"]) if "level" in chosen else None,
        status=chosen.get("status"),
        is_not_informed="informed" in chosen,
        filed_from=filed_from,
        filed_before=filed_before,
    )
    return filters, chosen


def _upazila(book: Directory, typed: str, district_id: int | None) -> tuple[int, str] | None:
    """An upazila of the district; one left over from another district, chosen before, narrows nothing."""
    if not typed or district_id is None:
        return None
    return next(((each.id, each.code) for each in book.children(district_id) if each.code == typed), None)


def _filed(age: str | None, today: date) -> tuple[datetime | None, datetime | None]:
    """The instants between which a case of an age was filed: from (inclusive) and before."""
    if age is None:
        return None, None
    _words, youngest, oldest = AGES[age]
    filed_from = end_of_day(today - timedelta(days=oldest + 1)) if oldest is not None else None
    filed_before = end_of_day(today - timedelta(days=youngest)) if youngest is not None else None
    return filed_from, filed_before
