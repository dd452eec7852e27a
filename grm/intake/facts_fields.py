"""What the fields of a payment or a correction offer, and how their answers read on the check page."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from itertools import groupby

from markupsafe import Markup

from grm.intake.facts import parse_taka
from grm.intake.periods import month_code, parse_month, recent_months
from grm.kernel.errors import InvalidInput, NotFound
from grm.offices.directory import Directory, Office
from grm.offices.models import PROVIDER_KINDS
from grm.web import labels
from grm.web.locale import gettext, language
from grm.web.presentation import name as name_of
from grm.web.presentation import number, show_month

SELECTS = frozenset({"period_from", "period_to", "provider"})
RADIOS = frozenset({"provider_kind", "correct_what"})


def options(book: Directory, today: date, name: str, selected: str) -> Markup:
    """The `<option>` elements of one of the selects. What was typed by another client and is no month of the list is put
    into it, so that it is not lost where the page is shown again."""
    if name == "provider":
        return _choose() + _providers(book, today, selected)
    months = recent_months(today)
    listed = _choose() + _options(
        [(code, _month_in_words(code)) for code in map(month_code, months)], _as_code(selected)
    )
    if selected.strip() and _as_code(selected) not in map(month_code, months):
        listed += _options([(selected, _month_in_words(selected))], selected)
    return listed


def in_words(book: Directory, name: str, value: str) -> str:
    """An answer as the check page shows it; what cannot be read is shown as typed."""
    if name in ("period_from", "period_to"):
        return _month_in_words(value)
    if name in ("taka_expected", "taka_received"):
        taka = parse_taka(value)
        return value if taka is None else gettext("%(amount)s taka", amount=number(taka))
    if name == "provider":
        try:
            return name_of(book.office(value))
        except NotFound:
            return value
    return labels.label(name, value) if name in RADIOS else value


def _providers(book: Directory, today: date, selected: str) -> Markup:
    def kind(office: Office) -> int:
        return PROVIDER_KINDS.index(str(office.provider_kind))

    groups = groupby(sorted(book.providers_on(today), key=kind), key=kind)
    return Markup("").join(
        Markup('<optgroup label="{}">{}</optgroup>').format(
            labels.label("provider_kind", PROVIDER_KINDS[number_]),
            _options([(each.code, name_of(each)) for each in offices], selected),
        )
        for number_, offices in groups
    )


def _options(listed: Iterable[tuple[str, str]], selected: str) -> Markup:
    return Markup("").join(
        Markup('<option value="{}"{}>{}</option>').format(code, Markup(" selected") if code == selected else "", words)
        for code, words in listed
    )


def _choose() -> Markup:
    return _options([("", gettext("Choose"))], " ")


def _as_code(typed: str) -> str:
    try:
        return month_code(parse_month(typed))
    except InvalidInput:
        return ""


def _month_in_words(typed: str) -> str:
    return _shown(typed, language()) or typed


@lru_cache(512)
def _shown(typed: str, _language: str) -> str:
    try:
        return show_month(parse_month(typed))
    except InvalidInput:
        return ""
