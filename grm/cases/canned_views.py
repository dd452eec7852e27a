"""The pages on which canned texts are written: of all offices by administrators, of the own office by its grievance redress
officer."""

from typing import Any

from flask import Blueprint, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from grm.cases import canned, canned_editing, wording
from grm.cases.canned_editing import LONGEST_TITLE, Written
from grm.cases.closing_models import CannedReply
from grm.cases.content import LONGEST_TEXT
from grm.kernel.db import db
from grm.kernel.errors import GrmError, InvalidInput, NotFound
from grm.kernel.text import latin_digits
from grm.offices.queries import directory
from grm.web import guard
from grm.web.forms import BaseForm
from grm.web.guard import keeps_typed_text, requires
from grm.web.labels import choices
from grm.web.locale import gettext, lazy
from grm.web.presentation import digits, name
from grm.web.security import form_is_stale

blueprint = Blueprint("canned", __name__)

ADMIN, OFFICE = "/admin/canned", "/canned"


class CannedForm(BaseForm):
    """A text in both languages. What is right is checked by the service."""

    title_bn = StringField(lazy("Title in Bangla"))
    title_en = StringField(lazy("Title in English"))
    text_bn = TextAreaField(lazy("Text in Bangla"))
    text_en = TextAreaField(lazy("Text in English"))
    used_for = SelectField(lazy("For which letters"), validate_choice=False)
    category = SelectField(lazy("For which category"), [Optional()], validate_choice=False)

    def offer(self, session: Session) -> "CannedForm":
        """Put the choices in place."""
        self.used_for.choices = choices("canned_use")
        self.category.choices = [
            ("", gettext("All")),
            *((each.slug, name(each)) for each in directory(session).categories),
        ]
        return self

    def show_faults(self, faults: dict[str, str]) -> None:
        """Put what the service found beside the fields."""
        for field in self:
            if field.name in faults:
                field.errors = [_fault(faults[field.name])]

    def written(self) -> Written:
        """What was typed."""
        return Written(**{field.name: str(field.data or "") for field in self})


def _fault(code: str) -> str:
    if code == "placeholder-unknown":
        known = ", ".join(f"{{{each}}}" for each in canned.PLACEHOLDERS)
        return gettext("Braces hold one of these and nothing else: %(known)s", known=known)
    if code == "placeholders-differ":
        return gettext("Both texts must name the same in braces")
    if code == "title-too-long":
        return gettext("A title has at most %(count)s characters", count=digits(LONGEST_TITLE))
    return wording.fault(code, 1, LONGEST_TEXT)


@blueprint.get(ADMIN)
@requires("admin")
def general() -> str:
    """The texts for all offices, and the form of another."""
    return _list(None, ADMIN)


@blueprint.post(ADMIN)
@keeps_typed_text
@requires("admin")
def write_general() -> Any:
    """Add a text for all offices."""
    return _write(None, ADMIN)


@blueprint.route(f"{ADMIN}/<canned_id>", methods=["GET", "POST"])
@keeps_typed_text
@requires("admin")
def one_general(canned_id: str) -> Any:
    """Change or retire a text for all offices."""
    return _one(None, ADMIN, canned_id)


@blueprint.get(OFFICE)
@requires("gro")
def own() -> str:
    """The texts of the own office, and the form of another."""
    return _list(_own_office(), OFFICE)


@blueprint.post(OFFICE)
@keeps_typed_text
@requires("gro")
def write_own() -> Any:
    """Add a text of the own office."""
    return _write(_own_office(), OFFICE)


@blueprint.route(f"{OFFICE}/<canned_id>", methods=["GET", "POST"])
@keeps_typed_text
@requires("gro")
def one_own(canned_id: str) -> Any:
    """Change or retire a text of the own office."""
    return _one(None, OFFICE, canned_id)


def _own_office() -> int:
    """The office whose texts are written: the one asked for, if it is the actor's, else the first of his."""
    offices = sorted(guard.actor().office_ids("gro"))
    asked = request.values.get("office", "")
    return next((each for each in offices if str(each) == asked), offices[0])


def _list(office_id: int | None, path: str, form: CannedForm | None = None) -> str:
    session = db.session()
    book = directory(session)
    mine = sorted(guard.actor().office_ids("gro")) if office_id is not None else []
    return render_template(
        "cases/canned.html",
        rows=canned_editing.texts_of(session, office_id),
        general=canned_editing.texts_of(session, None) if office_id is not None else [],
        form=(form or CannedForm()).offer(session),
        path=path,
        office=book.office(office_id) if office_id is not None else None,
        offices=[book.office(each) for each in mine if each != office_id],
        placeholders=canned.PLACEHOLDERS,
        book=book,
    )


def _write(office_id: int | None, path: str) -> Any:
    form = CannedForm(request.form)
    if _is_stale(form):
        return _list(office_id, path, form), 400
    try:
        canned_editing.save(guard.actor(), office_id, form.written())
    except InvalidInput as error:
        form.show_faults(error.fields)
        return _list(office_id, path, form), 422
    return _back(path, office_id)


def _one(office_id: int | None, path: str, typed_id: str) -> Any:
    session, row = db.session(), _row(typed_id)
    if path == OFFICE:
        office_id = row.office_id
    if (
        row.office_id != office_id
        or not canned_editing.may_write(guard.actor(), row.office_id)
        or (path == OFFICE and row.office_id is None)
    ):
        raise NotFound
    canned_id = row.id
    form = CannedForm(request.form if request.method == "POST" else _as_typed(session, row))
    status = 200
    if request.method == "POST":
        try:
            if not _is_stale(form):
                return _do(office_id, path, canned_id, form)
            status = 400
        except InvalidInput as error:
            form.show_faults(error.fields)
            status = 422
        row = canned_editing.one_of(session, office_id, canned_id)
    page = render_template(
        "cases/canned_one.html", row=row, form=form.offer(session), path=path, placeholders=canned.PLACEHOLDERS
    )
    return page, status


def _do(office_id: int | None, path: str, canned_id: int, form: CannedForm) -> Response:
    db.session().rollback()
    act = request.form.get("act", "save")
    if act in ("retire", "restore"):
        canned_editing.retire(guard.actor(), office_id, canned_id, act == "retire")
    else:
        canned_editing.save(guard.actor(), office_id, form.written(), canned_id)
    return _back(path, office_id)


def _back(path: str, office_id: int | None) -> Response:
    return redirect(path if office_id is None else f"{path}?office={office_id}", 303)


def _is_stale(form: CannedForm) -> bool:
    if form_is_stale():
        form.form_errors.append(
            gettext("This page was open for too long. Nothing is lost: check it and press the button again.")
        )
        return True
    return False


def _row(typed_id: str) -> CannedReply:
    plain = latin_digits(typed_id)
    row = db.session().get(CannedReply, int(plain)) if plain.isascii() and plain.isdigit() and len(plain) < 15 else None
    if row is None:
        raise NotFound
    return row


def _as_typed(session: Session, row: CannedReply) -> MultiDict[str, str]:
    values = {each: getattr(row, each) for each in ("title_bn", "title_en", "text_bn", "text_en", "used_for")}
    try:
        category = directory(session).category(row.category_id).slug if row.category_id is not None else ""
    except GrmError:
        category = ""
    return MultiDict({**values, "category": category})
