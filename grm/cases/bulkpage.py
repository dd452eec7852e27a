"""What the pages of acts on many cases show: the form with its cases, and an act with what became of each case."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import RadioField, SelectField, TextAreaField

from grm.accounts.models import Officer
from grm.cases import bulk_queries, bulk_rules, bulk_wording, queuepage, referral, service, wording
from grm.cases import queue as queues
from grm.cases.bulk import may_ask
from grm.cases.bulk_models import BulkAct
from grm.cases.bulk_rules import MOST_CASES
from grm.cases.closing_page import OF_VISITS
from grm.cases.content import LONGEST_TEXT, SHORTEST_REPLY
from grm.cases.forms import ActionForm, form_for, nothing_chosen
from grm.cases.models import Case
from grm.cases.permissions import CaseFacts
from grm.cases.queries import visible_to
from grm.cases.queue import Queue
from grm.cases.queue_lines import Line, desk_title, lines_of
from grm.cases.states import Action
from grm.deadlines.calendar import dhaka_date
from grm.kernel import clock
from grm.kernel import tracking_number as numbers
from grm.kernel.actor import Actor
from grm.kernel.text import latin_digits
from grm.offices.directory import Directory
from grm.offices.queries import directory, holders
from grm.web.forms import BaseForm
from grm.web.labels import label
from grm.web.locale import gettext, lazy
from grm.web.presentation import name

_ORDER = {"cell": 0, "ministry": 1}


class DecisionForm(BaseForm):
    """Approved or not, and why."""

    decision = RadioField(lazy("Is it approved?"), validate_choice=False)
    reason = TextAreaField(lazy("Reason"))


@dataclass(frozen=True, slots=True)
class FormPage:
    """The form of an act, with the cases it is about, each of which can still be left out."""

    action: Action
    title: str
    form: ActionForm
    queue: Queue | None
    """The desk where they lie; None for cases of a report, which lie anywhere."""
    desk: str
    lines: Sequence[Line]
    needs_approval: bool


@dataclass(frozen=True, slots=True)
class Item:
    """A case of an act and what became of it."""

    line: Line
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class ActPage:
    """An act as its page shows it."""

    row: Any
    title: str
    state: tuple[str, str]
    desk: str
    queue: Queue | None
    given: Sequence[tuple[str, str]]
    """The fields of the form as they were filled in: label and value."""
    refused: Sequence[Item]
    waiting: Sequence[Item]
    done: Sequence[Item]
    may_decide: bool
    may_withdraw: bool
    may_retry: bool


def picks_in(values: Iterable[str]) -> list[tuple[str, int]]:
    """The cases that a form names, as `number.version`; what is malformed names none."""
    found: dict[str, int] = {}
    for value in values:
        typed, _, version = value[:40].rpartition(".")
        number, plain = numbers.parse(typed), latin_digits(version)
        if number is not None and plain.isascii() and plain.isdigit() and len(plain) < 10:
            found.setdefault(number, int(plain))
    return list(found.items())


def queue_in(actor: Actor, key: str) -> Queue | None:
    """The actor's desk that an address names; None for none."""
    return next((each for each in queues.queues_of(actor) if each.key == key), None)


def picks_of_view(session: Session, actor: Actor, query: str) -> list[tuple[str, int]]:
    """The cases of a view of the queue from its beginning on, as many as one act may have, with their present versions."""
    now = clock.now(session)
    view = queuepage.read(directory(session), actor, dhaka_date(now), queuepage.asked(query))
    found = queues.page(
        session,
        actor,
        view.queue,
        view.tab,
        view.filters,
        now,
        is_latest_first=view.is_latest_first,
        size=MOST_CASES,
    )
    return [(row.tracking_number, row.version) for row in found.rows]


def form_page(
    session: Session,
    actor: Actor,
    queue: Queue | None,
    action: Action,
    picks: Sequence[tuple[str, int]],
    typed: MultiDict[str, str] | Mapping[str, str] | None = None,
) -> FormPage:
    """The form of an act for the cases named, as far as the actor may see them; `typed` is what was filled in before."""
    now = clock.now(session)
    book, seen = directory(session), dict(picks[:MOST_CASES])
    rows = session.execute(
        select(*queues.COLUMNS)
        .outerjoin(Officer, Officer.id == Case.assignee_id)
        .where(Case.tracking_number.in_(seen), visible_to(actor))
        .order_by(Case.due_at, Case.id)
    ).all()
    form = form_for(action, MultiDict(typed) if typed is not None else None)
    _offer(session, form, queue, any(row.is_sensitive for row in rows), now)
    if action is Action.RESOLVE and not any(book.category(row.category_id).needs_visit for row in rows):
        form.drop(*OF_VISITS)
    lines = lines_of(book, rows, now, queues.soon_until(session, now), shows_office=queue is None)
    return FormPage(
        action=action,
        title=gettext(bulk_wording.TITLES[action]),
        form=form,
        queue=queue,
        desk=_where(book, queue),
        lines=[
            replace(line, pick=f"{row.tracking_number}.{seen[row.tracking_number]}", is_picked=True)
            for line, row in zip(lines, rows, strict=True)
        ],
        needs_approval=action in bulk_rules.NEEDS_APPROVAL,
    )


