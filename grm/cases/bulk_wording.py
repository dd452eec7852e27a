"""The words for acts on many cases: what they are, how they stand, and why a case was left out."""

from collections.abc import Mapping

from grm.cases import wording
from grm.cases.content import LONGEST_TEXT, SHORTEST_REPLY
from grm.cases.states import Action
from grm.web.locale import gettext


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


BUTTONS: Mapping[Action, str] = {
    Action.ASSIGN: _("Assign …"),
    Action.REFER: _("Refer …"),
    Action.RESOLVE: _("Answer …"),
    Action.CLOSE: _("Close …"),
    Action.REMIND: _("Send a reminder …"),
    Action.DIRECT: _("Give a direction …"),
    Action.TAKE_UP: _("Take up …"),
}
"""What stands below the queue; each leads to the form of the act."""

TITLES: Mapping[Action, str] = {
    Action.ASSIGN: _("Assign several cases to an officer"),
    Action.REFER: _("Refer several cases to another office"),
    Action.RESOLVE: _("Answer several cases with one text"),
    Action.CLOSE: _("Close several files"),
    Action.REMIND: _("Send a reminder of several cases"),
    Action.DIRECT: _("Give one direction on several cases"),
    Action.TAKE_UP: _("Take up several late cases"),
}

STATES: Mapping[str, tuple[str, str]] = {
    "waiting_for_approval": (_("Waiting for approval"), "amber"),
    "running": (_("Under way"), "blue"),
    "done": (_("Done"), "green"),
    "refused": (_("Not approved"), "red"),
    "withdrawn": (_("Withdrawn"), ""),
}
"""Words and colour of an act's state."""

_BROKEN = _("This could not be done because of an error; the operators can see which.")
WHY: Mapping[str, str] = {
    "not-found": _("You may no longer open this case."),
    "case-changed": _("Somebody has acted on this case since you chose it. Look at it, then try again."),
    "not-at-this-desk": _("This case lay at another desk."),
    "not-approved": _("Not approved: it is not for the one who decided to know of this case."),
    "could-not-be-done": _BROKEN,
}
"""Why an item was refused, beyond the reasons of the single act."""

FAULTS: Mapping[str, str] = {
    "choose-cases": _("Choose at least one case"),
    "too-many-cases": _("Choose at most 500 cases at a time"),
}

PROBLEMS: Mapping[str, str] = {
    "bulk-decided": _("Somebody has decided on this already, or it was withdrawn."),
}


def why(code: str, field_label: str) -> str:
    """The sentence for a refused item; `field_label` names the field it is about, if it is about one."""
    if code in WHY:
        return gettext(WHY[code])
    if code in wording.WHY:
        return gettext(wording.WHY[code])
    if code in wording.FAULTS:
        fault = wording.fault(code, SHORTEST_REPLY, LONGEST_TEXT)
        return f"{field_label}: {fault}" if field_label else fault
    return gettext(_BROKEN)
