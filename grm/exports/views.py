"""Lists as files: `/reports/exports/<list>.<format>` answers small ones at once; large ones are prepared (`/reports/exports`)."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from grm.exports import fonts, jobs, kinds, wording
from grm.exports.making import WRITERS
from grm.exports.models import FORMATS, OPEN, ExportJob
from grm.exports.parts import read, store
from grm.exports.sheet import Sheet
from grm.kernel import clock
from grm.kernel.db import db
from grm.kernel.errors import Conflict, InvalidInput, NotFound
from grm.web import guard
from grm.web.guard import signed_in
from grm.web.locale import language

blueprint = Blueprint("exports", __name__, url_prefix="/reports/exports")
older = Blueprint("older_exports", __name__, url_prefix="/reports")
AT_ONCE = {"csv": 5000, "xlsx": 5000, "pdf": 1500}
"""The most rows of a file that is made while the officer waits: about a second of work."""
LARGE = 500
"""Files of more rows are made one at a time in each web process; who would wait for long gets it prepared."""
WAIT_SECONDS = 3
REFRESH_SECONDS = 4
IN_MEMORY_BYTES = 2 * 1024 * 1024
TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
_turn = threading.BoundedSemaphore(1)


@blueprint.record_once
def _tell_templates(state: Any) -> None:
    state.app.jinja_env.globals["can_make_pdf"] = fonts.has_fonts


@blueprint.get("/<kind>.<form>")
@signed_in
def file(kind: str, form: str) -> Any:
    """A list as a file, or the page that offers to prepare it."""
    return answer(kind, form, request.args)


def answer(kind: str, form: str, args: Mapping[str, str]) -> Any:
    """Answer with a list as a file, in the page's language; for addresses of older days as well. Raises `NotFound`."""
    if form not in FORMATS:
        raise NotFound
    actor, session = guard.actor(), db.session()
    query = _query(args)
    now = clock.now(session)
    sheet = kinds.sheet_of(kind, kinds.Asked(session, actor, query, now))
    if form == "pdf" and not fonts.has_fonts():
        return _offer(sheet, kind, form, query, problem=wording.reason(fonts.NoFonts.default_code), status=503)
    rows = [] if (sheet.count or 0) > AT_ONCE[form] else list(islice(sheet.rows, AT_ONCE[form] + 1))
    if (sheet.count or 0) > AT_ONCE[form] or len(rows) > AT_ONCE[form]:
        return _offer(sheet, kind, form, query)
    is_large = len(rows) > LARGE
    if is_large and not _turn.acquire(timeout=WAIT_SECONDS):
        return _offer(sheet, kind, form, query)
    try:
        # Written whole before the first byte is sent, so that a failure half-way is an error page and not a cut-off file.
        made = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - the response closes it
        WRITERS[form](replace(sheet, rows=rows), made, now)
    finally:
        if is_large:
            _turn.release()
    jobs.record_made(actor, kind, form, query, len(rows))
    made.seek(0)
    return send_file(made, mimetype=TYPES[form], as_attachment=True, download_name=_name(kind, form, now))


@older.get("/cases.csv")
@signed_in
def older_cases() -> Any:
    """The address of a list of cases before there were other formats."""
    return answer("cases", "csv", request.args)


@older.get("/escalations.csv")
@signed_in
def older_escalations() -> Any:
    """The address of the list of escalated cases before there were other formats."""
    return answer("cases", "csv", {**request.args.to_dict(), "measure": "escalated"})


@blueprint.get("")
@signed_in
def overview() -> Any:
    """The officer's prepared files, and how far those are that are not ready."""
    return _overview()


@blueprint.post("")
@signed_in
def prepare() -> Any:
    """Have a list prepared as a file."""
    kind, form = request.form.get("kind", ""), request.form.get("format", "")
    query = _query(dict(parse_qsl(request.form.get("query", ""))))
    try:
        jobs.ask(guard.actor(), kind, form, language(), query)
    except (Conflict, InvalidInput) as error:
        return _overview(problem=wording.reason(error.code), status=error_status(error))
    return redirect(url_for("exports.overview"), 303)


@blueprint.post("/<int:job_id>/cancel")
@signed_in
def cancel(job_id: int) -> Any:
    """Give up on a file that is not ready."""
    jobs.cancel(guard.actor(), job_id)
    return redirect(url_for("exports.overview"), 303)


@blueprint.get("/<int:job_id>/file")
@signed_in
def fetch(job_id: int) -> Any:
    """A prepared file, for its owner alone, piece by piece."""
    job, names = jobs.fetch(guard.actor(), job_id)
    place = store()
    sent = Response(read(place, names), mimetype=TYPES[job.format])
    assert job.as_of is not None
    sent.headers["Content-Disposition"] = f'attachment; filename="{_name(job.kind, job.format, job.as_of)}"'
    sent.headers["Content-Length"] = str(job.size)
    return sent


def error_status(error: Conflict | InvalidInput) -> int:
    """The status of a page that says why nothing was asked for."""
    return 409 if isinstance(error, Conflict) else 422


def _query(args: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in args.items() if key != "lang" and value}


def _name(kind: str, form: str, as_of: Any) -> str:
    return f"grm-{kind}-{clock.dhaka_date(as_of).isoformat()}.{form}"


def _offer(
    sheet: Sheet, kind: str, form: str, query: Mapping[str, str], *, problem: str = "", status: int = 200
) -> Any:
    """The page that says how large the list is, and has it prepared at the press of a button."""
    db.session().rollback()  # what the list has read so far
    if not problem and sheet.count is not None and sheet.count > jobs.MOST_ROWS[form]:
        problem = wording.reason("too-many-rows")
    shown = urlencode(query)
    body = render_template(
        "exports/offer.html",
        sheet=sheet,
        kind=kind,
        form=form,
        format_name=wording.FORMAT_NAMES[form],
        query=shown,
        problem=problem,
        others=[other for other in FORMATS if other != form],
        names=wording.FORMAT_NAMES,
    )
    return body, status


def _overview(problem: str = "", status: int = 200) -> Any:
    session, actor = db.session(), guard.actor()
    rows = [_line(job) for job in jobs.listed(session, actor)]
    is_waiting = any(row["is_open"] for row in rows)
    body = render_template("exports/overview.html", rows=rows, problem=problem, is_waiting=is_waiting)
    # The header, and not an element of the page: assistive technology can tell the reader, and the page stays valid.
    headers = {"Refresh": str(REFRESH_SECONDS)} if is_waiting and status == 200 else {}
    return body, status, headers


def _line(job: ExportJob) -> dict[str, Any]:
    session, actor = db.session(), guard.actor()
    can_fetch = jobs.fetchable(session, actor, job)
    return {
        "job": job,
        "is_open": job.state in OPEN,
        "can_fetch": can_fetch,
        "is_lost": job.state == "done" and not can_fetch,
        "tag": wording.state_tag(job.state),
        "format": wording.FORMAT_NAMES[job.format],
        "reason": wording.reason(job.error) if job.error else "",
        "before": jobs.waiting_before(session, job) if job.state == "queued" else 0,
        "until": job.finished_at + jobs.KEPT if job.state == "done" and job.finished_at else None,
    }
