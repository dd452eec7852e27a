"""The transition table, and what is drawn from it: the page of the docs and the database's trigger."""

import importlib.util
from pathlib import Path

from grm.cases import models, states
from grm.cases.states import COMPLAINANT_ACTIONS, ENDED, OPEN, STATUS_CHANGES, TRANSITIONS, Action, Status

ROOT = Path(__file__).parents[3]


def test_the_page_of_the_docs_is_current() -> None:
    assert (ROOT / "docs" / "states.md").read_text() == states.document()


def test_the_diagram_shows_every_transition() -> None:
    drawn = states.diagram()
    for (before, action), after in TRANSITIONS.items():
        line = next(line for line in drawn.splitlines() if line.startswith(f"    {before} --> {after}:"))
        assert action.value in line


def test_the_database_allows_the_same_changes() -> None:
    spec = importlib.util.spec_from_file_location(
        "revision_0010", ROOT / "migrations" / "versions" / "0010_more_transitions.py"
    )
    assert spec and spec.loader
    revision = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(revision)
    assert set(revision.ALLOWED) == {f"{before}>{after}" for before, after in STATUS_CHANGES}


def test_statuses_are_those_of_the_table_cases() -> None:
    assert tuple(Status) == models.STATUSES
    assert set(models.OPEN_STATUSES) == OPEN
    assert set(models.ENDED_STATUSES) == ENDED


def test_every_open_case_can_end_and_be_noted() -> None:
    for status in OPEN:
        for action in (Action.NOTE, Action.REFER, Action.RESOLVE, Action.DECLINE, Action.WITHDRAW):
            assert (status, action) in TRANSITIONS


def test_who_brings_back_what_has_ended() -> None:
    ended = {(before, action): after for (before, action), after in TRANSITIONS.items() if before in ENDED}
    back = {action for (before, action), after in ended.items() if after in OPEN}
    assert back == {Action.CONTEST, Action.APPEAL, Action.SEND_BACK, Action.UNMERGE}
    assert {ended[before, action] for before, action in ended if action in back & COMPLAINANT_ACTIONS} == {Status.FILED}
    assert not [pair for pair in STATUS_CHANGES if pair[0] is Status.WITHDRAWN]


def test_every_status_can_be_reached() -> None:
    reached = {Status.FILED}
    while more := {after for before, after in STATUS_CHANGES if before in reached} - reached:
        reached |= more
    assert reached == set(Status)


def test_each_action_belongs_to_one_kind_of_actor() -> None:
    groups = (states.OFFICER_ACTIONS, states.COMPLAINANT_ACTIONS, states.SYSTEM_ACTIONS)
    assert sum(len(group) for group in groups) == len(Action)
    assert frozenset().union(*groups) == frozenset(Action)


def test_wrong_office_is_no_reason_to_decline() -> None:
    assert not any("office" in reason or "pertain" in reason for reason in states.DECLINE_REASONS)