def act_page(session: Session, actor: Actor, bulk_id: int) -> ActPage:
    """An act with those of its cases that the reader may see. Raises `NotFound`."""
    row = bulk_queries.find_bulk(session, actor, bulk_id)
    act = row.BulkAct
    now, book = clock.now(session), directory(session)
    queue, action = queue_of(act), Action[act.action]
    form = form_for(action, MultiDict(act.fields))
    _offer(session, form, queue, False, now)
    labels = {field.name: str(field.label.text) for field in form}
    rows = bulk_queries.items_of(session, actor, bulk_id)
    shows_office = queue is None or action is Action.REFER
    lines = lines_of(book, rows, now, queues.soon_until(session, now), shows_office=shows_office)
    items = [
        Item(line, each.item_state, bulk_wording.why(each.code, labels.get(each.field, "")) if each.code else "")
        for line, each in zip(lines, rows, strict=True)
    ]
    is_own = act.officer_id == actor.officer_id
    waits = act.state == "waiting_for_approval"
    return ActPage(
        row=row,
        title=gettext(bulk_wording.TITLES[action]),
        state=bulk_wording.STATES[act.state],
        desk=_where(book, queue),
        queue=queue,
        given=[(labels[field.name], shown) for field in form if (shown := _shown(book, field))],
        refused=[each for each in items if each.state == "refused"],
        waiting=[each for each in items if each.state == "waiting"],
        done=[each for each in items if each.state == "done"],
        may_decide=waits and not is_own,
        may_withdraw=waits and is_own,
        may_retry=is_own and action in may_ask(actor, queue),
    )


def queue_of(act: BulkAct) -> Queue | None:
    """The desk of an act; None for one from a report."""
    return Queue(act.office_id, act.desk) if act.office_id is not None and act.desk is not None else None


def _where(book: Directory, queue: Queue | None) -> str:
    return desk_title(book, queue) if queue else gettext("From a report")


def _offer(session: Session, form: ActionForm, queue: Queue | None, is_sensitive: bool, now: datetime) -> None:
    """The officers and offices to choose from. Each case is checked by itself when its turn comes."""
    today = dhaka_date(now)
    if queue is None:
        return
    if form.action is Action.ASSIGN:
        staff = service.handlers_among(holders(session, [queue.office_id], today), queue.desk, ())
        form.offer(assignee=[nothing_chosen(), *((str(each.officer_id), name(each)) for each in staff)])
    elif form.action is Action.REFER:
        facts = CaseFacts("", "filed", queue.office_id, queue.desk, is_sensitive)
        found = sorted(
            (_ORDER.get(office.kind, 2), name(office), office.code)
            for office, _ in referral.targets(session, facts, today)
        )
        form.offer(office=[nothing_chosen(), *((code, title) for _, title, code in found)])


def _shown(book: Directory, field: Any) -> str:
    """A field as it was filled in, in words."""
    value = str(field.data or "")
    if field.name == "office" and value:
        return name(next((each for each in book.offices if each.code == value), None))
    if isinstance(field, SelectField):  # a radio field is one too
        return next((str(choice[1]) for choice in field.iter_choices() if choice[0] == value), value)
    return value


def decision_form(decision: str, reason: str, faults: Mapping[str, str]) -> DecisionForm:
    """The form of who decides, with what was filled in and what is wrong with it."""
    form = DecisionForm(MultiDict({"decision": decision, "reason": reason}))
    form.decision.choices = [("approve", gettext("Yes, do it")), ("refuse", gettext("No"))]
    for field in form:
        if field.name in faults:
            field.errors = [wording.fault(faults[field.name], SHORTEST_REPLY, LONGEST_TEXT)]
    return form


def state_tag(state: str) -> tuple[str, str]:
    """Words and colour of an act's state."""
    words, colour = bulk_wording.STATES[state]
    return gettext(words), colour


def action_label(action: str) -> str:
    """The title of an act by its code."""
    return gettext(bulk_wording.TITLES[Action[action]])


def role_label(role: str) -> str:
    """As what somebody asked."""
    return label("role", role)
