"""One complaint, many complainants: who joins in is added by the office, and told beside who filed.

Nobody is taken out again: who was added by mistake stays in the record, with a note that says so. Number and secret stay with
who filed; the others hear of questions and decisions, each once.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select

from grm.cases import events
from grm.cases.content import Content
from grm.cases.models import Complainant
from grm.cases.sealing import opened, sealed
from grm.cases.spine import Step, acting, apply
from grm.cases.states import Action
from grm.kernel import context
from grm.kernel.actor import Actor
from grm.kernel.contact import parse_email, parse_mobile
from grm.kernel.errors import IllegalAction, InvalidInput
from grm.kernel.text import clean_line, is_blank

LONGEST_LINE = 300
MOST_PEOPLE = 100
"""In one complaint: beyond it, messages would cost what a notice at the office does better."""


def add_complainant(
    actor: Actor,
    tracking_number: str,
    version: int | None,
    *,
    name: str = "",
    phone: str = "",
    email: str = "",
    now: datetime | None = None,
) -> int:
    """Add somebody to a complaint; name, phone and e-mail may each be missing, but not all. They are told, where they can be.

    `InvalidInput` for an address that is none, or that is in the complaint already; `IllegalAction` `anonymous-stays` where the
    complaint is anonymous, `too-many-people`.
    """
    content = Content()
    called = _parsed(content, "name", name, _line)
    number = _parsed(content, "phone", phone, parse_mobile)
    address = _parsed(content, "email", email, parse_email)
    if not content.faults and not (called or number or address):
        content.faults["name"] = "phone-or-email"
    with acting(actor, tracking_number, version, Action.ADD_COMPLAINANT, now) as step:
        content.check()
        _check_new(step, content, number, address)
        content.check()
        person = Complainant(
            case_id=step.case.id,
            role="member",
            **sealed(step.case.tracking_number, name=called, phone=number, email=address),
        )
        step.session.add(person)
        apply(step, "complainant_added", {"has_phone": bool(number), "has_email": bool(address)})
        step.session.flush()
        step.act.record(events.ComplainantAdded(**step.about(), complainant_id=person.id))
        return step.case.version


def _parsed(content: Content, field: str, typed: str, parse: Callable[[str], str]) -> str | None:
    if is_blank(typed):
        return None
    try:
        return parse(typed)
    except InvalidInput as error:
        fault = {"phone": "phone-wrong", "email": "email-wrong"}.get(field, error.code)
        content.faults[field] = "control-characters" if error.code == "control-characters" else fault
        return None


def _line(typed: str) -> str:
    line = clean_line(typed)
    if len(line) > LONGEST_LINE:
        raise InvalidInput("too-long-line")
    return line


def _check_new(step: Step, content: Content, phone: str | None, email: str | None) -> None:
    people = step.session.scalars(select(Complainant).where(Complainant.case_id == step.case.id)).all()
    if len(people) >= MOST_PEOPLE:
        raise IllegalAction("too-many-people")
    if phone and context.keyring().blind_index("phone", phone) in {each.phone_index for each in people}:
        content.faults["phone"] = "already-in-it"
    known = {(opened(step.case.tracking_number, "email", each.email_sealed) or "").casefold() for each in people}
    if email and email.casefold() in known:
        content.faults["email"] = "already-in-it"
