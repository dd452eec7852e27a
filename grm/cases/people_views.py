"""The pages on posts and officers: who sits where, leave, accounts, and handing work over."""

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from grm.accounts import passwords
from grm.accounts.models import Officer
from grm.cases import dossier, handover, handover_page, people
from grm.cases.handover import Wanted, WorkLeft
from grm.cases.handover_ground import DESK
from grm.cases.people_forms import PROBLEMS, AppointForm, LeaveForm, NewAccountForm, ParticularsForm
from grm.cases.people_wording import DONE, next_step
from grm.kernel import clock
from grm.kernel.clock import dhaka_date
from grm.kernel.db import db
from grm.kernel.errors import Conflict, GrmError, IllegalAction, InvalidInput, NotFound
from grm.kernel.text import latin_digits, parse_date
from grm.kernel.transaction import Act, transaction
from grm.offices import absence, account_changes
from grm.offices.models import Leave, Post, Posting
from grm.offices.queries import directory
from grm.offices.service import post_officer
from grm.web import guard
from grm.web.guard import keeps_typed_text, requires, signed_in
from grm.web.locale import gettext
from grm.web.security import form_is_stale

blueprint = Blueprint("people", __name__, url_prefix="/people")
RUNNERS = ("head", "admin")


@blueprint.get("")
@requires(*RUNNERS)
def overview() -> str | Response:
    """The posts of an office; for an administrator without one, all offices and a search."""
    session, actor, today = db.session(), guard.actor(), _today()
    known, led = directory(session), sorted(people.offices_of(guard.actor()))
    typed = request.args.get("office", "")
    if not typed and (len(led) != 1 or actor.is_admin):
        text = request.args.get("q", "")
        return render_template(
            "people/offices.html",
            typed=text,
            offices=[
                each for each in people.all_offices(session, today, text) if actor.is_admin or each.office.id in led
            ],
            officers=people.find_officers(session, text) if actor.is_admin else (),
        )
    office_id = known.office(typed).id if typed else led[0]
    people.check_office(actor, office_id)
    return render_template(
        "people/office.html",
        office=known.office(office_id),
        posts=people.posts_of(session, office_id, today),
        counts=people.open_cases(session, actor, office_id),
        handovers=people.latest_handovers(session, office_id),
        today=today,
        is_blind=office_id not in people.offices_of(actor),
        done=DONE.get(request.args.get("done", ""), ""),
    )


@blueprint.route("/posts/<number>/appoint", methods=["GET", "POST"])
@requires(*RUNNERS)
@keeps_typed_text
def appoint(number: str) -> Any:
    """Put an officer with an account into a post."""
    post, form = _post(number), AppointForm(request.form)
    form.offer()
    problem = ""
    if form.is_submitted_safely():
        office = directory(db.session()).office(post.office_id).code
        post_id = post.id

        def act_on(act: Act) -> None:
            starts_on = _day(form.starts_on.data, "starts_on", dhaka_date(act.now))
            officer = _by_name(act, form.username.data or "")
            is_alternate = form.kind.data == "alternate"
            post_officer(
                act.session, act.now, officer.id, post_id, starts_on, is_alternate=is_alternate, actor=guard.actor()
            )

        problem, status = _try(act_on, form)
        if not problem and status == 200:
            return redirect(f"/people?office={office}&done=appointed", 303)
        return _appoint_page(_post(number), form, problem), status
    return _appoint_page(post, form, problem), form.status_code


def _appoint_page(post: Post, form: AppointForm, problem: str) -> str:
    office = directory(db.session()).office(post.office_id)
    return render_template("people/appoint.html", post=post, office=office, form=form, problem=problem)


