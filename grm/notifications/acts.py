"""What officers are told of investigations, extensions and the complainant's own acts: message rows, as in
`grm/notifications/service.py`."""

from grm.cases import events
from grm.kernel.clock import dhaka_date
from grm.kernel.transaction import Act
from grm.notifications import audience
from grm.notifications.service import tell_complainant, tell_officer
from grm.offices.queries import directory


def on_investigation_reported(act: Act, event: events.InvestigationReported) -> None:
    """Tell who handles the case."""
    tell_officer(act, event, "case-reported-officer", event.officer_id)


def on_permission_asked(act: Act, event: events.PermissionAsked) -> None:
    """Tell who permits the investigation: the one named, else whoever answers for the cell."""
    officer_id = event.officer_id
    if officer_id is None:
        cell, on = directory(act.session).cell.id, dhaka_date(act.now)
        officer_id = audience.desk_holder(act.session, event.case_id, cell, "cell", on)
    if officer_id is not None:
        tell_officer(act, event, "case-permission-asked-officer", officer_id)


def on_permission_decided(act: Act, event: events.PermissionDecided) -> None:
    """Tell who asked, or has the case now; if nobody, who answers for the desk."""
    tell_officer(act, event, "case-permission-decided-officer", event.officer_id)


def on_extension_requested(act: Act, event: events.ExtensionRequested) -> None:
    """Tell who decides on it: whoever answers for the desk, or, where that is who asks, the desk above."""
    on = dhaka_date(act.now)
    cell = directory(act.session).cell.id
    for office_id, desk in ((event.office_id, event.desk), (event.office_id, "appeal"), (cell, "cell")):
        officer_id = audience.desk_holder(act.session, event.case_id, office_id, desk, on)
        if officer_id is not None and officer_id != event.requester_id:
            tell_officer(act, event, "case-extension-asked-officer", officer_id)
            return


def on_extension_decided(act: Act, event: events.ExtensionDecided) -> None:
    """Tell who asked, and of a new date the complainant."""
    tell_officer(act, event, "case-extension-decided-officer", event.officer_id)
    if event.is_approved:
        tell_complainant(act, event, "case-extended-complainant")


def on_information_added(act: Act, event: events.InformationAdded) -> None:
    """Tell who handles the case; if nobody does, who answers for the desk."""
    tell_officer(act, event, "case-information-officer", event.officer_id)


def on_case_resumed(act: Act, event: events.CaseResumed) -> None:
    """Tell who handles the case that no answer came; if nobody does, who answers for the desk."""
    tell_officer(act, event, "case-resumed-officer", event.officer_id)


def on_case_withdrawn(act: Act, event: events.CaseWithdrawn) -> None:
    """Tell who handled the case; a case nobody had taken leaves the queue without a word."""
    if event.officer_id is not None:
        tell_officer(act, event, "case-withdrawn-officer", event.officer_id)
