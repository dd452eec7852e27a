"""The plan that the form of a register asks for, and what is wrong with the form."""

import hashlib
from collections.abc import Mapping
from datetime import date

from sqlalchemy.orm import Session

from grm.intake import batch_wording as wording
from grm.intake import choices
from grm.intake.batch_columns import REPEATABLE
from grm.intake.batch_names import Names
from grm.intake.batch_rows import DEFAULTS, NAMED, Plan
from grm.intake.batch_store import Opened
from grm.intake.screening import LONGEST_BACKDATING, MEDIA, UNKNOWN
from grm.kernel.text import parse_date, search_key
from grm.offices.queries import directory
from grm.web.locale import gettext
from grm.web.presentation import show_date


def meaning_name(field: str, typed: str) -> str:
    """The name of the form's field for a name that is in no list: the same in every rendering, whatever order they come in."""
    return f"meaning-{field}-{hashlib.sha256(search_key(typed).encode()).hexdigest()[:12]}"


class Reading:
    """The plan that a form asks for. `faults`: name of a field → what is wrong; then `plan` must not be used."""

    def __init__(self, session: Session, opened: Opened, form: Mapping[str, str], today: date) -> None:
        self.faults: dict[str, str] = {}
        self._form = form
        book = directory(session)
        self._offer = choices.offer(session, today)
        self._names = Names(book, self._offer.choices)
        self._opened = opened
        self._today = today
        self.plan = Plan(
            opened.plan.headings,
            self._columns(),
            self._defaults(),
            self._meanings(),
            tells=form.get("tells") == "1",
            starts_1904=opened.plan.starts_1904,
        )

    def _columns(self) -> tuple[str, ...]:
        found: list[str] = []
        for place, kept in enumerate(self._opened.plan.columns):
            chosen = self._form.get(f"column-{place}", kept)
            if chosen not in wording.COLUMNS:
                chosen = kept
            if chosen and chosen in found and chosen not in REPEATABLE:
                self.faults[f"column-{place}"] = gettext("Another column is taken for this already")
            found.append(chosen)
        return tuple(found)

    def _defaults(self) -> dict[str, str]:
        allowed = {
            "medium": frozenset(MEDIA),
            "district": self._offer.choices.districts | {UNKNOWN},
            "programme": self._offer.choices.programmes | {UNKNOWN},
            "category": frozenset(self._offer.choices.categories),
        }
        found = {}
        for name in DEFAULTS:
            value = self._form.get(name, "").strip()
            if name == "received_on" and value:
                value = self._day(value)
            elif name != "received_on" and value not in allowed[name]:
                value = ""
            if value:
                found[name] = value
        found.setdefault("medium", "paper")
        return found

    def _day(self, typed: str) -> str:
        day = parse_date(typed)
        if day is None:
            self.faults["received_on"] = gettext(
                "Write the day, month and year, for example 25/03/2026, or leave it empty"
            )
        elif day > self._today:
            self.faults["received_on"] = gettext("This day has not come yet: check the date")
        elif day < self._today - LONGEST_BACKDATING:
            earliest = show_date(self._today - LONGEST_BACKDATING)
            self.faults["received_on"] = gettext("Check the year: the date must not be before %(day)s", day=earliest)
        return day.isoformat() if day else ""

    def _meanings(self) -> dict[str, dict[str, str]]:
        asked = [(each.field, each.typed) for each in self._opened.checked.unknown]
        asked += [(field, typed) for field, given in self._opened.plan.meanings.items() for typed in given]
        found: dict[str, dict[str, str]] = {}
        for field, typed in asked:
            name = meaning_name(field, typed)
            words, code = self._form.get(f"{name}-words", "").strip(), self._form.get(name, "")
            if words:
                code = self._names.find(field, words, self._form.get("district", "")).code or ""
                if not code:
                    self.faults[name] = gettext("This name is in no list")
            if code and self._is_code(field, code):
                found.setdefault(field, {})[search_key(typed)] = code
        return found

    def _is_code(self, field: str, code: str) -> bool:
        offered = self._offer.choices
        codes = {
            "programme": offered.programmes | {UNKNOWN},
            "category": frozenset(offered.categories),
            "district": offered.districts | {UNKNOWN},
            "upazila": offered.upazilas.keys() | {UNKNOWN},
        }
        return field in NAMED and code in codes[field]
