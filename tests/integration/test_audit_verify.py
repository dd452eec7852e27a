"""`audit verify`: whoever edits, deletes, reorders or cuts, even as superuser, is found, and the row is named."""

import hashlib
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.cases import history, service
from grm.cases.models import Case, CaseEvent
from grm.cli import register
from grm.kernel import audit, tracking_number
from grm.kernel.actor import SYSTEM
from tests.support import build

REPLY = "আপনার ভাতা আবার চালু হয়েছে এবং বকেয়া পাঠানো হয়েছে।"


@pytest.fixture
def case(session: Session) -> Case:
    """A case with five events and several texts, among others; and an audit stream of three entries."""
    row = build.case(session, filed_at=build.dhaka(2026, 1, 4))
    build.case(session)
    session.commit()
    gro, number = build.actor(session, "gro.social-welfare"), row.tracking_number
    now = build.dhaka(2026, 1, 5)
    service.acknowledge_case(gro, number, 1, now=now)
    service.add_note(gro, number, 2, "ফোন করতে হবে", now=now)
    service.ask_complainant(gro, number, 3, "কোন মাস থেকে?", now=now)
    service.resolve_case(
        gro,
        number,
        4,
        outcome="service_given",
        reply=REPLY,
        root_cause="হিসাব নম্বর ভুল",
        prevention="নম্বর মিলিয়ে দেখা",
        contact="spoke",
        now=now,
    )
    for name in ("one", "two", "three"):
        audit.record(session, "test", name, SYSTEM, now, value=name)
    session.commit()
    return row


def verify(app: Flask) -> tuple[int, str]:
    result = register(app).test_cli_runner().invoke(args=["audit", "verify"])
    return result.exit_code, result.output


def as_superuser(session: Session, *statements: str, **values: object) -> None:
    session.execute(text("SET session_replication_role = replica"))
    for statement in statements:
        assert session.execute(text(statement), values).rowcount, statement  # type: ignore[attr-defined]
    session.execute(text("SET session_replication_role = origin"))
    session.commit()


def test_an_untouched_history_verifies(app: Flask, case: Case) -> None:
    code, output = verify(app)
    assert code == 0, output
    assert output.startswith("OK   2 cases with 6 events and 5 texts")


ON_CASES: dict[str, tuple[str, str]] = {
    "an instant is edited": (
        "UPDATE case_event SET at = at + interval '1 day' WHERE case_id = :id AND seq = 3",
        "event 3",
    ),
    "data is edited": ("UPDATE case_event SET data = data || '{\"x\": 1}' WHERE case_id = :id AND seq = 2", "event 2"),
    "the doer is edited": ("UPDATE case_event SET actor_id = 1 WHERE case_id = :id AND seq = 4", "event 4"),
    "a row is deleted": ("DELETE FROM case_event WHERE case_id = :id AND seq = 2", "event 3"),
    "the first row is deleted": ("DELETE FROM case_event WHERE case_id = :id AND seq = 1", "event 2"),
    "the tail is cut": ("DELETE FROM case_event WHERE case_id = :id AND seq = 5", "after event 4"),
    "all rows are deleted": ("DELETE FROM case_event WHERE case_id = :id", "after event 0"),
    "rows are reordered": (
        "UPDATE case_event SET seq = CASE seq WHEN 2 THEN 103 WHEN 3 THEN 102 END WHERE case_id = :id AND seq IN (2, 3); "
        "UPDATE case_event SET seq = seq - 100 WHERE case_id = :id AND seq > 100",
        "event 2",
    ),
    "a reply is edited": (
        "UPDATE case_text SET body = 'আর কিছু করার নেই' WHERE case_id = :id AND field = 'reply'",
        "event 5 reply",
    ),
    "a note is deleted": ("DELETE FROM case_text WHERE case_id = :id AND field = 'note'", "event 3 note"),
    "a text is slipped in": (
        "INSERT INTO case_text (case_id, seq, field, body, salt) VALUES (:id, 2, 'note', 'x', '\\x00')",
        "event 2 note",
    ),
    "the case row forgets": ("UPDATE cases SET history_length = 4 WHERE id = :id", "after event 5"),
    "the case row lies": ("UPDATE cases SET history_head = '\\x00' WHERE id = :id", "after event 5"),
    "the case is deleted": ("DELETE FROM cases WHERE id = :id", "case_event"),
    "case and history are deleted": (
        "DELETE FROM case_text WHERE case_id = :id; DELETE FROM case_event WHERE case_id = :id; "
        "DELETE FROM cases WHERE id = :id",
        "submission",
    ),
}


