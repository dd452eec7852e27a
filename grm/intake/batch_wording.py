"""The words of registers: what a column is called, why a file is not taken, and why a row was not filed."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from grm.intake import wording
from grm.intake.batch_columns import APPEND, FIELDS, NOTHING
from grm.intake.screening import Problem
from grm.kernel.errors import NotFound
from grm.offices.directory import Directory
from grm.web.locale import gettext
from grm.web.presentation import digits, name


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


COLUMNS: dict[str, str] = {
    NOTHING: _("Do not take this column"),
    APPEND: _("Add to the description"),
    "received_on": _("Date of receipt"),
    "medium": _("How it came in"),
    "programme": _("Programme"),
    "category": _("What it is about"),
    "district": _("District"),
    "upazila": _("Upazila or city"),
    "place": _("Village, union, ward"),
    "details": _("Description"),
    "incident_on": _("When it happened"),
    "name": _("Name of the complainant"),
    "phone": _("Mobile number"),
    "email": _("E-mail address"),
    "sex": _("Sex"),
    "age_group": _("Age"),
    "disability": _("Disability"),
    "representative_name": _("Name of the representative"),
    "relation": _("Relation to that person"),
    "anonymous": _("Name to be kept secret (yes or no)"),
}

REFUSALS: dict[str, str] = {
    "choose-file": _("Choose the file of the register"),
    "empty": _("The file is empty"),
    "no-rows": _("There is no row under the header"),
    "no-header": _(
        "No header was found. One row must say what stands in each column, for example: date, name, mobile, programme, "
        "description. Put such a row above the first complaint."
    ),
    "old-font": _(
        "The file was typed in an old font (Bijoy, SutonnyMJ). Convert the text to Unicode, for example with the Avro or Bijoy "
        "converter, and hand it in again."
    ),
    "not-a-sheet": _("This is not a spreadsheet. Only XLSX and CSV files can be taken."),
    "old-excel": _("This is a file of Excel 97–2003 (.xls). Open it in Excel and save it as “Excel Workbook (.xlsx)”."),
    "other-office": _("This kind of file cannot be read. Save it as “Excel Workbook (.xlsx)” or as CSV."),
    "web-page": _("This is a web page with another name. Open it in Excel and save it as “Excel Workbook (.xlsx)”."),
    "password": _("The file is protected by a password. Take the password off in Excel and save it again."),
    "macros": _(
        "The file holds macros (programs), which are not taken. Save it as “Excel Workbook (.xlsx)” without macros."
    ),
    "encoding": _(
        "The letters of this CSV file cannot be read. Save it as “CSV UTF-8” or, better, as “Excel Workbook (.xlsx)”."
    ),
    "quote-open": _(
        "In this CSV file a quotation mark is opened and never closed. Save it as “Excel Workbook (.xlsx)”."
    ),
    "damaged": _("The file is damaged and cannot be read. Open it in Excel, save it anew and try again."),
    "too-much": _("The file would take too much memory or time to read. Copy only the register into a new file."),
    "too-many-rows": _("A file may have at most 20,000 rows. Divide it into several files."),
    "too-big": _(
        "The file is too large: at most %(limit)s MB. Copy only the register, without pictures, into a new file."
    ),
    "too-many-open": _(
        "You have handed in %(limit)s registers without filing them. File or throw away one of them first."
    ),
}

_ROWS: dict[str, str] = {
    "cell-formula": _("there is a formula without a value: open the file in Excel, save it, or type the value"),
    "cell-value": _("there is an error of the spreadsheet (such as #REF!): type the value"),
    "number-shortened": _(
        "the spreadsheet has shortened the number (1.7E+09), and its last figures are lost: type it as text"
    ),
    "quote-open": _("a quotation mark is not closed, and following rows may be hidden in this one: check the CSV file"),
    "name-unknown": _("this name is in no list"),
    "could-not-be-filed": _("it could not be filed for a fault of the system: hand this row in again"),
    "category-missing": _("it does not say what the complaint is about"),
    "details-missing": _("the description is empty"),
    "date-unreadable": _("the date cannot be read: write day, month and year, for example 25/03/2026"),
    "date-in-future": _("this day has not come yet"),
    "channel-needs-phone": _("there is no mobile number"),
    "too-long": _("the text is too long: shorten it"),
    "date-too-early": _("the date is too long ago: a register takes complaints of the last twelve months"),
    "upazila-elsewhere": _("this upazila is in another district"),
}

STATES: dict[str, tuple[str, str]] = {
    "new": (_("Not filed yet"), "amber"),
    "running": (_("Being filed"), "blue"),
    "done": (_("Finished"), "green"),
    "discarded": (_("Thrown away"), ""),
}
OUTCOMES: dict[str, str] = {
    "filed": _("Filed"),
    "known": _("Filed before"),
    "bad": _("Not filed"),
    "waiting": _("Waiting"),
}


def column(field: str) -> str:
    """What a field is called above its column."""
    return gettext(COLUMNS[field])


def outcome(state: str) -> str:
    """What became of a row."""
    return gettext(OUTCOMES[state])


def same_row(number: str) -> str:
    """Why a row was not filed that says what another one of the file says."""
    return gettext("the same as row %(number)s", number=digits(number))


def refusal(code: str, **limits: Any) -> str:
    """Why a file is not taken, and what to do."""
    return gettext(REFUSALS.get(code, REFUSALS["damaged"]), **{key: digits(value) for key, value in limits.items()})


def reason(book: Directory, problem: Problem) -> str:
    """What is wrong with a row, in the page's language: the column, and how it is mended."""
    if problem.code == "name-unknown" and (near := problem.params.get("near")):
        said = gettext(
            "this name is in no list. Is it one of these: %(names)s?", names=", ".join(named(book, problem.field, near))
        )
    elif problem.code == "upazila-elsewhere" and (district := problem.params.get("district")):
        said = gettext(
            "this upazila is in the district %(district)s", district=next(iter(named(book, "district", [district])), "")
        )
    elif problem.code in _ROWS:
        said = gettext(_ROWS[problem.code])
    else:
        said = wording.sentence(problem)
    return f"{gettext(COLUMNS.get(problem.field) or wording.LABELS.get(problem.field, problem.field))}: {said}"


def reasons(book: Directory, problems: Iterable[Mapping[str, Any]] | None) -> str:
    """All that is wrong with a row as it was stored."""
    return "; ".join(reason(book, restored(each)) for each in problems or ())


def restored(kept: Mapping[str, Any]) -> Problem:
    """A problem as it was before it was stored as JSON: days are days again."""
    params = dict(kept.get("params") or {})
    if "earliest" in params:
        params["earliest"] = date.fromisoformat(params["earliest"])
    return Problem(kept["field"], kept["code"], params)


def named(book: Directory, field: str, codes: Iterable[str]) -> list[str]:
    """The names of codes of a field, in the page's language; one that is gone is left out."""
    look_up = {"programme": book.programme, "category": book.category}.get(field, book.place)
    found = []
    for code in codes:
        try:
            found.append(name(look_up(code)))
        except NotFound:
            continue
    return found


def choices() -> list[tuple[str, str]]:
    """What a column can be taken for, in the order of the select."""
    return [(field, column(field)) for field in (NOTHING, *FIELDS, APPEND)]
