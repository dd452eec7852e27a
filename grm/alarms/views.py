"""Alarms, for the Cabinet Division's cell: what was found, its cases, and what is done about it."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import Blueprint, redirect, render_template, request
from sqlalchemy.orm import Session

from grm.alarms import exporting, queries, service, wording
from grm.alarms.models import Alarm, AlarmRun
from grm.cases import wording as case_words
from grm.kernel import clock
from grm.kernel.actor import Actor
from grm.kernel.db import db
from grm.kernel.errors import Conflict, IllegalAction, InvalidInput, NotFound
from grm.kernel.text import latin_digits
from grm.offices.queries import directory
from grm.web.guard import actor, keeps_typed_text, requires
from grm.web.locale import gettext
from grm.web.security import form_is_stale

__all__ = ["blueprint", "exporting"]
blueprint = Blueprint("alarms", __name__, url_prefix="/reports/alarms")


@blueprint.get("")
@requires("cell_officer")
def overview() -> str:
    """The alarms that are not over, the evidence of each in plain words, and the latest that are."""
    session, who = db.session(), actor()
    now = clock.now(session)
    known = directory(session)

    def lines(rows: Sequence[Any]) -> list[dict[str, Any]]:
        found = [_line(session, who, row, now, known) for row in rows]
        return [line for line in found if not queries.is_hidden(session, line["alarm"], now, line["cases"])]

    return render_template(
        "reports/alarms.html",
        live=lines(queries.live(session)),
        over=lines(queries.over(session)),
        looked_on=session.query(AlarmRun.day).order_by(AlarmRun.day.desc()).limit(1).scalar(),
    )


@blueprint.route("/<alarm_id>", methods=["GET", "POST"])
@requires("cell_officer")
@keeps_typed_text
def alarm(alarm_id: str) -> Any:
    """One alarm with its cases; a post acknowledges it, or links cases of it under a lead."""
    number = _id_of(alarm_id)
    if request.method == "GET":
        return _show(number)
    if form_is_stale():
        return _show(number, _stale(), 400)
    if request.form.get("what") == "link":
        return _link(number)
    return _acknowledge(number)


def _acknowledge(alarm_id: int) -> Any:
    try:
        service.acknowledge(actor(), alarm_id, request.form.get("words", ""))
    except InvalidInput:
        problem, status = gettext("Say in a few words what is done about it."), 422
    except IllegalAction:
        problem, status = gettext("This alarm is over: nothing need be done about it any more."), 409
    except Conflict:
        problem, status = gettext("Somebody else has acknowledged it meanwhile: read what is done about it."), 409
    else:
        return redirect(f"/reports/alarms/{alarm_id}?done=acknowledged", 303)
    return _show(alarm_id, problem, status)


def _link(alarm_id: int) -> Any:
    picked = [_pick(each) for each in request.form.getlist("case")]
    try:
        outcomes = service.link_under(actor(), alarm_id, request.form.get("lead", ""), picked)
    except InvalidInput as error:
        is_lead = "lead" in error.fields
        words = (
            gettext("Choose the case that leads.") if is_lead else gettext("Choose the cases to be linked under it.")
        )
        return _show(alarm_id, words, 422)
    left = [each for each in outcomes if each.why_not]
    if not left:
        return redirect(f"/reports/alarms/{alarm_id}?done=linked", 303)
    return _show(alarm_id, "", 409, outcomes)


def _show(alarm_id: int, problem: str = "", status: int = 200, outcomes: Sequence[service.Outcome] = ()) -> Any:
    session, who = db.session(), actor()
    session.rollback()
    row = queries.one(session, alarm_id)
    if row is None:
        raise NotFound
    now = clock.now(session)
    known = directory(session)
    line = _line(session, who, row, now, known, is_alone=True)
    if queries.is_hidden(session, row.Alarm, now, line["cases"]):
        raise NotFound
    found = queries.cases(session, who, row.Alarm, now, _after())
    page = found[: queries.PAGE]
    last = page[-1] if len(found) > queries.PAGE else None
    body = render_template(
        "reports/alarm.html",
        alarm=row.Alarm,
        line=line,
        rows=page,
        next_url=f"/reports/alarms/{alarm_id}?after={last.received_on}.{last.id}#cases" if last else None,
        first_url=f"/reports/alarms/{alarm_id}#cases" if request.args.get("after") else None,
        known=known,
        problem=problem,
        left=[(each.tracking_number, _why(each.why_not)) for each in outcomes if each.why_not],
        linked=sum(1 for each in outcomes if not each.why_not),
        picked={number for number, _ in map(_pick, request.form.getlist("case"))},
        lead=request.form.get("lead", ""),
        words=request.form.get("words", ""),
        most=service.MOST_LINKED,
        now=now,
        done=request.args.get("done", "") if request.method == "GET" else "",
    )
    return body, status


def _line(session: Session, who: Actor, row: Any, now: Any, known: Any, *, is_alone: bool = False) -> dict[str, Any]:
    alarm: Alarm = row.Alarm
    # Beside others only what the words need: what an office has overdue, or a district once had, can be very many.
    count = queries.count(session, who, alarm, now) if is_alone or alarm.kind == "surge" else None
    return {
        "alarm": alarm,
        "title": wording.title(alarm, known),
        "evidence": wording.evidence(alarm, count),
        "cases": count,
        "name_bn": row.name_bn,
        "name_en": row.name_en,
    }


def _why(code: str) -> str:
    words = case_words.WHY.get(code)
    return gettext(words) if words else gettext("It was changed meanwhile, or is not for you to link. Open it.")


def _stale() -> str:
    return gettext("This page was open for too long. Nothing is lost: check it and press the button again.")


def _pick(value: str) -> tuple[str, int | None]:
    number, _, version = value.rpartition(".")
    plain = latin_digits(version)
    return number or value, int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 else None


def _after() -> tuple[date, int] | None:
    day, _, number = latin_digits(request.args.get("after", "")[:40]).rpartition(".")
    try:
        return date.fromisoformat(day), int(number)
    except ValueError:
        return None


def _id_of(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound
    return int(text)
