"""What follows from a reminder of a superior: a message to who has the case. Of many cases at once each holder gets one message:
five hundred of a kind are read by nobody."""

from grm.cases.events import CaseReminded
from grm.kernel.clock import dhaka_date
from grm.kernel.transaction import Act
from grm.notifications import audience
from grm.notifications.catalogue import REMINDED_OF_MANY
from grm.notifications.handovers import tell
from grm.notifications.service import tell_officer

ONE = "case-reminded-officer"


def on_case_reminded(act: Act, event: CaseReminded) -> None:
    """Tell who handles the case; if nobody does, who answers for the desk."""
    if event.bulk_id is None:
        tell_officer(act, event, ONE, event.officer_id)
        return
    place, today = (event.office_id, event.desk), dhaka_date(act.now)
    if event.officer_id is not None:
        whom: int | None = audience.stand_in(act.session, event.case_id, *place, event.officer_id, today)
    else:
        whom = audience.desk_holder(act.session, event.case_id, *place, today)
    if whom is not None:
        tell(act, REMINDED_OF_MANY, f"{REMINDED_OF_MANY}:{event.bulk_id}", {whom: "{}"})
