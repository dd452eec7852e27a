"""What officers are told of bulk acts: that one waits for their approval, and that theirs is decided. Never a case."""

from grm.accounts.models import Officer
from grm.cases import bulk
from grm.cases.events import BulkAsked, BulkDecided
from grm.kernel.clock import dhaka_date
from grm.kernel.transaction import Act
from grm.notifications.catalogue import BULK_ASKED, BULK_DECIDED
from grm.notifications.handovers import tell
from grm.offices.queries import directory, holders
from grm.offices.signed_in import actor_of


def on_bulk_asked(act: Act, event: BulkAsked) -> None:
    """Tell who sits nearest above and may know of one of the cases; where nobody does, the Cabinet Division cell, which may
    approve everywhere.

    Not of how many cases: some may be none that they are to know of.
    """
    cell_id = directory(act.session).cell.id
    seats = holders(act.session, {event.office_id, cell_id}, dhaka_date(act.now))
    for office_id, role in (*((event.office_id, role) for role in event.roles), (cell_id, "cell_officer")):
        found = {
            seat.acting.officer_id
            for seat in seats
            if (seat.office_id, seat.role) == (office_id, role) and seat.acting is not None
        } - {event.asker_id}
        found = {each for each in found if _may_know(act, event.bulk_id, each)}
        if found:
            params = f'{{"bulk_id": {event.bulk_id:d}}}'
            tell(act, BULK_ASKED, f"{BULK_ASKED}:{event.bulk_id}", dict.fromkeys(found, params))
            return


def _may_know(act: Act, bulk_id: int, officer_id: int) -> bool:
    officer = act.session.get_one(Officer, officer_id)
    return bulk.knows(act.session, actor_of(act.session, officer, dhaka_date(act.now)), bulk_id)


def on_bulk_decided(act: Act, event: BulkDecided) -> None:
    """Tell who asked; the page says what was decided."""
    params = {event.asker_id: f'{{"bulk_id": {event.bulk_id:d}, "bulk_cases": {event.cases:d}}}'}
    tell(act, BULK_DECIDED, f"{BULK_DECIDED}:{event.bulk_id}", params)
