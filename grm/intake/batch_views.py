"""`/desk/batches`: registers handed in as a file, looked through, filed by a tick, and the results taken back."""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from markupsafe import Markup

from grm.files import sheets
from grm.intake import batch_intake, batch_page, batch_results, batch_run, choices
from grm.intake import batch_store as store
from grm.intake import batch_wording as wording
from grm.intake.batch_care import SECRETS_KEPT
from grm.intake.batch_intake import MEGABYTES, MOST_OPEN
from grm.intake.batch_page import LISTED, NewPage
from grm.intake.batch_reading import Reading
from grm.intake.desk_roles import ROLES, only_from_a_desk
from grm.kernel import clock
from grm.kernel.clock import dhaka_date
from grm.kernel.db import db
from grm.kernel.errors import IllegalAction, InvalidInput, NotFound
from grm.web import guard
from grm.web.guard import keeps_typed_text, requires
from grm.web.locale import gettext, language
from grm.web.presentation import name as name_of
from grm.web.security import FILE_POLICY, form_is_stale
from grm.web.uploads import takes_files

blueprint = Blueprint("batches", __name__)
blueprint.before_request(only_from_a_desk)
REFRESH_SECONDS = 4
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.route("/desk/batches", methods=["GET", "POST"])
@requires(*ROLES)
@keeps_typed_text
@takes_files
def overview() -> Any:
    """The officer's registers, and the form to hand one in; what is wrong with a file is said beside it."""
    actor = guard.actor()
    if request.method != "POST":
        return _overview()
    if form_is_stale():
        return _overview(gettext("This page was open for too long. Choose the file again and press the button."), 400)
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        return _overview(wording.refusal("choose-file"), 422)
    try:
        batch_id = batch_intake.take_in(actor, upload.filename, upload.stream.read())
    except sheets.Refused as refused:
        return _overview(wording.refusal(refused.code, limit=MEGABYTES), 422)
    except InvalidInput as error:
        return _overview(wording.refusal(error.code, limit=MOST_OPEN), 422)
    return redirect(url_for("batches.one", batch_id=batch_id), 303)


@blueprint.get("/desk/batches/<batch_id>")
@requires(*ROLES)
def one(batch_id: str) -> Any:
    """One register: how it is read as long as it is not filed, then what becomes of its rows."""
    batch = store.find(db.session(), guard.actor(), _id(batch_id))
    note = gettext("The choices have changed: look at the result, then file.") if "changed" in request.args else ""
    return _new(batch.id, note=note) if batch.state == "new" else _filed(batch.id)


@blueprint.post("/desk/batches/<batch_id>")
@requires(*ROLES)
@keeps_typed_text
def act(batch_id: str) -> Any:
    """Check by other choices, file, or throw away."""
    actor, step = guard.actor(), request.form.get("step", "")
    batch = store.find(db.session(), actor, _id(batch_id))
    if batch.state != "new":
        if step in ("check", "file", "discard"):
            return _filed(batch.id, 409, gettext("This register is being filed already, or was thrown away."))
        raise InvalidInput
    if form_is_stale():
        problem = gettext("This page was open for too long. Nothing is lost: check it and press the button again.")
        return _new(batch.id, 400, problem=problem, typed=request.form.to_dict())
    try:
        return _act(batch.id, step)
    except IllegalAction:
        return _filed(_id(batch_id), 409, gettext("This register is being filed already, or was thrown away."))


