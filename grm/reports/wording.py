"""The words of the reports: dimensions and their values, measures, periods and scopes, in the page's language."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from grm.intake.choices import stage_label
from grm.offices.directory import Directory
from grm.reports.dimensions import CELL, DISTRICT_OFFICES, PROVIDERS, values_of
from grm.reports.measures import AGE_BANDS, FILTERS, LEVELS, MEASURES, PERIODS, Selection
from grm.tallies.figures import NONE
from grm.tallies.periods import Period
from grm.tallies.scope import Scope
from grm.web.labels import label
from grm.web.locale import gettext, language
from grm.web.presentation import name, show_date, show_month


def dimension_title(dimension: str) -> str:
    """Return what a dimension is called."""
    return {
        "ministry": gettext("Ministry or division"),
        "cluster": gettext("Cluster"),
        "programme": gettext("Programme"),
        "category": gettext("Category"),
        "district": gettext("District"),
        "division": gettext("Division (area)"),
        "channel": gettext("How it came"),
        "stage": gettext("Stage of life"),
        "sex": gettext("Sex of the complainant"),
        "age_group": gettext("Age of the complainant"),
        "disability": gettext("Disability"),
        "area": gettext("Urban or rural"),
        "level": gettext("Level"),
        "age": gettext("Overdue for"),
    }[dimension]


def value_titles(book: Directory, dimension: str) -> Mapping[str, str]:
    """Return the words for each value of a dimension, in its order."""
    if dimension == "level":
        return {str(level): label("level", level) for level in LEVELS}
    if dimension == "age":
        return age_titles()
    return _titles(_Key(book), language(), dimension)


class _Key:
    """A directory as the key of a cache: the same snapshot in the same words."""

    def __init__(self, book: Directory) -> None:
        self.book = book

    def __hash__(self) -> int:
        return hash((id(self.book), self.book.edition))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.book is other.book


@lru_cache(maxsize=64)
def _titles(key: _Key, _language: str, dimension: str) -> Mapping[str, str]:
    """Made once: a page shows some three hundred names, most of them in a list to choose from."""
    return {code: _value(key.book, dimension, code) for code in values_of(key.book, dimension)}


def only_options(book: Directory, dimensions: tuple[str, ...], kept: str) -> Markup:
    """Return the options of the list to which values a page may be kept, the one it is kept to marked."""
    made = _only_options(_Key(book), language(), dimensions)
    chosen = Markup('value="{}"').format(kept)
    return Markup(made.replace(chosen, chosen + Markup(" selected"), 1)) if kept else made


@lru_cache(maxsize=64)
def _only_options(key: _Key, _language: str, dimensions: tuple[str, ...]) -> Markup:
    parts = []
    for dimension in dimensions:
        choices = options(key.book, dimension)[dimension]
        inside = Markup("").join(
            Markup('<option value="{}:{}">{}</option>').format(dimension, code, words) for code, words in choices
        )
        parts.append(Markup('<optgroup label="{}">{}</optgroup>').format(dimension_title(dimension), inside))
    return Markup("").join(parts)


def value_title(book: Directory, dimension: str, code: str) -> str:
    """Return the words for one value; a code that means nothing is shown as it is."""
    if dimension == "ministry" and code not in values_of(book, dimension):
        return next((name(office) for office in book.offices if office.code == code), code)
    return value_titles(book, dimension).get(code, code)


def _value(book: Directory, dimension: str, code: str) -> str:
    if dimension == "ministry":
        special = {
            CELL: gettext("Cabinet Division cell"),
            PROVIDERS: gettext("Payment providers"),
            DISTRICT_OFFICES: gettext("District offices"),
        }
        return special.get(code) or name(book.office(code))
    if code == NONE:
        return {
            "cluster": gettext("In no cluster"),
            "programme": gettext("No programme named"),
            "stage": gettext("No programme named"),
            "district": gettext("No district given"),
            "division": gettext("No district given"),
        }[dimension]
    entries: dict[str, Any] = {
        "cluster": book.cluster,
        "programme": book.programme,
        "category": book.category,
        "district": book.place,
        "division": book.place,
    }
    if dimension in entries:
        return name(entries[dimension](code))
    if dimension == "stage":
        return stage_label(code)
    if code == "unknown":
        return gettext("Not told")
    if dimension == "channel":
        return {
            "web": label("channel", "web"),
            "333": label("channel", "call_centre"),
            "conventional": gettext("On paper, by letter or e-mail, or at an office"),
            "suo_motu": label("channel", "suo_motu"),
        }[code]
    if dimension == "area":
        return gettext("City") if code == "urban" else gettext("Village and small town")
    return label(dimension, code)


def age_titles() -> dict[str, str]:
    """Return the words for how long something is overdue."""
    words = (
        gettext("1 to 7 days overdue"),
        gettext("8 to 14 days overdue"),
        gettext("15 to 30 days overdue"),
        gettext("31 to 90 days overdue"),
        gettext("More than 90 days overdue"),
    )
    return {band.code: text for band, text in zip(AGE_BANDS, words, strict=True)}


def measure_titles() -> dict[str, str]:
    """Return what each measure is called at the head of its list."""
    found = {
        "escalated": gettext("Open escalated cases"),
        "received": gettext("Received"),
        "resolved": gettext("Resolved"),
        "in_time": gettext("Resolved in time"),
        "extended": gettext("Resolved in extended time"),
        "late": gettext("Resolved late"),
        "declined": gettext("Declined"),
        "withdrawn": gettext("Withdrawn"),
        "open": gettext("Open"),
        "overdue": gettext("Overdue"),
        "paused": gettext("Open with a clock that stands still"),
        "not_informed": gettext("Complainant not informed"),
        "due_7": gettext("Due within 7 days"),
        "due_14": gettext("Due within 14 days"),
        "appealed": gettext("Appealed or objected to"),
        "upheld": gettext("Appeals and objections upheld"),
        "rejected": gettext("Appeals and objections rejected"),
        "rated": gettext("Rated by the complainant"),
        "satisfied": gettext("Rated with 4 or 5 stars"),
    }
    return {measure: found[measure] for measure in MEASURES}


def period_titles() -> dict[str, str]:
    """Return the words for the named periods."""
    found = {
        "this_month": gettext("This month"),
        "last_month": gettext("Last month"),
        "last_3_months": gettext("Last 3 months"),
        "this_fiscal_year": gettext("This fiscal year"),
        "last_fiscal_year": gettext("Last fiscal year"),
        "last_12_months": gettext("Last 12 months"),
    }
    return {period: found[period] for period in PERIODS}


def period_title(span: Period) -> str:
    """Return the words for any period: its name, its month, or its first and last day."""
    if span.code in PERIODS:
        return period_titles()[span.code]
    if span.starts_on.day == 1 and span.ends_on.day == 1 and span.month_count == 1:
        return show_month(span.starts_on)
    return f"{show_date(span.starts_on)} – {show_date(span.last_day)}"


def scope_title(scope: Scope) -> str:
    """Return what a scope is called."""
    names = ", ".join(name(each) for each in scope.about)
    if scope.spine == "all":
        return gettext("The whole country")
    if scope.code == "cluster":
        return gettext("Cluster: %(names)s", names=names)
    if scope.code == "district":
        return gettext("District %(names)s, all offices", names=names)
    if scope.code == "desk":
        return gettext("Own desk: %(names)s", names=names)
    return names


def selection_words(book: Directory, chosen: Selection) -> list[str]:
    """Return what a selection is narrowed to, in words."""
    words = [value_title(book, dimension, value) for dimension, value in chosen.filters.items()]
    if chosen.level:
        words.append(label("level", chosen.level))
    if chosen.age:
        words.append(age_titles()[chosen.age])
    if chosen.stars:
        words.append(gettext("Stars: %(stars)s", stars=chosen.stars))
    return words


def options(book: Directory, *dimensions: str) -> Mapping[str, list[tuple[str, str]]]:
    """Return (code, words) of each dimension, sorted by words where there are many."""
    return {
        each: sorted(value_titles(book, each).items(), key=lambda pair: pair[1])
        if each in FILTERS and each not in ("age_group", "stage", "channel", "division")
        else list(value_titles(book, each).items())
        for each in dimensions
    }
