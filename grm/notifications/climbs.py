"""What follows from the rungs that a batch of the sweep has climbed: digests, notices at once at the top, word to complainants.

Seven statements however many climbs there are; an officer whom no message reaches costs a few more.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Protocol

from grm.kernel import clock, context
from grm.kernel.clock import dhaka_date
from grm.kernel.transaction import Act
from grm.notifications import audience, digests
from grm.notifications.audience import OfficerContact
from grm.notifications.quiet_hours import earliest_sending
from grm.notifications.service import Draft, complainant_drafts, insert

ESCALATED = "case-escalated-officer"
LATE_KINDS = ("resolve", "appeal")
"""The clocks whose first missed date the complainant is told of: there is somebody above, to whom the case has risen."""


class Climb(Protocol):
    """One rung that a case has climbed, as `grm/escalation/events.py` tells it. Without `officer_id` the chair is empty."""

    @property
    def case_id(self) -> int: ...
    @property
    def tracking_number(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def level(self) -> int: ...
    @property
    def officer_id(self) -> int | None: ...
    @property
    def is_sensitive(self) -> bool: ...
    @property
    def due_on(self) -> date: ...
    @property
    def deadline_id(self) -> int: ...
    @property
    def epoch(self) -> int: ...
    @property
    def office_id(self) -> int: ...
    @property
    def role(self) -> str: ...


class Climbs(Protocol):
    """Everything one batch of the sweep climbed."""

    @property
    def climbs(self) -> Sequence[Climb]: ...


def on_ladder_climbed(act: Act, event: Climbs) -> None:
    """Tell the officers whom the rungs name, and the complainants of cases that have just become late.

    The top of the ladder hears at once, of each case; everybody else by the next digest. Seven statements however many climbs
    there are. A sweep that looks ahead (`--as-of`) sends its messages now.
    """
    at = min(act.now, clock.now(act.session))
    sms_at = earliest_sending(at) if context.settings().is_production else at
    told = [climb for climb in event.climbs if climb.officer_id is not None]
    officers = audience.officers_of(act.session, {climb.officer_id for climb in told if climb.officer_id is not None})
    stand_ins = _stand_ins(act, [climb for climb in told if not _is_reached(officers.get(climb.officer_id or 0))])
    drafts: list[Draft] = []
    gathered: list[digests.Climbed] = []
    for climb in told:
        officer = officers.get(climb.officer_id or 0)
        if not _is_reached(officer):
            officer = stand_ins.get((climb.office_id, climb.role))
        if officer is None:
            continue
        if climb.level > digests.HIGHEST_GATHERED:
            drafts += _climb_drafts(climb, officer, at, sms_at)
        else:
            name = (climb.case_id, climb.deadline_id, climb.epoch, climb.level)
            gathered += [(name, officer, channel) for channel in digests.channels_for(climb.level, officer)]
    digests.gather_climbs(act.session, gathered, at)
    late = {climb.case_id: climb for climb in event.climbs if climb.level == 1 and climb.kind in LATE_KINDS}
    if late:
        for contact in audience.contacts_of(act.session, context.keyring(), late).values():
            climb = late[contact.case_id]
            cause = f"{climb.deadline_id}:{climb.epoch}"
            drafts += complainant_drafts("case-late-complainant", contact, cause, at, sms_at, due_on=climb.due_on)
    insert(act, drafts)


def _is_reached(officer: OfficerContact | None) -> bool:
    return officer is not None and bool(officer.channels)


def _stand_ins(act: Act, climbs: Sequence[Climb]) -> dict[tuple[int, str], OfficerContact]:
    """Who stands above a post whose holder no message reaches, by office and role: no address, or mail comes back from it."""
    places = {(climb.office_id, climb.role): [climb.case_id for climb in climbs] for climb in climbs}
    today = dhaka_date(act.now)
    found: dict[tuple[int, str], OfficerContact] = {}
    for (office_id, role), case_ids in places.items():
        accused = [each for rows in audience.accused_of(act.session, case_ids).values() for each in rows]
        seat = audience.seat_above(act.session, office_id, role, today, accused)
        if seat is not None and seat.acting is not None:
            officer = audience.officers_of(act.session, [seat.acting.officer_id]).get(seat.acting.officer_id)
            if officer is not None and _is_reached(officer):
                found[office_id, role] = officer
    return found


def _climb_drafts(climb: Climb, officer: OfficerContact, at: datetime, sms_at: datetime) -> Iterable[Draft]:
    for channel in digests.channels_for(climb.level, officer):
        yield Draft(
            f"{ESCALATED}:{climb.case_id}:{climb.deadline_id}:{climb.epoch}:{climb.level}:{channel}",
            ESCALATED,
            channel,
            officer.language,
            climb.case_id,
            climb.is_sensitive,
            {"tracking_number": climb.tracking_number, "due_on": climb.due_on.isoformat(), "level": climb.level},
            at,
            sms_at if channel == "sms" else at,
            officer_id=officer.officer_id,
        )
