"""How values are shown: digits of the script, dates in Dhaka, lakh grouping, masked numbers, names in the language."""

import hashlib
from collections.abc import Callable
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from babel.dates import format_date
from flask import Flask, url_for
from jinja2 import pass_context
from jinja2.runtime import Context

from grm.kernel import tracking_number
from grm.kernel.clock import DHAKA
from grm.kernel.contact import mask_email, mask_phone
from grm.kernel.text import bangla_digits, nfc
from grm.web import charts, tables, tile_names
from grm.web.labels import label
from grm.web.locale import gettext, language

# The Unicode locale data write জানুয়ারী and ফেব্রুয়ারী; Bangla Academy's spelling has the short vowel in foreign words.
_SHORT_I = str.maketrans("ী", "ি")
STATIC = Path(__file__).parent.parent / "static"


def digits(value: object) -> str:
    """Return a value with the digits of the page's script."""
    text = str(value)
    return bangla_digits(text) if language() == "bn" else text


def number(value: int | float | None, decimals: int = 0) -> str:
    """Return a number grouped in lakh and crore (12,34,567), in the page's digits; an en dash for None."""
    return "–" if value is None else _grouped(value, decimals, language())


@lru_cache(16384)  # a page of figures shows thousands, and mostly small ones
def _grouped(value: int | float, decimals: int, language: str) -> str:
    whole, _, fraction = f"{abs(value):.{decimals}f}".partition(".")
    head, tail = whole[:-3], whole[-3:]
    groups: list[str] = []
    while head:
        head, group = head[:-2], head[-2:]
        groups.insert(0, group)
    grouped = ",".join([*groups, tail]) + (f".{fraction}" if fraction else "")
    shown = ("-" if value < 0 else "") + grouped
    return bangla_digits(shown) if language == "bn" else shown


def show_date(value: date | datetime | None) -> str:
    """Return a date as people write it (২১ নভেম্বর ২০২৬); an instant is taken in Dhaka."""
    if value is None:
        return "–"
    day = value.astimezone(DHAKA).date() if isinstance(value, datetime) else value
    return _written(day, language())


@lru_cache(4096)  # a page shows the same few hundred dates over and over; to write one takes babel a while
def _written(day: date, language: str) -> str:
    if language == "en":
        return format_date(day, "d MMMM y", locale="en_GB")
    return bangla_digits(nfc(format_date(day, "d MMMM y", locale="bn")).translate(_SHORT_I))


def show_weekday(value: date) -> str:
    """Return the name of a date's day of the week (রবিবার)."""
    return format_date(value, "EEEE", locale="bn" if language() == "bn" else "en_GB")


def show_month(value: date) -> str:
    """Return the month of a date and its year (নভেম্বর ২০২৬)."""
    return _month(value.replace(day=1), language())


@lru_cache(1024)
def _month(first: date, language: str) -> str:
    if language == "en":
        return format_date(first, "MMMM y", locale="en_GB")
    return bangla_digits(nfc(format_date(first, "MMMM y", locale="bn")).translate(_SHORT_I))


def show_short_month(value: date) -> str:
    """Return the short name of a date's month, without its year (নভে)."""
    return _short_month(value.month, language())


@lru_cache(24)
def _short_month(month: int, language: str) -> str:
    return nfc(format_date(date(2000, month, 1), "MMM", locale="bn" if language == "bn" else "en_GB"))


def district_name(code: str, whole: str, is_tiny: bool = False) -> str:
    """Return a district's name for a tile of the map."""
    return tile_names.tiny_name(code, language()) if is_tiny else tile_names.long_name(code, language(), whole)


def show_datetime(value: datetime | None) -> str:
    """Return an instant in Dhaka time, on the 24-hour clock."""
    if value is None:
        return "–"
    return f"{show_date(value)}, {digits(value.astimezone(DHAKA).strftime('%H:%M'))}"


def name(thing: Any) -> str:
    """Return the name of a directory entry in the page's language."""
    if thing is None:
        return "–"
    return str(thing.name_bn if language() == "bn" else thing.name_en)


def static_url(file: str) -> str:
    """Return the address of a static file with a mark of its content, so that it can be cached for ever."""
    return url_for("static", filename=file, v=_content_mark(file))


@cache
def _content_mark(file: str) -> str:
    return hashlib.sha256((STATIC / file).read_bytes()).hexdigest()[:10]


def _at_each_visit(show: Callable[..., str]) -> Callable[..., str]:
    """Make a filter depend on the page: Jinja would filter a constant once, in the first visitor's language, for all."""

    @pass_context
    def filtered(_page: Context, *values: Any) -> str:
        return show(*values)

    return filtered


def init_app(app: Flask) -> None:
    """Install the filters and globals that all templates may use."""
    in_the_readers_language: dict[str, Callable[..., str]] = {
        "digits": digits,
        "number": number,
        "date": show_date,
        "datetime": show_datetime,
        "weekday": show_weekday,
        "month": show_month,
        "short_month": show_short_month,
        "name": name,
        # For texts that lie in tables in English, where the catalogue has them.
        "translated": gettext,
    }
    app.jinja_env.filters.update({key: _at_each_visit(show) for key, show in in_the_readers_language.items()})
    app.jinja_env.filters.update(phone_masked=mask_phone, email_masked=mask_email, tracking=tracking_number.display)
    app.jinja_env.globals.update(static_url=static_url, label=label, chart=charts, district_name=district_name)
    app.jinja_env.globals["table_rows"] = tables.table_rows
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
