"""Who may see and do what: a readable table, and the rules that no table shows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from grm.cases import lifecycle, permissions
from grm.cases.lifecycle import decide
from grm.cases.permissions import Accusation, CaseFacts
from grm.cases.states import Action, Status
from grm.cases.wording import ACTIONS, WHY
from grm.kernel.actor import ROLES, SYSTEM, Actor, Seat, complainant

TABLE = Path(__file__).parent / "permissions_table.txt"
NUMBER = "0000000000000"
OFFICE, OTHER_OFFICE, DISTRICT, CELL = 1, 2, 3, 4
ME = 10
NOW = datetime(2026, 2, 1, 6, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(days=1), NOW + timedelta(days=1)


def officer(role: str, office: int = OFFICE, kind: str = "ministry", officer_id: int = ME, post_id: int = 100) -> Actor:
    seat = Seat(office, kind, office, None, post_id, role)
    return Actor(officer_id, "Officer", "officer", (seat,))


def case(**changes: object) -> CaseFacts:
    values: dict[str, object] = {
        "tracking_number": NUMBER,
        "status": "in_progress",
        "office_id": OFFICE,
        "desk": "gro",
        "is_sensitive": False,
    }
    return CaseFacts(**{**values, **changes})  # type: ignore[arg-type]


ACTORS: dict[str, tuple[Actor, dict[str, object]]] = {
    "GRO, case at the gro desk": (officer("gro"), {}),
    "case officer, own case": (officer("case_officer"), {"assignee_id": ME}),
    "case officer, nobody's case": (officer("case_officer"), {}),
    "case officer, a colleague's case": (officer("case_officer"), {"assignee_id": 99}),
    "appeal officer, case at the gro desk": (officer("appeal_officer"), {}),
    "appeal officer, case at the appeal desk": (officer("appeal_officer"), {"desk": "appeal", "is_sensitive": True}),
    "head of office": (officer("head"), {}),
    "cell officer, case of a ministry": (officer("cell_officer", CELL, "cell"), {}),
    "cell officer, case of the cell": (officer("cell_officer", CELL, "cell"), {"office_id": CELL, "desk": "cell"}),
    "GRO, investigation going on": (officer("gro"), {"is_investigating": True, "is_investigated": True}),
    "head, asked to permit an investigation": (
        officer("head"),
        {"permission_asker_id": 99, "proposed_ids": (98,), "permitting_role": "head"},
    ),
    "GRO, has asked to investigate": (
        officer("gro"),
        {"permission_asker_id": ME, "proposed_ids": (98,), "permitting_role": "head"},
    ),
    "appeal officer, the head is asked to permit": (
        officer("appeal_officer"),
        {"permission_asker_id": 99, "proposed_ids": (98,), "permitting_role": "head"},
    ),
    "cell officer, nobody else could permit it": (
        officer("cell_officer", CELL, "cell"),
        {"permission_asker_id": 99, "proposed_ids": (98,), "permitting_role": "cell_officer"},
    ),
    "GRO, more time asked for by another": (
        officer("gro"),
        {"is_investigated": True, "extension": "requested", "extension_requester_id": 99},
    ),
    "appeal officer, more time asked for at the gro desk": (
        officer("appeal_officer"),
        {"is_investigated": True, "extension": "requested", "extension_requester_id": 99},
    ),
    "case officer, colleague's case, investigates": (
        officer("case_officer"),
        {"assignee_id": 99, "is_investigating": True, "investigator_ids": frozenset({ME})},
    ),
    "head, investigates": (officer("head"), {"is_investigating": True, "investigator_ids": frozenset({ME})}),
    "appeal officer, first appeal": (
        officer("appeal_officer"),
        {"desk": "appeal", "tier": "appeal", "main_clock": "appeal", "decider_ids": frozenset({99})},
    ),
    "appeal officer, decided it before": (
        officer("appeal_officer"),
        {"desk": "appeal", "tier": "appeal", "main_clock": "appeal", "decider_ids": frozenset({ME})},
    ),
    "GRO, a hearing to come": (officer("gro"), {"hearing_at": LATER}),
    "GRO, a hearing has passed": (officer("gro"), {"hearing_at": EARLIER}),
    "appeal officer, answer at the gro desk within the window": (
        officer("appeal_officer"),
        {"confirm_until_at": LATER},
    ),
    "GRO, own answer within the window": (officer("gro"), {"confirm_until_at": LATER}),
    "GRO, appealed case": (officer("gro"), {"desk": "appeal", "tier": "appeal", "main_clock": "appeal"}),
    "cell officer, second appeal": (
        officer("cell_officer", CELL, "cell"),
        {"office_id": CELL, "desk": "cell", "tier": "cell", "main_clock": "cell"},
    ),
    "appeal officer, the cell has recommended": (
        officer("appeal_officer"),
        {"desk": "appeal", "tier": "cell", "main_clock": "comply"},
    ),
    "GRO, referred here and not accepted yet": (
        officer("gro"),
        {"referred_from_office_id": OTHER_OFFICE, "referred_from_desk": "gro", "referral_state": "offered"},
    ),
    "GRO, a part of another office's case": (
        officer("gro"),
        {
            "referred_from_office_id": OTHER_OFFICE,
            "referred_from_desk": "gro",
            "referral_state": "offered",
            "is_subcase": True,
        },
    ),
    "GRO, waits for a part": (officer("gro"), {"has_subcases": True, "open_subcases": 1}),
    "GRO, directed by the cell": (officer("gro"), {"is_directed": True}),
    "GRO, sent it on": (
        officer("gro", OTHER_OFFICE),
        {"referred_from_office_id": OTHER_OFFICE, "referred_from_desk": "gro", "referral_state": "accepted"},
    ),
    "GRO, it was sent on from the appeal desk": (
        officer("gro", OTHER_OFFICE),
        {"referred_from_office_id": OTHER_OFFICE, "referred_from_desk": "appeal", "referral_state": "offered"},
    ),
    "appeal officer, sent on a sensitive case": (
        officer("appeal_officer", OTHER_OFFICE),
        {
            "referred_from_office_id": OTHER_OFFICE,
            "referred_from_desk": "appeal",
            "referral_state": "offered",
            "is_sensitive": True,
            "desk": "appeal",
        },
    ),
    "appeal officer, case at the gro desk is late": (officer("appeal_officer"), {"due_at": EARLIER}),
    "appeal officer, late, decided it before": (
        officer("appeal_officer"),
        {"due_at": EARLIER, "decider_ids": frozenset({ME})},
    ),
    "cell officer, first appeal is late": (
        officer("cell_officer", CELL, "cell"),
        {"due_at": EARLIER, "desk": "appeal", "tier": "appeal", "main_clock": "appeal"},
    ),
    "desk officer, filed here": (officer("desk_officer", DISTRICT, "district"), {"filed_by_office_id": DISTRICT}),
    "GRO, sensitive case": (officer("gro"), {"desk": "appeal", "is_sensitive": True}),
    "GRO of another office": (officer("gro", OTHER_OFFICE), {}),
    "desk officer, filed elsewhere": (officer("desk_officer", DISTRICT, "district"), {"filed_by_office_id": 77}),
    "cluster coordinator of other ministries": (officer("cluster_coordinator"), {}),
    "cluster coordinator, case of the cluster": (
        replace(officer("cluster_coordinator", OTHER_OFFICE), overseen_office_ids=frozenset({OFFICE, OTHER_OFFICE})),
        {"due_at": EARLIER},
    ),
    "cluster coordinator, sensitive case of the cluster": (
        replace(officer("cluster_coordinator", OTHER_OFFICE), overseen_office_ids=frozenset({OFFICE, OTHER_OFFICE})),
        {"is_sensitive": True},
    ),
    "appeal officer, has reminded today": (officer("appeal_officer"), {"reminder_ids": frozenset({ME})}),
    "cell officer, somebody else has reminded today": (
        officer("cell_officer", CELL, "cell"),
        {"reminder_ids": frozenset({99})},
    ),
    "viewer": (officer("viewer"), {}),
    "administrator": (Actor(ME, "Admin", "officer", (), is_admin=True), {}),
    "complainant": (complainant(NUMBER), {}),
    "complainant, late, within the windows": (
        complainant(NUMBER),
        {"due_at": EARLIER, "confirm_until_at": LATER, "appeal_until_at": LATER},
    ),
    "complainant, late, a rung above": (complainant(NUMBER), {"due_at": EARLIER, "next_level": 2}),
    "complainant, late, has asked for that rung": (
        complainant(NUMBER),
        {"due_at": EARLIER, "next_level": 3, "is_escalation_asked": True},
    ),
    "complainant, a rung above, the clock stands still": (
        complainant(NUMBER),
        {"due_at": EARLIER, "next_level": 2, "is_paused": True},
    ),
    "complainant, in time, after the windows": (
        complainant(NUMBER),
        {"due_at": LATER, "confirm_until_at": NOW, "appeal_until_at": NOW},
    ),
    "complainant, after the second appeal": (
        complainant(NUMBER),
        {"tier": "cell", "main_clock": "cell", "desk": "cell", "due_at": EARLIER, "confirm_until_at": LATER},
    ),
    "complainant, merged case, before its date": (
        complainant(NUMBER),
        {"follows": "merged", "lead_due_at": LATER, "due_at": LATER},
    ),
    "complainant, merged case, no answer by its date": (
        complainant(NUMBER),
        {"follows": "merged", "lead_due_at": NOW, "due_at": LATER},
    ),
    "complainant, merged case, answered": (
        complainant(NUMBER),
        {"follows": "merged", "is_answered_with_lead": True, "confirm_until_at": LATER, "appeal_until_at": LATER},
    ),
    "GRO, merged case": (officer("gro"), {"follows": "merged", "lead_due_at": LATER}),
    "GRO, linked case": (officer("gro"), {"follows": "linked"}),
    "GRO, case that leads others": (officer("gro"), {"merged_count": 1, "linked_count": 2}),
    "complainant of another case": (complainant("1111111111111"), {}),
    "system": (SYSTEM, {}),
}


def rendered() -> str:
    lines = ["Who may do what, by status. Written by tests/unit/cases/test_permissions.py.", ""]
    for title, (actor, changes) in ACTORS.items():
        lines.append(title)
        if not permissions.may_see(actor, case(**changes)):
            lines += ["    sees nothing", ""]
            continue
        for status in Status:
            verdicts = {action: decide(case(status=status.value, **changes), action, actor, NOW) for action in Action}
            allowed = [
                action.value + ("" if verdict.status is status else f">{verdict.status}")
                for action, verdict in verdicts.items()
                if verdict.is_allowed
            ]
            lines.append(f"    {status.value:13} {' '.join(allowed) or '-'}")
        lines.append("")
    return "\n".join(lines)


def test_the_table_is_as_agreed() -> None:
    """To change it on purpose: delete the file, run this test twice, and read the difference."""
    if not TABLE.exists():
        TABLE.write_text(rendered())
        pytest.fail("the table was missing and has been written; read it")
    assert rendered() == TABLE.read_text()


def test_every_refusal_on_the_case_page_has_words() -> None:
    codes = set()
    for (actor, changes), status, action, count in product(ACTORS.values(), Status, ACTIONS, (0, 2)):
        facts = case(status=status.value, referral_count=count, **changes)
        if permissions.may_see(actor, facts):
            codes.add(decide(facts, action, actor, NOW).why)
    assert {"", "case-ended", "claim-first", "holder-decides", "third-referral-needs-superior"} <= codes
    assert codes - {""} <= set(WHY)


def test_who_may_not_see_may_do_nothing() -> None:
    for (actor, changes), status, action in product(ACTORS.values(), Status, Action):
        facts = case(status=status.value, **changes)
        verdict = decide(facts, action, actor, NOW)
        if not permissions.may_see(actor, facts):
            assert verdict.is_hidden and not verdict.is_allowed and verdict.why == "not-found"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("desk", ["gro", "appeal", "cell"])
@pytest.mark.parametrize(
    "accusation",
    [Accusation(ME, OFFICE, 100), Accusation(None, OFFICE, 100), Accusation(None, OFFICE, None)],
    ids=["person", "post", "office"],
)
def test_nobody_sees_what_accuses_him(role: str, desk: str, accusation: Accusation) -> None:
    actor = officer(role)
    facts = case(desk=desk, accusations=(accusation,), assignee_id=ME, filed_by_office_id=OFFICE)
    assert permissions.relation_of(actor, facts) is None
    assert not any(decide(facts, action, actor, NOW).is_allowed for action in Action)


def test_an_accusation_of_a_person_does_not_hide_the_case_from_the_office() -> None:
    facts = case(desk="appeal", accusations=(Accusation(99, OFFICE, 100),))
    assert permissions.relation_of(officer("appeal_officer", post_id=101), facts) == "office"
    # The successor in the post is not the accused.
    assert permissions.relation_of(officer("appeal_officer", post_id=100), facts) == "office"


def test_a_second_seat_counts() -> None:
    seats = (Seat(OTHER_OFFICE, "ministry", 2, None, 1, "viewer"), Seat(OFFICE, "ministry", 1, None, 2, "gro", True))
    actor = Actor(ME, "Alternate", "officer", seats)
    assert permissions.relation_of(actor, case()) == "office"


def test_a_third_referral_needs_a_superior() -> None:
    twice = case(referral_count=2)
    assert decide(twice, Action.REFER, officer("gro"), NOW).why == "third-referral-needs-superior"
    assert decide(case(referral_count=1), Action.REFER, officer("gro"), NOW).is_allowed
    assert decide(twice, Action.REFER, officer("appeal_officer"), NOW).is_allowed
    assert decide(twice, Action.REFER, officer("cell_officer", CELL, "cell"), NOW).is_allowed
    assert not decide(twice, Action.REFER, officer("appeal_officer", OTHER_OFFICE), NOW).is_allowed


def test_a_return_to_a_former_holder_needs_a_superior() -> None:
    facts = case(former_office_ids=frozenset({OTHER_OFFICE}))
    assert lifecycle.why_not_to(facts, OTHER_OFFICE, officer("gro")) == "return-needs-superior"
    assert lifecycle.why_not_to(facts, OTHER_OFFICE, officer("appeal_officer")) == ""
    assert lifecycle.why_not_to(facts, 55, officer("gro")) == ""
    assert lifecycle.why_not_to(facts, OFFICE, officer("appeal_officer")) == "same-office"


OFFERED = {"referred_from_office_id": OTHER_OFFICE, "referred_from_desk": "gro", "referral_state": "offered"}


def test_a_referral_is_returned_only_before_it_is_accepted_and_a_third_transfer_by_a_superior() -> None:
    def why(actor: Actor, **changes: object) -> str:
        return decide(case(status="acknowledged", **{**OFFERED, **changes}), Action.RETURN, actor, NOW).why

    gro, above = officer("gro"), officer("appeal_officer")
    assert why(gro, referral_count=1) == ""
    assert why(gro, referral_count=2) == "third-referral-needs-superior"
    assert why(above, referral_count=2) == why(officer("cell_officer", CELL, "cell"), referral_count=3) == ""
    assert why(gro, referral_count=1, referral_state="accepted") == "not-offered"
    part = decide(case(status="filed", is_subcase=True, referral_count=2, **OFFERED), Action.RETURN, gro, NOW)
    assert (part.status, part.effects) == (Status.DECLINED, ("stop", "acknowledge"))


def test_whatever_work_is_done_accepts_what_was_referred() -> None:
    offered = case(status="acknowledged", **OFFERED)
    accepting = {
        action
        for action in Action
        for actor in (officer("gro"), officer("appeal_officer"))
        if "accept" in decide(offered, action, actor, NOW).effects
    }
    assert {Action.ACCEPT, Action.CLAIM, Action.ASSIGN, Action.ASK, Action.RESOLVE, Action.SPLIT} <= accepting
    assert not accepting & {Action.NOTE, Action.REFER, Action.RETURN, Action.TAKE_UP, Action.DIRECT, Action.ATTACH}
    assert "accept" not in decide(case(), Action.CLAIM, officer("gro"), NOW).effects


@pytest.mark.parametrize(
    ("waits", "code"),
    [
        ({"has_subcases": True, "open_subcases": 1}, "subcases-open"),
        ({"is_directed": True}, "direction-open"),
        ({"has_subcases": True}, ""),
    ],
)
def test_nothing_ends_while_a_part_is_out_or_a_direction_is_unanswered(waits: dict[str, object], code: str) -> None:
    for action in (Action.RESOLVE, Action.DECLINE, Action.MERGE):
        assert decide(case(**waits), action, officer("gro"), NOW).why == code
    complying = {"desk": "appeal", "tier": "cell", "main_clock": "comply"}
    assert decide(case(**waits, **complying), Action.COMPLY, officer("appeal_officer"), NOW).why == code
    cell = {"office_id": CELL, "desk": "cell", "tier": "cell", "main_clock": "cell"}
    assert decide(case(**waits, **cell), Action.RECOMMEND, officer("cell_officer", CELL, "cell"), NOW).why == code
    assert decide(case(**waits), Action.WITHDRAW, complainant(NUMBER), NOW).is_allowed


def test_what_an_act_does_to_the_clocks() -> None:
    def effects(status: str, action: Action, actor: Actor) -> tuple[str, ...]:
        return decide(case(status=status, assignee_id=None), action, actor, NOW).effects

    gro = officer("gro")
    assert effects("filed", Action.ACKNOWLEDGE, gro) == ("acknowledge",)
    assert effects("filed", Action.NOTE, gro) == ()
    assert effects("filed", Action.ASK, gro) == ("pause", "acknowledge")
    assert effects("waiting", Action.REFER, gro) == ("resume", "acknowledge")
    assert effects("waiting", Action.RESOLVE, gro) == ("stop", "acknowledge")
    assert effects("waiting", Action.ANSWER, complainant(NUMBER)) == ("resume",)
    assert effects("waiting", Action.RESUME, SYSTEM) == ("resume",)
    assert effects("in_progress", Action.WITHDRAW, complainant(NUMBER)) == ("stop",)
    assert effects("resolved", Action.CLOSE, gro) == ()
    late = case(status="waiting", due_at=EARLIER)
    taken = decide(late, Action.TAKE_UP, officer("appeal_officer"), NOW)
    assert (taken.status, taken.effects) == (Status.IN_PROGRESS, ("resume", "renew", "acknowledge"))
