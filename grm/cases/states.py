"""The eight statuses of a case, the actions, and the one table of what leads where.

Tier, outcome and escalation level are other columns: a status says only how far the file has come. The database
refuses any change of status that the table does not allow (migration 0003); `docs/states.md` is drawn from it.
"""

from enum import StrEnum


class Status(StrEnum):
    """How far the file has come."""

    FILED = "filed"
    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    RESOLVED = "resolved"
    CLOSED = "closed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Action(StrEnum):
    """What an officer, the complainant or the system may want to do to a case."""

    ACKNOWLEDGE = "ACKNOWLEDGE"
    CLAIM = "CLAIM"
    ASSIGN = "ASSIGN"
    NOTE = "NOTE"
    ASK = "ASK"
    ANSWER = "ANSWER"
    ADD_INFORMATION = "ADD_INFORMATION"
    RESUME = "RESUME"
    REFER = "REFER"
    RESOLVE = "RESOLVE"
    DECLINE = "DECLINE"
    CLOSE = "CLOSE"
    WITHDRAW = "WITHDRAW"
    INVESTIGATE = "INVESTIGATE"
    PERMIT = "PERMIT"
    REPORT = "REPORT"
    REQUEST_EXTENSION = "REQUEST_EXTENSION"
    DECIDE_EXTENSION = "DECIDE_EXTENSION"
    CONTEST = "CONTEST"
    APPEAL = "APPEAL"
    RECOMMEND = "RECOMMEND"
    COMPLY = "COMPLY"
    INFORM = "INFORM"
    ACCEPT = "ACCEPT"
    RETURN = "RETURN"
    SPLIT = "SPLIT"
    TAKE_UP = "TAKE_UP"
    DIRECT = "DIRECT"
    ANSWER_DIRECTION = "ANSWER_DIRECTION"
    SEND_BACK = "SEND_BACK"
    WRITE = "WRITE"
    SCHEDULE_HEARING = "SCHEDULE_HEARING"
    RECORD_HEARING = "RECORD_HEARING"
    ATTACH = "ATTACH"
    MERGE = "MERGE"
    UNMERGE = "UNMERGE"
    LINK = "LINK"
    UNLINK = "UNLINK"
    ADD_COMPLAINANT = "ADD_COMPLAINANT"
    ESCALATE = "ESCALATE"
    RATE = "RATE"
    REMIND = "REMIND"


_OPEN = (Status.FILED, Status.ACKNOWLEDGED, Status.IN_PROGRESS, Status.WAITING)
OPEN = frozenset(_OPEN)
ENDED = frozenset(Status) - OPEN

COMPLAINANT_ACTIONS = frozenset(
    {
        *(Action.ANSWER, Action.ADD_INFORMATION, Action.WITHDRAW, Action.CONTEST, Action.APPEAL),
        *(Action.ESCALATE, Action.RATE),
    }
)
SYSTEM_ACTIONS = frozenset({Action.RESUME})
OFFICER_ACTIONS = frozenset(Action) - COMPLAINANT_ACTIONS - SYSTEM_ACTIONS