@blueprint.route("/posts/<number>/new-account", methods=["GET", "POST"])
@requires(*RUNNERS)
@keeps_typed_text
def new_account(number: str) -> Any:
    """Make an account for the officer of a post; its first password is shown once, on the answer to this very post."""
    post, form = _post(number), NewAccountForm(request.form)
    form.offer()
    office = directory(db.session()).office(post.office_id)
    if form.is_submitted_safely():
        password = passwords.one_time_password()
        given_hash = passwords.hash_password(password)
        post_id = post.id

        def act_on(act: Act) -> None:
            about = account_changes.particulars(form.typed())
            starts_on = _day(form.starts_on.data, "starts_on", dhaka_date(act.now))
            account_changes.open_account_at(
                act.session,
                act.now,
                form.username.data or "",
                given_hash,
                about,
                post_id,
                starts_on,
                is_alternate=form.kind.data == "alternate",
                actor=guard.actor(),
            )

        problem, status = _try(act_on, form)
        if not problem and status == 200:
            return _password_page((form.username.data or "").strip().casefold(), password, office.code)
        return render_template(
            "people/new_account.html", post=_post(number), office=office, form=form, problem=problem
        ), status
    return render_template("people/new_account.html", post=post, office=office, form=form, problem=""), form.status_code


def _password_page(username: str, password: str, office: str) -> Any:
    return render_template("people/password.html", username=username, password=password, office=office)


@blueprint.route("/officers/<number>", methods=["GET", "POST"])
@requires(*RUNNERS)
@keeps_typed_text
def officer(number: str) -> Any:
    """An officer: particulars, seats, leave, account."""
    officer_id = _id(number)
    if request.method == "GET":
        return _officer_page(officer_id)
    people.profile(db.session(), guard.actor(), officer_id, _today())
    if form_is_stale():
        problem = gettext("This page was open for too long. Nothing is lost: check it and press the button again.")
        return _officer_page(officer_id, problem=problem), 400
    doer = _OFFICER_ACTS.get(request.form.get("action", ""))
    if doer is None:
        return _officer_page(officer_id, problem=gettext("Choose what is to be done.")), 422
    return doer(officer_id)


def _save_particulars(officer_id: int) -> Any:
    form = ParticularsForm(request.form)

    def act_on(act: Act) -> None:
        people.managed(act.session, guard.actor(), officer_id, dhaka_date(act.now))
        about = account_changes.particulars(form.typed())
        account_changes.change_account(act.session, act.now, officer_id, about, actor=guard.actor())

    problem, status = _try(act_on, form)
    if problem or status != 200:
        return _officer_page(officer_id, particulars=form, problem=problem), status
    return redirect(f"/people/officers/{officer_id}?done=changed", 303)


def _enter_leave(officer_id: int) -> Any:
    form = LeaveForm(request.form)

    def act_on(act: Act) -> None:
        people.profile(act.session, guard.actor(), officer_id, dhaka_date(act.now))
        days = [_day(form.starts_on.data, "starts_on"), _day(form.last_on.data, "last_on")]
        absence.enter_leave(act.session, act.now, officer_id, *days, actor=guard.actor())

    problem, status = _try(act_on, form)
    if problem or status != 200:
        return _officer_page(officer_id, leave=form, problem=problem), status
    return redirect(f"/people/officers/{officer_id}?done=leave", 303)


def _end_leave(officer_id: int) -> Any:
    def act_on(act: Act) -> None:
        today = dhaka_date(act.now)
        people.profile(act.session, guard.actor(), officer_id, today)
        leave = act.session.get(Leave, _id(request.form.get("leave", "")))
        if leave is None or leave.officer_id != officer_id:
            raise Conflict("no-such-leave")
        absence.end_leave(act.session, act.now, leave.id, today, actor=guard.actor())

    problem, status = _try(act_on)
    if problem:
        return _officer_page(officer_id, problem=problem), status
    return redirect(f"/people/officers/{officer_id}?done=back", 303)


def _give_password(officer_id: int, change: Callable[..., None]) -> Any:
    password = passwords.one_time_password()
    given_hash = passwords.hash_password(password)
    found: list[str] = []

    def act_on(act: Act) -> None:
        profile = people.managed(act.session, guard.actor(), officer_id, dhaka_date(act.now))
        found.append(profile.officer.username)
        change(act.session, act.now, officer_id, given_hash, actor=guard.actor())

    problem, status = _try(act_on)
    if problem:
        return _officer_page(officer_id, problem=problem), status
    return _password_page(found[0], password, "")


