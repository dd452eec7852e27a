"""Status × action × role × jurisdiction: one readable table for all of it; and no case can get stuck.

`jurisdiction_table.txt` has two parts. The grid says, for each role and each way a case can lie to it, which block holds; a dash
means that the case does not exist for this officer. A block says what may be done in each status, and what comes of it. What
depends on more than that (clocks, hearings, who decided before) is in `permissions_table.txt`.
"""

import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from grm.cases.lifecycle import decide
from grm.cases.permissions import Accusation, CaseFacts, may_see
from grm.cases.states import ENDED, OFFICER_ACTIONS, OPEN, TRANSITIONS, Action, Status
from grm.kernel.actor import ROLES, SYSTEM, Actor, Seat, complainant

TABLE = Path(__file__).parent / "jurisdiction_table.txt"
MINISTRY, OTHER, DISTRICT, CELL = 1, 2, 3, 4
KINDS = {MINISTRY: "ministry", OTHER: "ministry", DISTRICT: "district", CELL: "cell"}
ME, COLLEAGUE, POST = 10, 99, 100
NUMBER = "0000000000000"
NOW = datetime(2026, 2, 1, 6, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(days=1), NOW + timedelta(days=1)


def seated(role: str, office: int = MINISTRY, **more: bool) -> Actor:
    return Actor(ME, "Officer", "officer", (Seat(office, KINDS[office], office, None, POST, role, **more),))


ACTORS: dict[str, Actor] = {
    **{role: seated(role) for role in ROLES if role not in ("desk_officer", "cell_officer")},
    "alternate of the gro": seated("gro", is_alternate=True),
    "gro of a district": seated("gro", DISTRICT),
    "head of a district": seated("head", DISTRICT),
    "coordinator of the cluster": replace(
        seated("cluster_coordinator"), overseen_office_ids=frozenset({MINISTRY, OTHER})
    ),
    "desk_officer": seated("desk_officer", DISTRICT),
    "cell_officer": seated("cell_officer", CELL),
    "administrator": Actor(ME, "Admin", "officer", (), is_admin=True),
    "complainant": complainant(NUMBER),
    "another complainant": complainant("1111111111111"),
    "system": SYSTEM,
}

SENT: dict[str, Any] = {"referred_from_desk": "gro", "referral_state": "offered", "referral_count": 1}
CASES: dict[str, dict[str, Any]] = {
    "own office": {},
    "own, mine": {"assignee_id": ME},
    "own, a colleague's": {"assignee_id": COLLEAGUE},
    "own, sensitive": {"desk": "appeal", "is_sensitive": True},
    "own, sensitive at the gro desk": {"is_sensitive": True},
    "own, appealed": {"desk": "appeal", "tier": "appeal", "main_clock": "appeal"},
    "own, to comply": {"desk": "appeal", "tier": "cell", "main_clock": "comply"},
    "other office": {"office_id": OTHER},
    "other, mine still": {"office_id": OTHER, "assignee_id": ME},
    "district below": {"office_id": DISTRICT},
    "filed by the district": {"office_id": OTHER, "filed_by_office_id": DISTRICT},
    "filed by it, sensitive": {
        "office_id": OTHER,
        "desk": "appeal",
        "is_sensitive": True,
        "filed_by_office_id": DISTRICT,
    },
    "at the cell": {"office_id": CELL, "desk": "cell"},
    "second appeal": {"office_id": CELL, "desk": "cell", "tier": "cell", "main_clock": "cell"},
    "referred to own office": {**SENT, "referred_from_office_id": OTHER},
    "a part, at own office": {**SENT, "referred_from_office_id": OTHER, "is_subcase": True},
    "referred by own office": {**SENT, "office_id": OTHER, "referred_from_office_id": MINISTRY},
    "referred by it, sensitive": {
        **SENT,
        "referred_from_desk": "appeal",
        "desk": "appeal",
        "is_sensitive": True,
        "office_id": OTHER,
        "referred_from_office_id": MINISTRY,
    },
    "I am accused": {"assignee_id": ME, "accusations": (Accusation(ME, MINISTRY, POST),)},
    "my post is accused": {"assignee_id": ME, "accusations": (Accusation(None, MINISTRY, POST),)},
    "the ministry is accused": {"accusations": (Accusation(None, MINISTRY, None),)},
    "a colleague is accused": {"desk": "appeal", "accusations": (Accusation(COLLEAGUE, MINISTRY, POST + 1),)},
}
"""How a case can lie to the officers of the ministry, of another one, of a district and of the cell."""


def facts(status: Status, **changes: Any) -> CaseFacts:
    """Late, answered a moment ago, and with a hearing to come: so that as much as possible can be done."""
    values: dict[str, Any] = {"tracking_number": NUMBER, "status": status.value, "office_id": MINISTRY, "desk": "gro"}
    values |= {"is_sensitive": False, "due_at": EARLIER, "hearing_at": LATER}
    values |= {"confirm_until_at": LATER, "appeal_until_at": LATER}
    return CaseFacts(**{**values, **changes})


def block_of(actor: Actor, changes: dict[str, Any]) -> tuple[str, ...]:
    """What one may do in each status; nothing at all where the case may not be seen."""
    lines = []
    for status in Status:
        case = facts(status, **changes)
        verdicts = [(action, decide(case, action, actor, NOW)) for action in Action]
        allowed = [
            action.value + ("" if verdict.status is status else f">{verdict.status}")
            for action, verdict in verdicts
            if verdict.is_allowed
        ]
        if not may_see(actor, case):
            assert allowed == [] and all(verdict.is_hidden for _, verdict in verdicts)
            return ()
        lines.append(f"    {status.value:13} {' '.join(allowed) or '-'}")
    return tuple(lines)


def rendered() -> str:
    """The grid, and the blocks that its letters stand for."""
    blocks: dict[tuple[str, ...], str] = {(): "-"}
    letters = iter(string.ascii_uppercase + string.ascii_lowercase)
    grid = []
    for name, changes in CASES.items():
        cells = []
        for actor in ACTORS.values():
            block = block_of(actor, changes)
            if block not in blocks:
                blocks[block] = next(letters)
            cells.append(blocks[block])
        grid.append(f"{name:32}" + "".join(f"  {cell}" for cell in cells))
    columns = [f"{'':32}" + "  |" * number + f"  {name}" for number, name in enumerate(ACTORS)]
    text = ["Who may do what with which case. Written by tests/unit/cases/test_jurisdiction.py.", "", *columns, *grid]
    for block, letter in blocks.items():
        if block:
            text += ["", letter, *block]
    return "\n".join(text) + "\n"


def test_the_table_is_as_agreed() -> None:
    """To change it on purpose: delete the file, run this test twice, and read the difference."""
    if not TABLE.exists():
        TABLE.write_text(rendered())
        pytest.fail("the table was missing and has been written; read it")
    assert rendered() == TABLE.read_text()


def test_all_roles_and_actions_are_in_it() -> None:
    held = {seat.role for actor in ACTORS.values() for seat in actor.seats}
    assert held == set(ROLES)
    said = TABLE.read_text()
    # These hang on facts that no jurisdiction shows; they have their lines in permissions_table.txt.
    elsewhere = {Action.REPORT, Action.REQUEST_EXTENSION, Action.DECIDE_EXTENSION, Action.INFORM}
    elsewhere |= {Action.PERMIT, Action.ANSWER_DIRECTION, Action.UNMERGE, Action.UNLINK, Action.RECOMMEND}
    elsewhere |= {Action.ESCALATE}
    missing = {action for action in Action if f" {action.value}" not in said}
    assert missing <= elsewhere, missing
    other = (TABLE.parent / "permissions_table.txt").read_text()
    absent = {action for action in missing if f" {action.value}" not in other}
    assert absent <= {Action.UNMERGE, Action.UNLINK, Action.INFORM}, absent


# --- nothing gets stuck ---------------------------------------------------------------------------------------------

LIES: dict[str, dict[str, Any]] = {
    "gro": {},
    "sensitive": {"desk": "appeal", "is_sensitive": True},
    "appeal": {"desk": "appeal", "tier": "appeal", "main_clock": "appeal", "decider_ids": frozenset({COLLEAGUE})},
    "appeal of a contested one": {"desk": "appeal", "decider_ids": frozenset({COLLEAGUE})},
    "cell": {"office_id": CELL, "desk": "cell"},
    "second appeal": {
        "office_id": CELL,
        "desk": "cell",
        "tier": "cell",
        "main_clock": "cell",
        "decider_ids": frozenset({COLLEAGUE}),
    },
    "comply": {"desk": "appeal", "tier": "cell", "main_clock": "comply", "decider_ids": frozenset({COLLEAGUE})},
    "referred": {**SENT, "referred_from_office_id": OTHER},
    "referred thrice": {**SENT, "referred_from_office_id": OTHER, "referral_count": 3},
    "a part": {**SENT, "referred_from_office_id": OTHER, "is_subcase": True},
    "a part, accepted": {
        **SENT,
        "referred_from_office_id": OTHER,
        "is_subcase": True,
        "referral_state": "accepted",
    },
}
HINDRANCES: dict[str, tuple[dict[str, Any], Action | None]] = {
    "none": ({}, None),
    "in time": ({"due_at": LATER, "hearing_at": None, "confirm_until_at": None, "appeal_until_at": None}, None),
    "a colleague holds it": ({"assignee_id": COLLEAGUE}, None),
    "a hearing has passed": ({"hearing_at": EARLIER}, Action.RECORD_HEARING),
    "a direction is open": ({"is_directed": True}, Action.ANSWER_DIRECTION),
    "an investigation goes on": ({"is_investigating": True, "is_investigated": True}, None),
    "it leads others": ({"merged_count": 2, "linked_count": 3}, None),
    "it follows another": ({"follows": "linked"}, None),
    "a part is out": ({"has_subcases": True, "open_subcases": 1}, None),
}
OFFICERS = [actor for name, actor in ACTORS.items() if name not in ("complainant", "another complainant", "system")]


def ways(case: CaseFacts) -> dict[Action, Status]:
    """What officers can do with it, and what comes of it."""
    found = {}
    for actor, action in product(OFFICERS, OFFICER_ACTIONS):
        verdict = decide(case, action, actor, NOW)
        if verdict.is_allowed and verdict.status is not None:
            found[action] = verdict.status
    return found


@pytest.mark.parametrize("lies", LIES)
@pytest.mark.parametrize("hindrance", HINDRANCES)
def test_from_every_open_status_some_officer_can_go_on_to_an_end(lies: str, hindrance: str) -> None:
    """Directly, or after the one act that clears what hinders. A case that waits for a part of it ends when the part has."""
    changes, cure = HINDRANCES[hindrance]
    is_part = LIES[lies].get("is_subcase", False)
    if is_part and hindrance in ("a hearing has passed", "it leads others", "it follows another", "a part is out"):
        return  # a part has none of these
    for status in OPEN:
        can = ways(facts(status, **{**LIES[lies], **changes}))
        if hindrance == "a part is out":
            assert not ENDED & set(can.values()), "not before the part is back"
            continue
        if cure is not None:
            assert cure in can, (status, can)
            can |= ways(facts(status, **LIES[lies]))
        if LIES[lies].get("main_clock") == "comply" and status in (Status.FILED, Status.ACKNOWLEDGED):
            can |= ways(facts(Status.IN_PROGRESS, **LIES[lies]))  # whoever complies has taken it before
            assert can[Action.CLAIM] is Status.IN_PROGRESS or hindrance == "a colleague holds it"
        assert ENDED & set(can.values()), (status, can)


def test_every_status_is_reached_and_what_was_answered_can_be_closed() -> None:
    actors = [*ACTORS.values()]
    reached, new = {Status.FILED}, {Status.FILED}
    while new:
        found = {
            verdict.status
            for status, action, actor in product(new, Action, actors)
            for verdict in (decide(facts(status), action, actor, NOW),)
            if verdict.is_allowed and verdict.status is not None
        }
        new = found - reached
        reached |= new
    assert reached == set(Status)
    for lies in LIES.values():
        if not lies.get("is_subcase"):  # a part is closed with its answer
            assert ways(facts(Status.RESOLVED, **lies))[Action.CLOSE] is Status.CLOSED


def test_what_has_ended_stays_so_for_officers_but_for_a_merger_undone() -> None:
    for status, lies in product((Status.CLOSED, Status.DECLINED, Status.WITHDRAWN), LIES.values()):
        assert set(ways(facts(status, **lies)).values()) <= {status}
    back = ways(facts(Status.CLOSED, follows="merged"))
    assert {action for action, after in back.items() if after is not Status.CLOSED} == {Action.UNMERGE}


def test_the_table_of_transitions_has_no_row_that_nobody_can_use() -> None:
    """Each row of TRANSITIONS is somebody's in some situation."""
    used = set()
    more = (
        {"is_investigating": True, "is_investigated": True},
        {"is_investigated": True, "due_at": LATER},
        {"is_investigated": True, "extension": "requested", "extension_requester_id": COLLEAGUE},
        {"is_to_be_informed": True},
        {"permission_asker_id": COLLEAGUE, "permitting_role": "head"},
        {"is_directed": True},
        {"follows": "linked"},
        {"follows": "merged", "lead_due_at": EARLIER},
        {"follows": "merged", "is_answered_with_lead": True},
        {"next_level": 1},
    )
    for status, lies, changes, actor in product(Status, LIES.values(), ({}, *more), ACTORS.values()):
        case = facts(status, **{**lies, **changes})
        used |= {(status, action) for action in Action if decide(case, action, actor, NOW).is_allowed}
    assert set(TRANSITIONS) - used == set()
