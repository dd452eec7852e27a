"""Rehearsals of proposed limits and days: begin one, watch it, read what it found.

The administrator, who sees no case, reads figures; the Cabinet Division's cell reads the single cases too, each officer those
he may see. A tick does the work; a request only puts the proposal away.
"""

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import Any

from flask import Blueprint, redirect, render_template, request, send_file
from sqlalchemy import select
from werkzeug.wrappers import Response

from grm.accounts.models import Officer
from grm.escalation import rehearsals
from grm.escalation.rehearsal import CHANGES
from grm.escalation.rehearsal_models import UNFINISHED
from grm.escalation.rehearsal_tally import CELL, LEVELS, Tally
from grm.kernel import audit, clock
from grm.kernel.db import db
from grm.kernel.errors import NotFound
from grm.kernel.text import latin_digits
from grm.kernel.transaction import transaction
from grm.offices.directory import Directory
from grm.offices.queries import directory
from grm.reports import rehearsal_lines
from grm.reports.rehearsal_forms import RehearsalForm
from grm.web.exports import csv_lines
from grm.web.guard import actor, keeps_typed_text, requires
from grm.web.labels import label
from grm.web.locale import gettext, language
from grm.web.presentation import name

blueprint = Blueprint("rehearsals", __name__, url_prefix="/admin/rehearsals")
READERS = ("admin", "cell_officer")
PAGE = 50
MOST_TOLD = 40
MOST_UNFINISHED = 5
IN_MEMORY_BYTES = 4 * 1024 * 1024


@blueprint.get("")
@requires(*READERS)
def overview() -> str:
    """The latest rehearsals, and the form to begin another."""
    return _overview(RehearsalForm())


@blueprint.post("")
@keeps_typed_text
@requires(*READERS)
def begin() -> Response | tuple[str, int]:
    """Put a proposal away to be rehearsed; what is wrong is told beside the text as it was typed."""
    form = RehearsalForm(request.form)
    form.take_files(request.files)
    session = db.session()
    today = clock.dhaka_date(clock.now(session))
    if not form.is_submitted_safely() or not form.check(session, today) or _is_too_much(form):
        return _overview(form), form.status_code
    session.rollback()
    rehearsal_id = rehearsals.propose(actor(), *form.texts, form.since_on, form.until_on)
    return redirect(f"/admin/rehearsals/{rehearsal_id}", 303)


@blueprint.get("/examples/<which>.csv")
@requires(*READERS)
def example(which: str) -> Response:
    """A file to begin with."""
    text = dict(rehearsal_lines.examples()).get(which)
    if text is None:
        raise NotFound
    headers = {"Content-Disposition": f'attachment; filename="example-{which}.csv"'}
    return Response(text.encode("utf-8-sig"), mimetype="text/csv", headers=headers)


@blueprint.get("/<number>")
@requires(*READERS)
def show(number: str) -> str:
    """How far a rehearsal has come, and what it has found."""
    session = db.session()
    row = rehearsals.find(session, _id_of(number))
    tally = Tally.from_dict(row.result)
    known = directory(session)
    found: list[Any] = []
    change = request.args.get("change") if request.args.get("change") in CHANGES else None
    if actor().has_role("cell_officer"):
        found = list(rehearsals.lines(session, actor(), row.id, _after(), PAGE + 1, change))
    only = f"change={change}&" if change else ""
    return render_template(
        "reports/rehearsal.html",
        row=row,
        is_unfinished=row.state in UNFINISHED,
        percent=rehearsals.percent_done(row),
        tally=tally,
        total=tally.total,
        ministries=_ministries(tally, known),
        told=_told(session, tally, known),
        told_more=max(0, len(tally.told) - MOST_TOLD),
        changes=CHANGES,
        levels=LEVELS,
        lines=found[:PAGE],
        tabs_of_list=_tabs(tally, change),
        next_url=f"?{only}after={found[PAGE - 1].RehearsalLine.id}#cases" if len(found) > PAGE else None,
        first_url=f"?{only}#cases" if _after() else None,
        may_list=actor().has_role("cell_officer"),
        known=known,
    )


