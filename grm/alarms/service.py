"""What is done about an alarm: somebody of the cell says that it is seen to, and cases of it are linked under a lead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from grm.alarms.models import Alarm
from grm.alarms.queries import conditions, count, is_hidden
from grm.cases import links
from grm.cases.models import Case
from grm.cases.queries import visible_to
from grm.kernel import audit
from grm.kernel import tracking_number as numbers
from grm.kernel.actor import Actor
from grm.kernel.db import db
from grm.kernel.errors import Conflict, GrmError, IllegalAction, InvalidInput, NotFound
from grm.kernel.text import is_blank
from grm.kernel.transaction import transaction

STREAM = "alarms"
SHORTEST_WORDS, LONGEST_WORDS = 5, 1_000
MOST_LINKED = 50
"""With one press: each is an act of its own."""


def acknowledge(actor: Actor, alarm_id: int, words: str, *, now: datetime | None = None) -> None:
    """Say who sees to an alarm, and what is being done. The same words of the same officer again change nothing.

    Raises `NotFound`, `InvalidInput` for words that say nothing, `IllegalAction` `alarm-over`, and `Conflict` where somebody else
    was first.
    """
    text = words.strip()
    with transaction(now) as act:
        at = act.now  # asked before anything is changed: a row half written is refused
        alarm = act.session.get(Alarm, alarm_id, with_for_update=True, populate_existing=True)
        if alarm is None or not actor.has_role("cell_officer"):
            raise NotFound
        if alarm.kind == "surge" and is_hidden(act.session, alarm, at, count(act.session, actor, alarm, at)):
            raise NotFound
        if alarm.state == "over":
            raise IllegalAction("alarm-over")
        if alarm.state == "acknowledged":
            if (alarm.acknowledged_by_id, alarm.words) == (actor.officer_id, text):
                return
            raise Conflict
        if is_blank(text) or len(text) < SHORTEST_WORDS:
            raise InvalidInput(fields={"words": "too-short"})
        if len(text) > LONGEST_WORDS:
            raise InvalidInput(fields={"words": "too-long"})
        alarm.state, alarm.words = "acknowledged", text
        alarm.acknowledged_at, alarm.acknowledged_by_id = at, actor.officer_id
        audit.record(act.session, STREAM, "AlarmAcknowledged", actor, at, alarm_id=alarm_id)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case that was to be linked: empty, or the code of why it was not."""

    tracking_number: str
    why_not: str


def link_under(
    actor: Actor,
    alarm_id: int,
    lead_number: str,
    picked: Sequence[tuple[str, int | None]],
    *,
    now: datetime | None = None,
) -> tuple[Outcome, ...]:
    """Link cases of an alarm (number and the version that was shown) under a lead case, each as its own page would do it; the
    lead itself is passed over.

    Raises `InvalidInput` for a lead or cases that are not the alarm's, or none.
    """
    session = db.session()
    alarm = session.get(Alarm, alarm_id)
    if alarm is None:
        raise NotFound
    lead = numbers.parse(lead_number)
    chosen = {number: version for typed, version in picked if (number := numbers.parse(typed)) is not None}
    wanted = {*chosen, *([lead] if lead else [])}
    of_alarm = select(Case.tracking_number).where(
        Case.tracking_number.in_(wanted), conditions(alarm, now), visible_to(actor)
    )
    known = set(session.scalars(of_alarm))
    session.rollback()
    if lead is None or lead not in known:
        raise InvalidInput(fields={"lead": "no-such-case"})
    followers = [number for number in chosen if number in known and number != lead][:MOST_LINKED]
    if not followers:
        raise InvalidInput(fields={"case": "choose-one"})
    return tuple(Outcome(each, _link(actor, each, chosen[each], lead, now)) for each in followers)


def _link(actor: Actor, number: str, version: int | None, lead: str, now: datetime | None) -> str:
    try:
        links.link_case(actor, number, version, lead, now=now)
    except GrmError as error:
        return next(iter(error.fields.values()), error.code) if isinstance(error, InvalidInput) else error.code
    return ""