TRANSITIONS: dict[tuple[Status, Action], Status] = {
    (Status.FILED, Action.ACKNOWLEDGE): Status.ACKNOWLEDGED,
    (Status.FILED, Action.CLAIM): Status.IN_PROGRESS,
    (Status.FILED, Action.ASSIGN): Status.IN_PROGRESS,
    (Status.FILED, Action.NOTE): Status.FILED,
    (Status.FILED, Action.ASK): Status.WAITING,
    (Status.FILED, Action.ADD_INFORMATION): Status.FILED,
    (Status.FILED, Action.REFER): Status.ACKNOWLEDGED,
    (Status.FILED, Action.RESOLVE): Status.RESOLVED,
    (Status.FILED, Action.DECLINE): Status.DECLINED,
    (Status.FILED, Action.WITHDRAW): Status.WITHDRAWN,
    (Status.FILED, Action.INVESTIGATE): Status.IN_PROGRESS,
    (Status.FILED, Action.APPEAL): Status.FILED,
    (Status.FILED, Action.RECOMMEND): Status.IN_PROGRESS,
    (Status.ACKNOWLEDGED, Action.CLAIM): Status.IN_PROGRESS,
    (Status.ACKNOWLEDGED, Action.ASSIGN): Status.IN_PROGRESS,
    (Status.ACKNOWLEDGED, Action.NOTE): Status.ACKNOWLEDGED,
    (Status.ACKNOWLEDGED, Action.ASK): Status.WAITING,
    (Status.ACKNOWLEDGED, Action.ADD_INFORMATION): Status.ACKNOWLEDGED,
    (Status.ACKNOWLEDGED, Action.REFER): Status.ACKNOWLEDGED,
    (Status.ACKNOWLEDGED, Action.RESOLVE): Status.RESOLVED,
    (Status.ACKNOWLEDGED, Action.DECLINE): Status.DECLINED,
    (Status.ACKNOWLEDGED, Action.WITHDRAW): Status.WITHDRAWN,
    (Status.ACKNOWLEDGED, Action.INVESTIGATE): Status.IN_PROGRESS,
    (Status.ACKNOWLEDGED, Action.REPORT): Status.ACKNOWLEDGED,
    (Status.ACKNOWLEDGED, Action.REQUEST_EXTENSION): Status.ACKNOWLEDGED,
    (Status.ACKNOWLEDGED, Action.DECIDE_EXTENSION): Status.ACKNOWLEDGED,
    (Status.ACKNOWLEDGED, Action.APPEAL): Status.FILED,
    (Status.ACKNOWLEDGED, Action.RECOMMEND): Status.IN_PROGRESS,
    (Status.IN_PROGRESS, Action.CLAIM): Status.IN_PROGRESS,
    (Status.IN_PROGRESS, Action.ASSIGN): Status.IN_PROGRESS,
    (Status.IN_PROGRESS, Action.NOTE): Status.IN_PROGRESS,
    (Status.IN_PROGRESS, Action.ASK): Status.WAITING,
    (Status.IN_PROGRESS, Action.ADD_INFORMATION): Status.IN_PROGRESS,
    (Status.IN_PROGRESS, Action.REFER): Status.ACKNOWLEDGED,
    (Status.IN_PROGRESS, Action.RESOLVE): Status.RESOLVED,
    (Status.IN_PROGRESS, Action.DECLINE): Status.DECLINED,
    (Status.IN_PROGRESS, Action.WITHDRAW): Status.WITHDRAWN,
    (Status.IN_PROGRESS, Action.INVESTIGATE): Status.IN_PROGRESS,
    (Status.IN_PROGRESS, Action.REPORT): Status.IN_PROGRESS,
    (Status.IN_PROGRESS, Action.REQUEST_EXTENSION): Status.IN_PROGRESS,
    (Status.IN_PROGRESS, Action.DECIDE_EXTENSION): Status.IN_PROGRESS,
    (Status.IN_PROGRESS, Action.APPEAL): Status.FILED,
    (Status.IN_PROGRESS, Action.RECOMMEND): Status.IN_PROGRESS,
    (Status.IN_PROGRESS, Action.COMPLY): Status.RESOLVED,
    (Status.WAITING, Action.CLAIM): Status.WAITING,
    (Status.WAITING, Action.ASSIGN): Status.WAITING,
    (Status.WAITING, Action.NOTE): Status.WAITING,
    (Status.WAITING, Action.ANSWER): Status.IN_PROGRESS,
    (Status.WAITING, Action.ADD_INFORMATION): Status.WAITING,
    (Status.WAITING, Action.RESUME): Status.IN_PROGRESS,
    (Status.WAITING, Action.REFER): Status.ACKNOWLEDGED,
    (Status.WAITING, Action.RESOLVE): Status.RESOLVED,
    (Status.WAITING, Action.DECLINE): Status.DECLINED,
    (Status.WAITING, Action.WITHDRAW): Status.WITHDRAWN,
    (Status.WAITING, Action.REPORT): Status.WAITING,
    (Status.WAITING, Action.REQUEST_EXTENSION): Status.WAITING,
    (Status.WAITING, Action.DECIDE_EXTENSION): Status.WAITING,
    (Status.WAITING, Action.APPEAL): Status.FILED,
    (Status.WAITING, Action.RECOMMEND): Status.IN_PROGRESS,
    (Status.WAITING, Action.COMPLY): Status.RESOLVED,
    (Status.RESOLVED, Action.NOTE): Status.RESOLVED,
    (Status.RESOLVED, Action.CLOSE): Status.CLOSED,
    (Status.RESOLVED, Action.CONTEST): Status.FILED,
    (Status.RESOLVED, Action.APPEAL): Status.FILED,
    (Status.CLOSED, Action.APPEAL): Status.FILED,
    (Status.DECLINED, Action.APPEAL): Status.FILED,
    **{(status, Action.INFORM): status for status in Status if status is not Status.WITHDRAWN},
    **{(status, Action.ACCEPT): Status.ACKNOWLEDGED for status in (Status.FILED, Status.ACKNOWLEDGED)},
    (Status.FILED, Action.RETURN): Status.ACKNOWLEDGED,
    (Status.ACKNOWLEDGED, Action.RETURN): Status.ACKNOWLEDGED,
    **{(status, Action.TAKE_UP): Status.IN_PROGRESS for status in _OPEN},
    **{(status, Action.MERGE): Status.CLOSED for status in _OPEN},
    (Status.CLOSED, Action.UNMERGE): Status.ACKNOWLEDGED,
    (Status.CLOSED, Action.ADD_INFORMATION): Status.CLOSED,
    (Status.CLOSED, Action.WITHDRAW): Status.WITHDRAWN,
    (Status.CLOSED, Action.CONTEST): Status.FILED,
    (Status.RESOLVED, Action.SEND_BACK): Status.IN_PROGRESS,
    **{
        (status, action): status
        for action in (
            *(Action.SPLIT, Action.DIRECT, Action.ANSWER_DIRECTION, Action.WRITE, Action.SCHEDULE_HEARING),
            *(Action.RECORD_HEARING, Action.LINK, Action.UNLINK, Action.ADD_COMPLAINANT, Action.ATTACH),
        )
        for status in _OPEN
    },
    **{(status, Action.PERMIT): status for status in (Status.IN_PROGRESS, Status.WAITING)},
    (Status.FILED, Action.WRITE): Status.ACKNOWLEDGED,
    (Status.FILED, Action.SCHEDULE_HEARING): Status.ACKNOWLEDGED,
    (Status.RESOLVED, Action.ATTACH): Status.RESOLVED,
    **{(Status.FILED, action): Status.ACKNOWLEDGED for action in (Action.SPLIT, Action.ANSWER_DIRECTION)},
    **{(status, Action.ESCALATE): status for status in _OPEN},
    **{(status, Action.REMIND): status for status in _OPEN},
    **{(status, Action.RATE): status for status in (Status.RESOLVED, Status.CLOSED, Status.DECLINED)},
}
"""(status, action) → status. What is not here cannot be done. A referral leaves the case acknowledged: the new
holder has it on the table, but nobody works on it yet. One that is contested or appealed begins anew at a higher desk,
whose officer has not looked at it yet. What the cell recommends is worked on by the ministry until it has complied."""

