"""Who is told of new alarms: the cell, by one e-mail a morning for all of them, which says how many and nothing more."""

from grm.alarms.events import AlarmsRaised
from grm.kernel.clock import dhaka_date
from grm.kernel.transaction import Act
from grm.notifications.catalogue import ALARMS_RAISED
from grm.notifications.handovers import tell
from grm.offices.queries import directory, holders


def on_alarms_raised(act: Act, event: AlarmsRaised) -> None:
    """Tell each officer who sits at the cell today; each alarm is told of in the morning that raised it, once."""
    cell_id = directory(act.session).cell.id
    seats = [seat for seat in holders(act.session, [cell_id], dhaka_date(act.now)) if seat.role == "cell_officer"]
    officers = {each.officer_id for seat in seats for each in seat.present}
    params = f'{{"alarms": {event.total:d}}}'
    tell(act, ALARMS_RAISED, f"{ALARMS_RAISED}:{event.day.isoformat()}", dict.fromkeys(officers, params))
