"""What each form of the case page does: action → the service, with the fields as typed. Bulk acts go the same way."""

from collections.abc import Callable

from grm.cases import (
    appeals,
    attachment_form,
    closing,
    collective,
    directions,
    hearings,
    informing,
    investigations,
    referrals,
    reminding,
    service,
    subcases,
    taking_up,
)
from grm.cases.closing_forms import parse_hour
from grm.cases.states import Action
from grm.kernel.actor import Actor
from grm.kernel.db import db
from grm.kernel.errors import GrmError
from grm.kernel.text import latin_digits, parse_date
from grm.offices.queries import directory


def _id(typed: str) -> int | None:
    plain = latin_digits(typed.strip())
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 else None


def _office_id(typed: str) -> int | None:
    book = directory(db.session())
    try:
        return book.office(_id(typed) or typed.strip()).id
    except GrmError:
        return None


def _confirmed(typed: dict[str, str]) -> list[str]:
    """The questions about a reply that were ticked; a form without such boxes has confirmed none."""
    return typed.get("confirmed", "").split()


ACTS: dict[Action, Callable[[Actor, str, int, dict[str, str]], int]] = {
    Action.ACKNOWLEDGE: lambda actor, number, version, typed: service.acknowledge_case(actor, number, version),
    Action.CLAIM: lambda actor, number, version, typed: service.claim_case(actor, number, version),
    Action.ASSIGN: lambda actor, number, version, typed: service.assign_case(
        actor, number, version, _id(typed["assignee"])
    ),
    Action.NOTE: lambda actor, number, version, typed: service.add_note(actor, number, version, typed["note"]),
    Action.ASK: lambda actor, number, version, typed: service.ask_complainant(
        actor, number, version, typed["question"]
    ),
    Action.REFER: lambda actor, number, version, typed: service.refer_case(
        actor, number, version, _office_id(typed["office"]), typed["reason"]
    ),
    Action.RESOLVE: lambda actor, number, version, typed: service.resolve_case(
        actor,
        number,
        version,
        outcome=typed["outcome"],
        reply=typed["reply"],
        root_cause=typed["root_cause"],
        prevention=typed["prevention"],
        contact=typed["contact"],
        reason=typed["reason"],
        visited_on=parse_date(typed.get("visited_on", "")),
        visit=typed.get("visit", ""),
        no_visit=typed.get("no_visit", ""),
        confirmed=_confirmed(typed),
    ),
    Action.INVESTIGATE: lambda actor, number, version, typed: investigations.start_investigation(
        actor, number, version, [_id(typed[f"member_{n}"]) for n in (1, 2, 3)], typed["reason"]
    ),
    Action.PERMIT: lambda actor, number, version, typed: investigations.permit_investigation(
        actor, number, version, typed["decision"], typed["reason"]
    ),
    Action.REPORT: lambda actor, number, version, typed: investigations.report_investigation(
        actor, number, version, typed["findings"]
    ),
    Action.REQUEST_EXTENSION: lambda actor, number, version, typed: investigations.request_extension(
        actor, number, version, typed["reason"]
    ),
    Action.DECIDE_EXTENSION: lambda actor, number, version, typed: investigations.decide_extension(
        actor, number, version, typed["decision"], typed["reason"]
    ),
    Action.RECOMMEND: lambda actor, number, version, typed: appeals.recommend_case(
        actor,
        number,
        version,
        outcome=typed["outcome"],
        reply=typed["reply"],
        recommendation=typed["recommendation"],
        root_cause=typed["root_cause"],
        prevention=typed["prevention"],
        contact=typed["contact"],
        reason=typed["reason"],
        confirmed=_confirmed(typed),
    ),
    Action.COMPLY: lambda actor, number, version, typed: appeals.comply_case(
        actor, number, version, typed["reply"], confirmed=_confirmed(typed)
    ),
    Action.ADD_COMPLAINANT: lambda actor, number, version, typed: collective.add_complainant(
        actor, number, version, name=typed["name"], phone=typed["phone"], email=typed["email"]
    ),
    Action.INFORM: lambda actor, number, version, typed: informing.inform_case(
        actor,
        number,
        version,
        how=typed["how"],
        contacted_on=parse_date(typed["contacted_on"]),
        note=typed["note"],
        whom=_id(typed.get("whom", "")),
    ),
    Action.DECLINE: lambda actor, number, version, typed: service.decline_case(
        actor, number, version, typed["reason"], typed["reply"], confirmed=_confirmed(typed)
    ),
    Action.ACCEPT: lambda actor, number, version, typed: referrals.accept_case(actor, number, version),
    Action.RETURN: lambda actor, number, version, typed: referrals.return_case(actor, number, version, typed["reason"]),
    Action.SPLIT: lambda actor, number, version, typed: subcases.split_case(
        actor,
        number,
        version,
        _office_id(typed["office"]),
        typed["part"],
        [each for each in subcases.PASSED_ON if typed.get(f"pass_{each}")],
    ),
    Action.TAKE_UP: lambda actor, number, version, typed: taking_up.take_up_case(
        actor, number, version, typed["reason"]
    ),
    Action.DIRECT: lambda actor, number, version, typed: directions.direct_case(
        actor, number, version, typed["direction"]
    ),
    Action.ANSWER_DIRECTION: lambda actor, number, version, typed: directions.answer_direction(
        actor, number, version, typed["report"]
    ),
    Action.REMIND: lambda actor, number, version, typed: reminding.remind_case(
        actor, number, version, typed["reminder"], bulk_id=_id(typed.get("bulk_id", ""))
    ),
    Action.CLOSE: lambda actor, number, version, typed: service.close_case(actor, number, version, typed["reason"]),
    Action.ATTACH: attachment_form.attach,
    Action.WRITE: lambda actor, number, version, typed: closing.write_to_complainant(
        actor, number, version, typed["letter"], confirmed=_confirmed(typed)
    ),
    Action.SEND_BACK: lambda actor, number, version, typed: closing.send_back_case(
        actor, number, version, typed["reason"]
    ),
    Action.SCHEDULE_HEARING: lambda actor, number, version, typed: hearings.schedule_hearing(
        actor,
        number,
        version,
        on=parse_date(typed["hearing_on"]),
        hour=parse_hour(typed["hour"]),
        place=typed["place"],
        note=typed["bring"],
    ),
    Action.RECORD_HEARING: lambda actor, number, version, typed: hearings.record_hearing(
        actor, number, version, typed["result"], typed["minutes"]
    ),
}