STATUS_CHANGES: frozenset[tuple[Status, Status]] = frozenset(
    (before, after) for (before, _), after in TRANSITIONS.items() if before is not after
)
"""The changes of status that occur at all; the database allows these and no others."""

OUTCOMES = ("service_given", "answered", "instruction_executed", "proved", "partly_proved", "unfounded")
"""Why a case was resolved, as the officer chooses it (GRS Guidelines 2015, revised 2018)."""

MERGED = "merged"
"""The outcome of a duplicate: its matter is decided in its lead case. Closed like that, the complainant may do with it what an
open case allows, and object to the answer as to one of its own."""

OUTCOME_OF_END = {Status.DECLINED: "not_admissible", Status.WITHDRAWN: "withdrawn"}
"""The outcome of cases that end without an answer."""

DECLINE_REASONS = (
    "before_court",
    "right_to_information",
    "statutory_appeal",
    "time_not_run_out",
    "not_a_grievance",
)
"""Why a case is not admissible. "Does not pertain to us" is none of them: such a case is referred, never closed."""

EXTENSION_DECISIONS = ("approve", "refuse")

CONTACTS = ("spoke", "wrote", "could_not_reach")
"""How the officer was in touch with the complainant before resolving; the last one needs a word why."""


def diagram() -> str:
    """The states as Mermaid text, for `docs/states.md`; drawn from `TRANSITIONS`, so it cannot be out of date."""
    lines = ["stateDiagram-v2", "    [*] --> filed"]
    for before in Status:
        after_by: dict[Status, list[str]] = {}
        for (status, action), after in TRANSITIONS.items():
            if status is before:
                after_by.setdefault(after, []).append(action.value)
        lines += [f"    {before} --> {after}: {', '.join(actions)}" for after, actions in after_by.items()]
    lines += [f"    {status} --> [*]" for status in Status if status in ENDED and status is not Status.RESOLVED]
    return "\n".join(lines) + "\n"


def document() -> str:
    """The whole text of `docs/states.md`."""
    return (
        "# The states of a case\n\n"
        "Drawn from `TRANSITIONS` in `grm/cases/states.py`; a test keeps this page current. Write it anew with\n"
        "`python -m grm.cases.states > docs/states.md`.\n\n"
        f"```mermaid\n{diagram()}```\n\n"
        "Tier (grievance redress officer, appeal, cell), outcome and escalation level are separate columns.\n"
    )


if __name__ == "__main__":
    import sys

    sys.stdout.write(document())
