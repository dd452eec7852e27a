"""The single cases of a rehearsal as lines of a file: when, to whom, and what really happened."""

from collections.abc import Iterator
from datetime import date, datetime

from grm.kernel.clock import DHAKA
from grm.kernel.tracking_number import display
from grm.offices.directory import Directory
from grm.web.labels import label
from grm.web.locale import gettext
from grm.web.presentation import name


def header() -> list[str]:
    """The names of the columns in the page's language."""
    return [
        gettext("Tracking number"),
        gettext("Office"),
        gettext("Clock"),
        gettext("What changes"),
        gettext("Due date as it was"),
        gettext("Due date as proposed"),
        gettext("Level"),
        gettext("When"),
        gettext("Post"),
        gettext("At which office"),
        gettext("Officer"),
        gettext("What really happened"),
    ]


def row(
    known: Directory,
    *,
    tracking_number: str,
    case_office_id: int,
    kind: str,
    change: str,
    old_due_on: date,
    new_due_on: date,
    level: int,
    at: datetime | None,
    role: str | None,
    office_id: int,
    officer: str | None,
    is_vacant: bool,
    really_at: datetime | None,
) -> list[object]:
    """One rung as cells; instants in Dhaka time."""
    return [
        display(tracking_number),
        name(known.office(case_office_id)),
        label("deadline_kind", kind),
        label("rehearsal_change", change),
        old_due_on.isoformat(),
        new_due_on.isoformat(),
        level,
        in_dhaka(at) if at else gettext("not at all"),
        _post(role) if role else "",
        name(known.office(office_id)) if role else "",
        _officer(officer, is_vacant) if role else "",
        in_dhaka(really_at) if really_at else gettext("not at all"),
    ]


def in_dhaka(at: datetime) -> str:
    """An instant as people write it down in Dhaka."""
    return at.astimezone(DHAKA).strftime("%Y-%m-%d %H:%M")


def csv_name(on: date) -> str:
    """The name of the file."""
    return f"grm-rehearsal-{on.isoformat()}.csv"


def examples() -> Iterator[tuple[str, str]]:
    """Files to begin with, by what they propose."""
    yield (
        "policies",
        "code,kind,limit,unit,office,programme,category,priority,tier,valid_from,valid_to,source\r\n"
        'resolve,resolve,20,working_days,,,,,,2027-07-01,,"Circular of the Cabinet Division, 1 June 2027"\r\n',
    )
    yield (
        "calendar",
        "day,kind,name_bn,name_en,source\r\n"
        "2026-02-16,holiday,বিশেষ ছুটি,Special holiday,Order of the Ministry of Public Administration\r\n",
    )


def _post(role: str) -> str:
    return gettext("Whoever holds the case") if role == "holder" else label("role", role)


def _officer(officer: str | None, is_vacant: bool) -> str:
    if not is_vacant:
        return officer or ""
    vacant = gettext("vacant")
    return f"{vacant} ({officer})" if officer else vacant
