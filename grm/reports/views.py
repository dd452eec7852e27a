"""The escalation report: what is late, where, at whose desk. Every figure opens the list it counts."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, render_template, request, send_file
from werkzeug.wrappers import Response

from grm.kernel import audit, clock
from grm.kernel.db import db
from grm.kernel.transaction import transaction
from grm.offices.directory import Directory
from grm.offices.queries import directory, vacant_posts
from grm.reports import queries
from grm.reports.measures import (
    AGE_BANDS,
    LEVELS,
    Selection,
    selection_from,
)
from grm.web.exports import csv_lines
from grm.web.guard import actor, requires
from grm.web.labels import label
from grm.web.locale import gettext, language
from grm.web.presentation import name

blueprint = Blueprint("reports", __name__, url_prefix="/reports")
READERS = ("cell_officer", "gro", "appeal_officer", "head")
STREAM = "exports"
IN_MEMORY_BYTES = 4 * 1024 * 1024


@blueprint.get("/escalations")
@requires(*READERS)
def escalations() -> str:
    """Open escalated cases by ministry, level, programme, district and age; vacant posts and gaps in the ladder."""
    session = db.session()
    now = clock.now(session)
    today = clock.dhaka_date(now)
    chosen = selection_from(request.args).with_(measure="escalated")
    known = directory(session)
    by = queries.escalations_by(session, actor(), chosen, now)
    return render_template(
        "reports/escalations.html",
        chosen=chosen,
        by=by,
        lines=_lines(by),
        total=by["total"][0][1] if by["total"] else 0,
        matrix=queries.ministry_by_level(session, actor(), chosen, now),
        levels=LEVELS,
        titles=_titles(known),
        options=_options(known),
        gaps=queries.gaps(session, actor()),
        undelivered=queries.undelivered(session, actor()),
        aside=queries.set_aside(session, actor()),
        vacancies=_vacancies(session, today),
        known=known,
        link=_link,
        csv_link="/reports/escalations.csv?" + urlencode(_filters(chosen)),
        as_of=now,
    )


@blueprint.get("/escalations.csv")
@requires(*READERS)
def escalations_csv() -> Response:
    """The escalated cases of the chosen filter, one line a case."""
    return _export(selection_from(request.args).with_(measure="escalated"), "escalations")


def _export(chosen: Selection, title: str) -> Response:
    """Record the export, then stream it; no personal data of complainants is in it."""
    who = actor()
    with transaction() as act:
        now = act.now
        audit.record(act.session, STREAM, "Exported", who, now, report=title, filter=chosen.as_query())
    known = directory(db.session())
    header = [
        gettext("Tracking number"),
        gettext("Status"),
        gettext("Level"),
        gettext("Ministry or division"),
        gettext("Officer"),
        gettext("Programme"),
        gettext("Category"),
        gettext("District"),
        gettext("Filed on"),
        gettext("Due on"),
        gettext("Days overdue"),
    ]
    # Written whole before the first byte is sent, so that a failure half-way is an error page and not a cut-off file.
    file = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - the response closes it
    for line in csv_lines(header, _csv_rows(chosen, who, now, known)):
        file.write(line.encode())
    file.seek(0)
    return send_file(
        file,
        mimetype="text/csv",
        as_attachment=True,
        download_name=f"grm-{title}-{clock.dhaka_date(now).isoformat()}.csv",
    )


def _csv_rows(chosen: Selection, who: Any, now: datetime, known: Directory) -> Iterator[list[object]]:
    today = clock.dhaka_date(now)
    for row in queries.all_cases(db.session(), who, chosen, now):
        yield [
            row.tracking_number,
            label("status", row.status),
            row.level,
            name(known.office(row.office_id)),
            _holder(row),
            name(known.programme(row.programme_id)) if row.programme_id else "",
            name(known.category(row.category_id)),
            name(known.place(row.district_id)) if row.district_id else "",
            clock.dhaka_date(row.filed_at).isoformat(),
            row.due_on.isoformat(),
            queries.days_overdue(row.due_on, today) if row.ended_at is None else "",
        ]


def _holder(row: Any) -> str:
    return str((row.holder_bn if language() == "bn" else row.holder_en) or "")


def _link(chosen: Selection, **changes: Any) -> str:
    """Return the address of the list behind a figure."""
    return "/reports/cases?" + urlencode(chosen.with_(**changes).as_query())


def _filters(chosen: Selection) -> dict[str, str]:
    return {key: value for key, value in chosen.as_query().items() if key != "measure"}


def _titles(known: Directory) -> dict[str, dict[str, str]]:
    """Return the words for each dimension's keys."""
    return {
        "ministry": {
            **{item.slug: name(item) for item in known.ministries},
            queries.CELL: gettext("Cabinet Division cell"),
            queries.PROVIDERS: gettext("Payment providers"),
        },
        "programme": {**{item.slug: name(item) for item in known.programmes}, "none": gettext("No programme named")},
        "district": {
            **{item.code: name(item) for item in known.districts},
            "none": gettext("No district given"),
        },
        "category": {item.slug: name(item) for item in known.categories},
        "level": {str(level): label("level", level) for level in LEVELS},
        "age": _age_titles(),
    }


def _age_titles() -> dict[str, str]:
    return {
        "1-7": gettext("1 to 7 days overdue"),
        "8-14": gettext("8 to 14 days overdue"),
        "15-30": gettext("15 to 30 days overdue"),
        "31-90": gettext("31 to 90 days overdue"),
        "91-": gettext("More than 90 days overdue"),
    }


def _options(known: Directory) -> dict[str, list[tuple[str, str]]]:
    titles = _titles(known)
    return {
        key: sorted(titles[key].items(), key=lambda pair: pair[1]) for key in ("ministry", "programme", "district")
    } | {key: list(titles[key].items()) for key in ("level", "age")}


def _lines(by: Mapping[str, Sequence[tuple[str | None, int]]]) -> dict[str, list[dict[str, Any]]]:
    """Return the table rows of each dimension: ages in their order, the rest with the most cases first."""
    order = {band.code: position for position, band in enumerate(AGE_BANDS)}
    return {
        dimension: [
            {"code": code, "number": number}
            for code, number in sorted(by[dimension], key=lambda pair: (order.get(pair[0] or "", 0), -pair[1]))
            if code is not None
        ]
        for dimension in ("age", "programme", "district")
    }


def _vacancies(session: Any, today: Any) -> list[Any]:
    """Return vacant posts of the offices the reader answers for; the cell sees all."""
    who = actor()
    found = vacant_posts(session, today)
    if who.has_role("cell_officer"):
        return list(found)
    mine = who.office_ids()
    return [post for post in found if post.office_id in mine]