@blueprint.get("/desk/batches/<batch_id>/results.<kind>")
@requires(*ROLES)
def results(batch_id: str, kind: str) -> Any:
    """What became of every row, as a file to keep; that somebody took it is on record."""
    session, actor = db.session(), guard.actor()
    batch = store.find(session, actor, _id(batch_id))
    if kind not in ("xlsx", "csv") or batch.state != "done" or batch.forgotten_at is not None:
        raise NotFound
    only = "bad" if request.args.get("only") == "bad" else ""
    has_secrets = batch_results.has_secrets(batch) and not only
    body: str | bytes
    if kind == "xlsx":
        body = batch_results.xlsx_file(session, batch, only=only)
    else:
        body = "".join(batch_results.csv_file(session, batch, only=only))
    batch_results.record_taking(actor, _id(batch_id), has_secrets)
    answer = Response(body, content_type=XLSX if kind == "xlsx" else "text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="register-{_id(batch_id)}-results.{kind}"'
    answer.headers["Content-Security-Policy"] = FILE_POLICY
    return answer


def _act(batch_id: int, step: str) -> Any:
    actor, session = guard.actor(), db.session()
    if step == "discard":
        batch_intake.discard(actor, batch_id)
        return redirect(url_for("batches.overview"), 303)
    opened = store.opened(session, store.find(session, actor, batch_id))
    reading = Reading(session, opened, request.form.to_dict(), dhaka_date(clock.now(session)))
    if reading.faults or step not in ("check", "file"):
        return _new(batch_id, 422, typed=request.form.to_dict())
    if step == "file" and reading.plan == opened.plan:
        if not opened.checked.good:
            return _new(batch_id, 422, problem=gettext("There is no row that could be filed."))
        batch_intake.confirm(actor, batch_id)
        batch_run.run_batch(batch_id, batch_run.AT_ONCE)
        return redirect(url_for("batches.one", batch_id=batch_id), 303)
    batch_intake.change_plan(actor, batch_id, reading.plan)
    changed = 1 if step == "file" else None
    return redirect(url_for("batches.one", batch_id=batch_id, changed=changed), 303)


def _overview(problem: str = "", status: int = 200) -> Any:
    rows = batch_page.listed(db.session(), guard.actor())
    return render_template("intake/batches.html", rows=rows, problem=problem, megabytes=MEGABYTES), status


def _new(
    batch_id: int, status: int = 200, *, problem: str = "", note: str = "", typed: dict[str, str] | None = None
) -> Any:
    session = db.session()
    opened = store.opened(session, store.find(session, guard.actor(), batch_id))
    page = NewPage(session, opened, dhaka_date(clock.now(session)), typed)

    def options(name: str, selected: str) -> Markup:
        return choices.options(page.offer, language(), name, selected)

    def categories(selected: str) -> Markup:
        listed = [("", gettext("Choose"))]
        listed += [(each.slug, name_of(each)) for each in page.offer.book.categories_on(page.offer.day)]
        return Markup("").join(
            Markup('<option value="{}"{}>{}</option>').format(
                value, Markup(" selected" if value == selected else ""), text
            )
            for value, text in listed
        )

    body = render_template(
        "intake/batch.html",
        page=page,
        problem=problem,
        note=note,
        options=options,
        categories=categories,
        column_choices=wording.choices(),
    )
    return body, status


def _filed(batch_id: int, status: int = 200, note: str = "") -> Any:
    session = db.session()
    opened = store.opened(session, store.find(session, guard.actor(), batch_id))
    batch = opened.batch
    until = batch.finished_at + SECRETS_KEPT if batch.finished_at else None
    body = render_template(
        "intake/batch_filed.html",
        opened=opened,
        state=batch_page.state_tag(batch.state),
        done=sum(count for state, count in opened.counts.items() if state != "waiting"),
        bad_rows=batch_results.bad_rows(session, batch, opened.facts, LISTED),
        listed=LISTED,
        has_secrets=batch_results.has_secrets(batch),
        secrets_until=until,
        note=note,
    )
    # The header, and not an element of the page: assistive technology can tell the reader, and the page stays valid.
    headers = {"Refresh": str(REFRESH_SECONDS)} if status == 200 and batch.state == "running" else {}
    return body, status, headers


def _id(typed: str) -> int:
    if not (typed.isascii() and typed.isdigit() and len(typed) < 16):
        raise NotFound
    return int(typed)