@pytest.mark.parametrize("what", ON_CASES)
def test_what_was_done_to_a_history_is_found(app: Flask, session: Session, case: Case, what: str) -> None:
    statements, named = ON_CASES[what]
    number = case.tracking_number
    as_superuser(session, *statements.split("; "), id=case.id)
    code, output = verify(app)
    assert code == 1
    (line,) = [line for line in output.splitlines() if line.startswith("BAD")]
    assert named in line
    assert number in line or "gone" in line


ON_STREAMS = {
    "edited": ("UPDATE audit_entry SET data = '{}' WHERE stream = 'test' AND seq = 2", "test entry 2"),
    "deleted": ("DELETE FROM audit_entry WHERE stream = 'test' AND seq = 1", "test entry 2"),
    "cut": ("DELETE FROM audit_entry WHERE stream = 'test' AND seq = 3", "test after entry 2"),
    "emptied": ("DELETE FROM audit_entry WHERE stream = 'test'", "test after entry 0"),
    "reordered": (
        "UPDATE audit_entry SET seq = CASE seq WHEN 1 THEN 102 ELSE 101 END WHERE stream = 'test' AND seq < 3; "
        "UPDATE audit_entry SET seq = seq - 100 WHERE stream = 'test' AND seq > 100",
        "test entry 1",
    ),
}


@pytest.mark.parametrize("what", ON_STREAMS)
def test_what_was_done_to_an_audit_stream_is_found(app: Flask, session: Session, case: Case, what: str) -> None:
    statements, named = ON_STREAMS[what]
    as_superuser(session, *statements.split("; "))
    code, output = verify(app)
    assert code == 1 and named in output


def test_a_changed_submission_is_found(app: Flask, session: Session) -> None:
    number = tracking_number.new_tracking_number()
    sealed = hashlib.sha256(b"sealed").hexdigest()
    first = history.first_event(number, "filed", build.dhaka(2026, 1, 4), SYSTEM, {"submission": sealed})
    row = build.case(session, tracking_number=number, history_head=first.tip.head)
    session.commit()
    as_superuser(session, "DELETE FROM case_event WHERE case_id = :id", id=row.id)
    session.add(CaseEvent(case_id=row.id, **first.values))
    session.commit()
    assert verify(app)[0] == 0
    as_superuser(session, "UPDATE submission SET sealed = 'changed' WHERE id = :id", id=row.submission_id)
    code, output = verify(app)
    assert code == 1 and f"case {number} submission {row.submission_id}" in output


def test_erasing_a_text_does_not_break_the_chain(app: Flask, session: Session, case: Case) -> None:
    session.execute(text("UPDATE case_text SET body = NULL WHERE case_id = :id AND field = 'reply'"), {"id": case.id})
    session.commit()
    assert verify(app)[0] == 0


def test_the_database_refuses_what_is_not_done_by_force(session: Session, case: Case) -> None:
    refused: list[str] = [
        "UPDATE case_event SET kind = 'noted' WHERE case_id = :id",
        "DELETE FROM case_event WHERE case_id = :id",
        "UPDATE case_text SET body = 'x' WHERE case_id = :id",
        "TRUNCATE case_event CASCADE",
    ]
    for statement in refused:
        with pytest.raises(Exception, match=r"append-only|only be erased"):
            session.execute(text(statement), {"id": case.id} if ":id" in statement else {})
        session.rollback()


def test_many_at_once_make_the_same_chains(app: Flask, session: Session) -> None:
    cases = [build.case(session) for _ in range(3)]
    session.commit()
    entries = [
        history.Entry(row.id, kind, {"level": level}, {"reason": "কারণ"}, level=level)
        for kind, level in (("warned", None), ("escalated", 1), ("escalated", 2))
        for row in cases
    ]
    count = statements_of(session, lambda: history.append_many(session, entries, SYSTEM, build.dhaka(2026, 3, 1)))
    session.commit()
    assert count == 4
    session.expire_all()
    assert [(row.level, row.history_length) for row in cases] == [(2, 4)] * 3
    assert verify(app)[0] == 0


def statements_of(session: Session, act: Callable[[], object]) -> int:
    from sqlalchemy import event

    engine, seen = session.get_bind(), []

    def count(*_: object) -> None:
        seen.append(1)

    event.listen(engine, "before_cursor_execute", count)
    try:
        act()
    finally:
        event.remove(engine, "before_cursor_execute", count)
    return len(seen)
