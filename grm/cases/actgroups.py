"""How the case page arranges what can be done: in a few groups, and the most likely act before all others. Pure."""

from collections.abc import Collection

from grm.cases.states import Action


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


GROUPS: tuple[tuple[str, tuple[Action, ...]], ...] = (
    (
        _("Answer"),
        (
            *(Action.RESOLVE, Action.RECOMMEND, Action.COMPLY, Action.ANSWER_DIRECTION, Action.ASK, Action.WRITE),
            *(Action.DECLINE, Action.INFORM, Action.CLOSE),
        ),
    ),
    (
        _("Work on it"),
        (
            *(Action.ACKNOWLEDGE, Action.CLAIM, Action.NOTE, Action.ATTACH, Action.SCHEDULE_HEARING),
            *(Action.RECORD_HEARING, Action.INVESTIGATE, Action.REPORT, Action.REQUEST_EXTENSION),
        ),
    ),
    (_("Hand on"), (Action.ACCEPT, Action.RETURN, Action.ASSIGN, Action.REFER, Action.SPLIT)),
    (
        _("Join with others"),
        (Action.MERGE, Action.UNMERGE, Action.LINK, Action.UNLINK, Action.ADD_COMPLAINANT),
    ),
    (
        _("Supervise"),
        (
            *(Action.PERMIT, Action.DECIDE_EXTENSION, Action.SEND_BACK, Action.TAKE_UP, Action.DIRECT),
            Action.REMIND,
        ),
    ),
)
"""Every act of an officer stands in exactly one group."""

_LIKELY = (
    *(Action.ACCEPT, Action.ANSWER_DIRECTION, Action.PERMIT, Action.DECIDE_EXTENSION, Action.CLAIM, Action.ACKNOWLEDGE),
    Action.INFORM,
    *(Action.COMPLY, Action.REPORT, Action.TAKE_UP, Action.RECOMMEND, Action.RESOLVE, Action.CLOSE, Action.UNMERGE),
)


def likely(allowed: Collection[Action], is_assigned: bool) -> Action | None:
    """What is most likely to be done next among what is allowed: what somebody waits for, then taking the case, then
    deciding it. None where nothing stands out."""
    wanted = (each for each in _LIKELY if not (is_assigned and each is Action.CLAIM))
    return next((each for each in wanted if each in allowed), None)
