"""Who is told of a finding: who sits above the desk that closed the case. Once for each closure, and not what was found."""

from grm.cases.permissions import DESK_ROLE
from grm.kernel.clock import dhaka_date
from grm.kernel.transaction import Act
from grm.notifications import audience
from grm.notifications.catalogue import REVIEW_FINDING, SENSITIVE_OFFICER
from grm.notifications.handovers import tell
from grm.reviews.events import FindingMade


def on_finding_made(act: Act, event: FindingMade) -> None:
    """Tell the superior by e-mail; of a sensitive case only that there is something to read."""
    accused = audience.accused_of(act.session, [event.case_id]).get(event.case_id, ())
    above = audience.seat_above(
        act.session, event.office_id, DESK_ROLE[event.desk], dhaka_date(act.now), accused, event.not_told
    )
    if above is None or above.acting is None:
        return
    name = f"{REVIEW_FINDING}:{event.sample_id}"
    if event.is_sensitive:
        tell(act, SENSITIVE_OFFICER, name, {above.acting.officer_id: "{}"})
    else:
        params = f'{{"tracking_number": "{event.tracking_number}", "is_review": true}}'
        tell(act, REVIEW_FINDING, name, {above.acting.officer_id: params})
