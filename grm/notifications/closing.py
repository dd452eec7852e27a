"""What is told of letters, of answers sent back, and of hearings: message rows, as in `grm/notifications/service.py`.

Of a hearing only day and hour are told. Where it is, and what to bring, stands on the tracking page.
"""

from typing import Any

from grm.cases import events
from grm.kernel.transaction import Act
from grm.notifications.service import tell_complainant, tell_officer


def on_letter_written(act: Act, event: events.LetterWritten) -> None:
    """Tell the complainant that the office has written, not what."""
    tell_complainant(act, event, "case-written-complainant")


def on_case_sent_back(act: Act, event: events.CaseSentBack) -> None:
    """Tell who has the case that the answer was not enough, and the complainant, who was told of it, to expect another."""
    if not event.is_with_lead:
        tell_officer(act, event, "case-sent-back-officer", event.officer_id)
    tell_complainant(act, event, "case-sent-back-complainant")


def on_hearing_set(act: Act, event: events.HearingSet) -> None:
    """Tell both sides for when it is, or is now."""
    template = "hearing-moved" if event.is_moved else "hearing-set"
    tell_complainant(act, event, f"{template}-complainant", _day_of(event))
    if event.officer_is_told:
        tell_officer(act, event, f"{template}-officer", event.officer_id, _day_of(event))


def on_hearing_cancelled(act: Act, event: events.HearingCancelled) -> None:
    """Tell both sides that they need not come."""
    tell_complainant(act, event, "hearing-cancelled-complainant", _day_of(event))
    if event.officer_is_told:
        tell_officer(act, event, "hearing-cancelled-officer", event.officer_id, _day_of(event))


def on_hearing_near(act: Act, event: events.HearingNear) -> None:
    """Remind both sides on the day before, once for each day that a hearing was set for."""
    cause = f"{event.hearing_id}-{event.at.timestamp():.0f}"
    tell_complainant(act, event, "hearing-near-complainant", _day_of(event), cause)
    tell_officer(act, event, "hearing-near-officer", event.officer_id, _day_of(event), cause)


def _day_of(event: events.HearingFact) -> dict[str, Any]:
    return {"hearing_at": event.at.isoformat()}