_OFFICER_ACTS: dict[str, Callable[[int], Any]] = {
    "particulars": _save_particulars,
    "leave": _enter_leave,
    "back": _end_leave,
    "password": lambda officer_id: _give_password(officer_id, account_changes.give_password),
    "reopen": lambda officer_id: _give_password(officer_id, account_changes.reopen_account),
}


def _officer_page(
    officer_id: int, particulars: ParticularsForm | None = None, leave: LeaveForm | None = None, problem: str = ""
) -> str:
    session, today = db.session(), _today()
    profile = people.profile(session, guard.actor(), officer_id, today)
    if particulars is None:
        particulars = ParticularsForm(obj=profile.officer)
    particulars.offer()
    return render_template(
        "people/officer.html",
        profile=profile,
        person=profile.officer,  # "officer" is who has signed in: layout.html
        book=directory(session),
        particulars=particulars,
        leave=leave or LeaveForm(),
        today=today,
        problem=problem,
        done=DONE.get(request.args.get("done", ""), ""),
        form=leave if leave is not None else particulars,
    )


@blueprint.route("/postings/<number>/end", methods=["GET", "POST"])
@requires(*RUNNERS)
@keeps_typed_text
def end_posting(number: str) -> Any:
    """End a posting with everything handed over; or only hand the work over; or announce the end."""
    posting_id = _id(number)
    act_name = request.form.get("action", "")
    if request.method == "POST" and act_name == "announce" and not form_is_stale():
        return _announce(posting_id)
    is_work_only = act_name == "work"
    return _hand_over(Wanted(posting_id=posting_id, is_work_only=is_work_only), Wanted(posting_id=posting_id))


@blueprint.route("/officers/<number>/close", methods=["GET", "POST"])
@requires(*RUNNERS)
@keeps_typed_text
def close_account(number: str) -> Any:
    """Close an account, with everything handed over, wherever the officer sits."""
    session, officer_id = db.session(), _id(number)
    profile = people.managed(session, guard.actor(), officer_id, _today())
    if not profile.officer.is_active:
        raise Conflict("account-closed")
    wanted = Wanted(officer_id=officer_id)
    return _hand_over(wanted, wanted)


def _announce(posting_id: int) -> Any:
    typed = (request.form.get("leaving_on") or "").strip()
    leaving_on = parse_date(typed) if typed else None
    if typed and leaving_on is None:
        return _handover_form(
            Wanted(posting_id=posting_id), day_fault=gettext("Write the day as day, month and year")
        ), 422
    try:
        handover.announce_end(guard.actor(), posting_id, leaving_on)
    except (IllegalAction, Conflict) as error:
        return _handover_form(Wanted(posting_id=posting_id), day_fault=_problem(error)), 409
    return redirect(f"/people?office={_office_of(posting_id)}&done=announced", 303)


def _hand_over(wanted: Wanted, shown: Wanted) -> Any:
    if request.method == "GET":
        return _handover_form(shown)
    if form_is_stale():
        problem = gettext("This page was open for too long. Nothing is lost: check it and press the button again.")
        return _handover_form(shown, problem=problem), 400
    if request.form.get("action") not in ("end", "work"):
        return _handover_form(shown, problem=gettext("Choose what is to be done.")), 422
    session = db.session()
    chosen = handover_page.choices(request.form, handover_page.case_ids(session, request.form))
    session.rollback()
    try:
        number = handover.hand_over(guard.actor(), wanted, chosen)
    except WorkLeft as error:
        return _handover_form(shown, left=error), 409
    except (IllegalAction, Conflict) as error:
        return _handover_form(shown, problem=_problem(error)), 409
    if number is not None:
        return redirect(f"/people/handovers/{number}", 303)
    where = f"office={_office_of(wanted.posting_id)}&" if wanted.posting_id is not None else ""
    return redirect(f"/people?{where}done=ended", 303)