@blueprint.get("/<number>.csv")
@requires("cell_officer")
def export(number: str) -> Response:
    """The single cases as a file; who took it is recorded."""
    session = db.session()
    row = rehearsals.find(session, _id_of(number))
    rehearsal_id, created_on = row.id, clock.dhaka_date(row.created_at)
    session.rollback()
    with transaction() as act:
        audit.record(
            act.session, "exports", "Exported", actor(), act.now, report="rehearsal", rehearsal_id=rehearsal_id
        )
    # Written whole before the first byte is sent, so that a failure half-way is an error page and not a cut-off file.
    file = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - the response closes it
    for line in csv_lines(rehearsal_lines.header(), _csv_rows(rehearsal_id)):
        file.write(line.encode())
    file.seek(0)
    return send_file(file, mimetype="text/csv", as_attachment=True, download_name=rehearsal_lines.csv_name(created_on))


def _overview(form: RehearsalForm) -> str:
    return render_template("reports/rehearsals.html", form=form, rows=rehearsals.listed(db.session()))


def _is_too_much(form: RehearsalForm) -> bool:
    """Whether so many wait that another one must not be added."""
    waiting = sum(row.state in UNFINISHED for row in rehearsals.listed(db.session()))
    if waiting >= MOST_UNFINISHED:
        form.form_errors.append(gettext("Other rehearsals are still under way. Please wait until one is done."))
    return waiting >= MOST_UNFINISHED


def _csv_rows(rehearsal_id: int) -> Iterator[list[object]]:
    session = db.session()
    known = directory(session)
    for each in rehearsals.all_lines(session, actor(), rehearsal_id):
        line = each.RehearsalLine
        yield rehearsal_lines.row(
            known,
            tracking_number=each.tracking_number,
            case_office_id=each.case_office_id,
            kind=line.kind,
            change=line.change,
            old_due_on=line.old_due_on,
            new_due_on=line.new_due_on,
            level=line.level,
            at=line.at,
            role=line.role,
            office_id=line.office_id,
            officer=each.officer_bn if language() == "bn" else each.officer_en,
            is_vacant=line.is_vacant,
            really_at=line.really_at,
        )


def _tabs(tally: Tally, chosen: str | None) -> list[dict[str, Any]]:
    """The list of single cases as a whole, and by what changes; the count is of clocks."""
    counts = tally.total.changes
    tabs: list[dict[str, Any]] = [{"href": "?#cases", "label": gettext("All"), "current": chosen is None}]
    for change in CHANGES:
        if counts.get(change) or change == chosen:
            words, count = label("rehearsal_change", change), counts.get(change, 0)
            tabs.append(
                {"href": f"?change={change}#cases", "label": words, "count": count, "current": change == chosen}
            )
    return tabs


def _ministries(tally: Tally, known: Directory) -> list[dict[str, Any]]:
    """A line for each ministry, the most newly late clocks first."""
    named = {ministry.slug: name(ministry) for ministry in known.ministries}
    named[CELL] = gettext("Cabinet Division cell")
    order = sorted(
        tally.ministries.items(), key=lambda item: (-item[1].changes.get("newly_late", 0), -sum(item[1].would))
    )
    return [{"name": named.get(key, key), "line": line} for key, line in order]


def _told(session: Any, tally: Tally, known: Directory) -> list[dict[str, Any]]:
    """Who would have been told how often, the most first; empty chairs among them."""
    order = sorted(tally.told.items(), key=lambda item: (-sum(item[1]), item[0].office_id))[:MOST_TOLD]
    ids = [told.officer_id for told, _ in order if told.officer_id is not None]
    officers = {
        row.id: row
        for row in session.execute(select(Officer.id, Officer.name_bn, Officer.name_en).where(Officer.id.in_(ids)))
    }
    return [
        {
            "office": name(known.office(told.office_id)),
            "role": told.role,
            "officer": name(officers[told.officer_id]) if told.officer_id in officers else None,
            "levels": levels,
        }
        for told, levels in order
    ]


def _id_of(number: str) -> int:
    """The id in an address; `NotFound` for what is none."""
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise NotFound
    return int(number)


def _after() -> int:
    plain = latin_digits(request.args.get("after", "")[:18])
    return int(plain) if plain.isascii() and plain.isdigit() else 0