def _handover_form(wanted: Wanted, *, problem: str = "", left: WorkLeft | None = None, day_fault: str = "") -> str:
    session, today = db.session(), _today()
    page = handover_page.load(session, guard.actor(), wanted, today, request.form)
    posting = session.get(Posting, wanted.posting_id) if wanted.posting_id is not None else None
    return render_template(
        "people/end.html",
        page=page,
        posting=posting,
        post=session.get(Post, posting.post_id) if posting is not None else None,
        book=directory(session),
        problem=problem,
        left=left,
        left_ids={each.case_id for each in left.left} if left is not None else set(),
        day_fault=day_fault,
        leaving_typed=request.form.get("leaving_on"),
        DESK=DESK,
        now=clock.now(session),
    )


@blueprint.get("/officers/<number>/dossier")
@signed_in
def preview(number: str) -> str:
    """The dossier of an officer's work before it is handed over: for the officer, the head, and who may see the cases."""
    return _preview(_id(number))


@blueprint.get("/dossier")
@signed_in
def own_dossier() -> str:
    """One's own work, as a successor would find it."""
    return _preview(guard.actor().officer_id or 0)


def _preview(officer_id: int) -> str:
    session, actor, today = db.session(), guard.actor(), _today()
    about = session.get(Officer, officer_id)
    offices = people.places_of(session, officer_id, today)
    mine = tuple(sorted(offices if actor.officer_id == officer_id else offices & actor.office_ids()))
    if about is None or not mine or actor.is_admin:
        raise NotFound
    work = dossier.Work(mine, officer_id=officer_id)
    return _dossier_page(work, officer=about, record=None)


@blueprint.get("/handovers/<number>")
@signed_in
def show_handover(number: str) -> str:
    """A handover and its dossier: what went to whom, and what has to be known of it. For administrators in counts."""
    session = db.session()
    record = people.record(session, guard.actor(), _id(number))
    work = dossier.Work(record.office_ids, case_ids=record.case_ids)
    return _dossier_page(work, officer=record.officer, record=record)


def _dossier_page(work: dossier.Work, officer: Any, record: people.Record | None) -> str:
    session, now = db.session(), clock.now(db.session())
    is_blind = record is not None and record.is_blind
    return render_template(
        "people/dossier.html",
        dossier=None if is_blind else dossier.load(session, guard.actor(), work, dhaka_date(now)),
        record=record,
        person=officer,
        office_ids=work.office_ids,
        book=directory(session),
        next_step=next_step,
        now=now,
        most_cases=dossier.MOST_CASES,
    )


def _try(act_on: Callable[[Act], None], form: Any = None) -> tuple[str, int]:
    """Run a change; the sentence of what is in its way and the status of the page, or an empty one and 200."""
    try:
        with transaction() as act:
            act_on(act)
    except InvalidInput as error:
        if form is not None:
            form.take(error)
        return "", 422
    except Conflict as error:
        if error.code == "username-taken" and form is not None:
            form.show_faults({"username": error.code})
            return "", 409
        return _problem(error), 409
    except IllegalAction as error:
        return _problem(error), 409
    return "", 200


def _problem(error: GrmError) -> str:
    return gettext(PROBLEMS.get(error.code, PROBLEMS["posting-has-ended"]))


def _post(number: str) -> Post:
    post = db.session().get(Post, _id(number))
    if post is None:
        raise NotFound
    people.check_office(guard.actor(), post.office_id)
    return post


def _office_of(posting_id: int) -> str:
    session = db.session()
    posting = session.get_one(Posting, posting_id)
    return directory(session).office(session.get_one(Post, posting.post_id).office_id).code


def _by_name(act: Act, typed: str) -> Officer:
    from grm.accounts.service import find_officer

    officer = find_officer(act.session, typed)
    if officer is None or not officer.is_active:
        raise InvalidInput(fields={"username": "no-such-username"})
    return officer


def _day(typed: str | None, field: str, not_before: date | None = None) -> date:
    day = parse_date(typed or "")
    if day is None:
        raise InvalidInput(fields={field: "day-missing"})
    if not_before is not None and day < not_before:
        raise InvalidInput(fields={field: "day-past"})
    return day


def _today() -> date:
    return dhaka_date(clock.now(db.session()))


def _id(typed: str) -> int:
    plain = latin_digits(typed.strip())
    if not plain.isascii() or not plain.isdigit() or len(plain) > 18:
        raise NotFound
    return int(plain)
