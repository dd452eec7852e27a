"""Nothing is left behind: what an officer holds goes to others in one act, or the officer stays."""

import re
import threading
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import Settings
from grm.accounts.models import Officer, StaffSession
from grm.cases import charges, investigations, leaving, queries, service, verification
from grm.cases.bulk_models import BulkAct
from grm.cases.duties import KINDS
from grm.cases.handover import Wanted, WorkLeft, announce_end, hand_over
from grm.cases.handover_ground import DESK, Choices
from grm.cases.handover_models import Handover, HandoverItem
from grm.cases.models import Case, CaseEvent
from grm.cases.permissions import HANDLER_ROLES
from grm.cli import register
from grm.deadlines.models import Extension
from grm.escalation.models import Escalation
from grm.escalation.sweep import sweep
from grm.kernel.actor import Actor
from grm.kernel.db import Base, db
from grm.kernel.errors import Conflict, IllegalAction, InvalidInput, NotFound
from grm.notifications.models import Message
from grm.offices.models import Leave, Posting
from grm.offices.queries import directory
from grm.offices.signed_in import actor_of
from tests.support import build

NOW = build.dhaka(2026, 1, 6, 11)
TODAY = date(2026, 1, 6)
TEXT = "হিসাব নম্বর মিলিয়ে দেখতে ব্যাংকের চিঠির অপেক্ষা।"


class Office:
    """An office with a head, a GRO, an appeal officer, two case officers; and somebody from another office."""

    def __init__(self, session: Session) -> None:
        self.session = session
        roles = ("head", "appeal_officer", "gro", "case_officer", "case_officer")
        self.id, _ = build.office(session, ())
        self.ids: dict[str, int] = {}
        self.postings: dict[str, int] = {}
        from grm.offices.models import Post

        for name, role, rank in zip(
            ("head", "appeal", "gro", "leaver", "heir"), roles, (80, 70, 60, 40, 40), strict=True
        ):
            post = Post(office_id=self.id, code=name, role=role, name_en=name, name_bn=name, rank=rank)
            session.add(post)
            session.flush()
            self.ids[name] = build.officer(session, name_en=name.title()).id
            self.postings[name] = build.posting(session, post.id, self.ids[name]).id
        from grm.offices import edition

        edition.bump(session)
        session.commit()

    def actor(self, name: str) -> Actor:
        return actor_of(self.session, self.session.get_one(Officer, self.ids[name]), TODAY)

    def case(self, assignee: str | None = "leaver", **columns: Any) -> Case:
        columns.setdefault("status", "in_progress" if assignee else "filed")
        made = build.case(
            self.session, self.id, filed_at=build.dhaka(2026, 1, 4), assignee=self.ids.get(assignee or ""), **columns
        )
        self.session.commit()
        return made

    @property
    def leaving(self) -> Wanted:
        return Wanted(posting_id=self.postings["leaver"])

    def to(self, name: str | int, **by_case: Any) -> Choices:
        target = self.ids[name] if isinstance(name, str) else name
        return Choices({self.id: target}, by_case.get("by_case", {}), by_case.get("by_seat", {}))


@pytest.fixture
def office(session: Session) -> Office:
    return Office(session)


def fresh(session: Session, case: Case) -> Case:
    session.rollback()
    session.refresh(case)
    return case


def events(session: Session, case: Case) -> list[CaseEvent]:
    return list(session.scalars(select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.seq)))


def test_everything_goes_in_one_act_and_each_case_says_so(session: Session, office: Office) -> None:
    first, second, third = (
        office.case(),
        office.case(),
        office.case(status="waiting", waiting_until=NOW, is_paused=True),
    )
    others = office.case("heir")
    head = office.actor("head")
    with pytest.raises(WorkLeft) as refused:
        hand_over(head, office.leaving, now=NOW)
    assert {duty.case_id for duty in refused.value.left} == {first.id, second.id, third.id}
    assert session.get_one(Posting, office.postings["leaver"]).ends_on is None

    choices = office.to("heir", by_case={second.id: office.ids["gro"], third.id: DESK})
    number = hand_over(head, office.leaving, choices, now=NOW)
    assert number is not None
    assert [fresh(session, each).assignee_id for each in (first, second, third, others)] == [
        office.ids["heir"], office.ids["gro"], None, office.ids["heir"],
    ]  # fmt: skip
    assert session.get_one(Posting, office.postings["leaver"]).ends_on == TODAY
    kinds = [events(session, each)[-1] for each in (first, second, third)]
    assert [each.kind for each in kinds] == ["assigned", "assigned", "unassigned"]
    assert {each.data["handover_id"] for each in kinds} == {number} and kinds[0].actor_id == head.officer_id
    assert kinds[0].data["version"] == first.version == 2 and first.status == "in_progress"
    assert list(verification.faults(session.connection(), verification.Tally())) == []
    row = session.get_one(Handover, number)
    assert (row.officer_id, row.reason, row.by_id, row.ended_on) == (
        office.ids["leaver"], "posting_ended", head.officer_id, TODAY,
    )  # fmt: skip
    told = session.execute(select(Message.officer_id, Message.params).where(Message.template == "work-handed-officer"))
    assert {officer: params["total"] for officer, params in told} == {office.ids["heir"]: 1, office.ids["gro"]: 1}
    assert session.scalar(select(func.count()).where(Message.template == "case-assigned-officer")) == 0
    held = charges.charge(events(session, third), (), NOW, lambda day: True)
    assert held.spans == () or held.spans[-1].holder.officer_id is None
    with pytest.raises(Conflict, match="posting-has-ended"):
        hand_over(head, office.leaving, choices, now=NOW)
    for statement in ("UPDATE handover SET by_id = NULL", "DELETE FROM handover_item"):
        with pytest.raises(IntegrityError, match="append-only"):
            session.execute(text(statement))
        session.rollback()


def test_no_case_goes_to_whom_it_accuses_or_who_may_not_read_it(session: Session, office: Office) -> None:
    ids = office.ids
    accusing = office.case(accused_officers=[ids["heir"]])
    secret = office.case("appeal", desk="appeal", category="bribe-demand")
    about_head, about_both = (
        office.case(accused_officers=[ids["head"]]),
        office.case(accused_officers=[ids["head"], ids["heir"]]),
    )
    head = office.actor("head")
    with pytest.raises(WorkLeft) as refused:
        hand_over(head, office.leaving, office.to("heir"), now=NOW)
    # The head is not told of the cases against him, and they are not left behind either.
    assert [duty.case_id for duty in refused.value.left] == [accusing.id] and refused.value.count == 1
    hand_over(head, office.leaving, office.to("heir", by_case={accusing.id: ids["gro"]}), now=NOW)
    assert fresh(session, accusing).assignee_id == ids["gro"]
    assert fresh(session, about_head).assignee_id == ids["heir"]
    assert fresh(session, about_both).assignee_id is None
    with pytest.raises(WorkLeft):
        hand_over(head, Wanted(posting_id=office.postings["appeal"]), office.to("gro"), now=NOW)
    with pytest.raises(WorkLeft):  # nobody else answers for the desk, so nothing may go back to it
        hand_over(head, Wanted(posting_id=office.postings["appeal"]), office.to(DESK), now=NOW)
    deputy = build.officer(session)
    build.posting(session, build.post_id(session, office.id, "appeal_officer"), deputy.id, is_alternate=True)
    session.commit()
    hand_over(head, Wanted(posting_id=office.postings["appeal"]), office.to(deputy.id), now=NOW)
    assert fresh(session, secret).assignee_id == deputy.id


def test_a_head_is_not_told_that_there_was_a_case_against_him(session: Session, office: Office) -> None:
    about_head = office.case(accused_officers=[office.ids["head"]])
    assert hand_over(office.actor("head"), office.leaving, now=NOW) is None, (
        "the answer is the one where nothing was left"
    )
    assert fresh(session, about_head).assignee_id is None


def test_requests_investigations_bulk_acts_and_stand_ins_go_along(session: Session, office: Office) -> None:
    ids, head = office.ids, office.actor("head")
    case = office.case(None)
    leaver, gro = office.actor("leaver"), office.actor("gro")
    service.assign_case(gro, case.tracking_number, None, leaver.officer_id, now=NOW)
    investigations.start_investigation(gro, case.tracking_number, None, [ids["leaver"], ids["gro"]], TEXT, now=NOW)
    investigations.permit_investigation(head, case.tracking_number, None, "approve", now=NOW)
    investigations.request_extension(leaver, case.tracking_number, None, TEXT, now=NOW)
    asked = BulkAct(
        officer_id=ids["leaver"], asked_as="case_officer", action="CLOSE", office_id=office.id, desk="gro", fields={},
        state="waiting_for_approval", asked_at=NOW,
    )  # fmt: skip
    session.add(asked)
    seat = build.posting(session, build.post_id(session, office.id, "gro"), ids["leaver"], is_alternate=True)
    session.commit()
    seat_id, asked_id = seat.id, asked.id
    choices = office.to("heir", by_seat={seat_id: ids["heir"]})
    number = hand_over(head, office.leaving, choices, now=NOW)
    session.rollback()
    items = session.scalars(select(HandoverItem).where(HandoverItem.handover_id == number)).all()
    assert {each.kind for each in items} == {"case", "investigation", "extension_asked", "bulk_asked", "alternate"}
    assert session.get_one(BulkAct, asked_id, populate_existing=True).state == "withdrawn"
    assert session.get_one(Posting, seat_id, populate_existing=True).ends_on == TODAY
    mine = select(Posting).where(Posting.officer_id == ids["heir"], Posting.is_alternate)
    assert session.scalars(mine).one().starts_on == TODAY
    _, facts = queries.find_case(session, office.actor("heir"), case.tracking_number)
    assert facts.investigator_ids == {ids["heir"], ids["gro"]} and facts.extension_heir_id == ids["heir"]
    session.rollback()
    # The heir stands for the request now, and does not decide on it; the answer goes to him.
    heir = office.actor("heir")
    with pytest.raises(IllegalAction, match="own-request"):
        investigations.decide_extension(heir, case.tracking_number, None, "approve", now=NOW)
    # What the GRO would decide on, the appeal officer does when the GRO leaves.
    hand_over(head, Wanted(posting_id=office.postings["gro"]), office.to("appeal"), now=NOW)
    session.rollback()
    last = session.scalars(select(HandoverItem).order_by(HandoverItem.id.desc())).first()
    assert last is not None
    kinds = {each.kind: each.to_officer_id for each in session.scalars(select(HandoverItem))}
    assert kinds["extension_decision"] == ids["appeal"]
    investigations.decide_extension(office.actor("appeal"), case.tracking_number, None, "approve", now=NOW)
    told = select(Message.officer_id).where(Message.template == "case-extension-decided-officer")
    assert session.scalars(told).all() == [ids["heir"]]
    assert session.scalars(select(Extension)).one().requested_by_id == ids["leaver"]


def test_back_at_the_desk_the_answer_goes_to_who_answers_for_it(session: Session, office: Office) -> None:
    case, gro, leaver = office.case(), office.actor("gro"), office.actor("leaver")
    number = case.tracking_number
    investigations.start_investigation(gro, number, None, [office.ids["leaver"], office.ids["heir"]], TEXT, now=NOW)
    investigations.permit_investigation(office.actor("head"), number, None, "approve", now=NOW)
    investigations.request_extension(leaver, number, None, TEXT, now=NOW)
    hand_over(office.actor("head"), office.leaving, office.to(DESK), now=NOW)
    assert fresh(session, case).assignee_id is None
    _, facts = queries.find_case(session, gro, number)
    assert facts.investigator_ids == {office.ids["heir"]}
    session.rollback()
    investigations.decide_extension(office.actor("appeal"), number, None, "approve", now=NOW)
    told = select(Message.officer_id).where(Message.template == "case-extension-decided-officer")
    assert session.scalars(told).all() == [office.ids["gro"]]


def test_an_administrator_sees_counts_and_chooses_only_where_no_head_can(session: Session, office: Office) -> None:
    case = office.case()
    admin = build.actor(session, "admin", TODAY)
    with pytest.raises(IllegalAction, match="head-hands-over"):
        hand_over(admin, office.leaving, office.to("heir"), now=NOW)
    hand_over(admin, Wanted(posting_id=office.postings["head"]), now=NOW)
    with pytest.raises(WorkLeft) as refused:
        hand_over(admin, office.leaving, now=NOW)
    assert (refused.value.left, refused.value.count) == ((), 1)
    with pytest.raises(NotFound):
        hand_over(build.actor(session, "gro.food", TODAY), office.leaving, office.to("heir"), now=NOW)
    hand_over(admin, office.leaving, office.to("heir"), now=NOW)
    assert fresh(session, case).assignee_id == office.ids["heir"]


def test_a_closed_account_leaves_nothing_anywhere_and_no_session(session: Session, office: Office) -> None:
    case, account = office.case(), Wanted(officer_id=office.ids["leaver"])
    far = build.posting(session, build.post_id(session, build.office_id(session), "head"), office.ids["leaver"], True)
    session.add(
        StaffSession(token_hash=b"x" * 32, officer_id=office.ids["leaver"], data={}, created_at=NOW, last_seen_at=NOW,
                     expires_at=NOW + timedelta(hours=1))
    )  # fmt: skip
    session.commit()
    far_id = far.id
    with pytest.raises(NotFound):  # a seat in another office: not for this head to close
        hand_over(office.actor("head"), account, office.to("heir"), now=NOW)
    hand_over(build.actor(session, "admin", TODAY), Wanted(posting_id=office.postings["head"]), now=NOW)
    hand_over(build.actor(session, "admin", TODAY), account, office.to("heir"), now=NOW)
    assert fresh(session, case).assignee_id == office.ids["heir"]
    assert session.get_one(Posting, far_id).ends_on == TODAY
    assert not session.get_one(Officer, office.ids["leaver"]).is_active
    assert session.scalars(select(StaffSession)).all() == []
    with pytest.raises(Conflict, match="account-closed"):
        hand_over(build.actor(session, "admin", TODAY), account, now=NOW)
    with pytest.raises(IntegrityError, match="no open account"):
        session.execute(text("UPDATE cases SET assignee_id = :id"), {"id": office.ids["leaver"]})


def test_work_alone_changes_hands_and_an_announced_end_ends_nothing(session: Session, office: Office) -> None:
    case, head = office.case(), office.actor("head")
    announce_end(head, office.postings["leaver"], TODAY + timedelta(days=9), now=NOW)
    with pytest.raises(IllegalAction, match="leaving-day-past"):
        announce_end(head, office.postings["leaver"], TODAY, now=NOW)
    wanted = Wanted(posting_id=office.postings["leaver"], is_work_only=True)
    hand_over(head, wanted, office.to("heir"), now=NOW)
    assert fresh(session, case).assignee_id == office.ids["heir"]
    posting = session.get_one(Posting, office.postings["leaver"])
    assert (posting.ends_on, posting.leaving_on) == (None, TODAY + timedelta(days=9))
    assert hand_over(head, wanted, now=NOW) is None


def test_an_announced_end_reminds_and_comes_where_nothing_is_left(session: Session, office: Office) -> None:
    case, head = office.case(), office.actor("head")
    for name in ("leaver", "heir"):
        announce_end(head, office.postings[name], TODAY + timedelta(days=9), now=NOW)
    assert leaving.run(NOW) == leaving.Result(0, 0)
    near, day = NOW + timedelta(days=3), NOW + timedelta(days=9)
    assert [leaving.run(each) for each in (near, near, day)] == [
        leaving.Result(0, 1), leaving.Result(0, 1), leaving.Result(1, 1),
    ]  # fmt: skip
    told = select(Message.officer_id).where(Message.template == "handover-due-officer").order_by(Message.id)
    assert Counter(session.scalars(told)) == {office.ids["head"]: 2, office.ids["leaver"]: 2}
    assert session.get_one(Posting, office.postings["heir"]).ends_on == day.date()
    assert session.get_one(Posting, office.postings["leaver"]).ends_on is None
    hand_over(head, office.leaving, office.to("gro"), now=day)
    assert fresh(session, case).assignee_id == office.ids["gro"]
    assert leaving.run(day) == leaving.Result(0, 0)


def test_operators_meet_the_same_refusals(app: Flask, session: Session, office: Office) -> None:
    case, runner = office.case(), register(app).test_cli_runner()
    leaver, heir = (session.get_one(Officer, office.ids[name]).username for name in ("leaver", "heir"))
    code = directory(session).office(office.id).code
    session.rollback()
    for command in (["postings", "end", leaver, "--office", code], ["accounts", "deactivate", leaver]):
        refused = runner.invoke(args=command)
        assert refused.exit_code == 1 and "1 case" in refused.output, refused.output
        assert case.tracking_number not in refused.output
    done = runner.invoke(args=["postings", "end", leaver, "--office", code, "--to", f"{code}={heir}"])
    assert done.exit_code == 0 and "handover" in done.output, done.output
    assert fresh(session, case).assignee_id == office.ids["heir"]
    assert runner.invoke(args=["postings", "end", leaver, "--office", code]).exit_code == 1
    assert runner.invoke(args=["accounts", "deactivate", leaver]).exit_code == 0
    again = runner.invoke(args=["accounts", "deactivate", leaver])
    assert again.exit_code == 1 and "closed already" in again.output
    assert runner.invoke(args=["accounts", "reactivate", leaver]).exit_code == 0
    assert session.get_one(Officer, office.ids["leaver"], populate_existing=True).must_set_password


def test_no_hand_ends_a_posting_or_an_account_silently(session: Session, office: Office) -> None:
    office.case()
    ids = {"posting": office.postings["leaver"], "officer": office.ids["leaver"], "other": office.ids["heir"]}
    for statement in (
        "UPDATE posting SET ends_on = '2026-01-06' WHERE id = :posting",
        "UPDATE posting SET ends_on = '2099-01-01' WHERE id = :posting",
        "UPDATE posting SET officer_id = :other WHERE id = :posting",
        "DELETE FROM posting WHERE id = :posting",
        "UPDATE officer SET is_active = false WHERE id = :officer",
    ):
        with pytest.raises(IntegrityError, match="not handed over"):
            session.execute(text(statement), ids)
        session.rollback()
    # With another seat at the same desk the case stays, and the first seat may end.
    build.posting(session, build.post_id(session, office.id, "gro"), ids["officer"], is_alternate=True)
    session.execute(text("UPDATE posting SET ends_on = '2026-01-06' WHERE id = :posting"), ids)
    with pytest.raises(IntegrityError, match="not handed over"):
        session.execute(
            text("UPDATE posting SET ends_on = '2026-01-07' WHERE officer_id = :officer AND is_alternate"), ids
        )


def blocked(settings: Settings, act: Callable[[], Any], app: Flask, first: str, then: str, **given: Any) -> Any:
    """Run `first` on a connection of its own, start the act, wait until it waits for it, run `then`, commit; its answer."""
    answer: list[Any] = []

    def run() -> None:
        with app.app_context():
            try:
                answer.append(act())
            except Exception as error:
                answer.append(error)

    with psycopg.connect(settings.database_url.replace("+psycopg", "")) as other:
        other.execute(first, given)
        thread = threading.Thread(target=run)
        thread.start()
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        for _ in range(400):
            with psycopg.connect(settings.database_url.replace("+psycopg", ""), autocommit=True) as look:
                if look.execute(waiting).fetchone() == (1,):
                    break
        else:
            raise AssertionError(f"the act did not wait: {answer}")
        for statement in then.split(";"):
            other.execute(statement, given)
        other.commit()
        thread.join(10)
    return answer[0]


def test_a_case_assigned_meanwhile_is_handed_over_too(
    app: Flask, settings: Settings, session: Session, office: Office
) -> None:
    late, held = office.case(None), office.case()
    head, gro = office.actor("head"), office.actor("gro")
    session.rollback()
    number = blocked(
        settings,
        lambda: hand_over(head, office.leaving, office.to("heir"), now=NOW),
        app,
        "UPDATE cases SET assignee_id = %(officer)s, status = 'in_progress' WHERE id = %(case)s",
        "SELECT",
        officer=office.ids["leaver"],
        case=late.id,
    )
    assert isinstance(number, int), number
    assert {fresh(session, each).assignee_id for each in (late, held)} == {office.ids["heir"]}

    # And the other way round: who assigns to an officer about to leave finds him gone.
    other = office.case(None)
    found = blocked(
        settings,
        lambda: service.assign_case(gro, other.tracking_number, None, office.ids["heir"], now=NOW),
        app,
        "SELECT FROM officer WHERE id = %(officer)s FOR UPDATE",
        "UPDATE cases SET assignee_id = NULL WHERE assignee_id = %(officer)s;"
        "UPDATE posting SET ends_on = '2026-01-06' WHERE officer_id = %(officer)s",
        officer=office.ids["heir"],
    )
    assert isinstance(found, InvalidInput), found
    assert fresh(session, other).assignee_id is None


def test_two_hundred_cases_take_as_many_statements_as_two(app: Flask, session: Session, office: Office) -> None:
    def needed(count: int) -> int:
        for _ in range(count):
            build.case(
                session,
                office.id,
                filed_at=build.dhaka(2026, 1, 4),
                assignee=office.ids["leaver"],
                status="in_progress",
            )
        session.commit()
        work = Wanted(posting_id=office.postings["leaver"], is_work_only=True)
        head, to = office.actor("head"), office.to("heir")
        session.rollback()
        sent: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
            sent.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        hand_over(head, work, to, now=NOW)
        event.remove(db.engine, "before_cursor_execute", note)
        return len(sent)

    assert needed(2) == needed(60)
    told = session.scalars(select(Message.params).where(Message.template == "work-handed-officer").order_by(Message.id))
    assert [params["total"] for params in told] == [2, 60]


def test_on_leave_the_alternate_is_reminded_and_an_unattended_post_is_passed(session: Session, office: Office) -> None:
    reminded, late = office.case(), office.case()
    for name in ("leaver", "gro"):
        session.add(
            Leave(officer_id=office.ids[name], starts_on=date(2026, 2, 1), ends_on=date(2026, 3, 1), entered_at=NOW)
        )
    seat = session.get_one(Posting, office.postings["leaver"]).post_id
    build.posting(session, seat, office.ids["heir"], is_alternate=True)
    session.commit()
    due_at = build.deadline(session, late.id).due_at
    sweep(due_at - timedelta(hours=1))
    sweep(due_at)
    rows = session.execute(
        select(Escalation.case_id, Escalation.level, Escalation.officer_id, Escalation.is_vacant).order_by(
            Escalation.id
        )
    ).all()
    of_case = [tuple(row)[1:] for row in rows if row.case_id == reminded.id]
    assert (0, office.ids["heir"], False) in of_case
    assert (1, None, True) in of_case and (2, office.ids["appeal"], False) in of_case


def test_the_fence_knows_who_may_hold_a_case_at_a_desk() -> None:
    source = next(Path("migrations/versions").glob("0017_*.py")).read_text()
    pairs = set(re.findall(r"\('(gro|appeal|cell)', '(\w+)'\)", source))
    assert pairs == {(desk, role) for desk, roles in HANDLER_ROLES.items() for role in roles}


FACTS = {
    # Who did something, once; nobody need do it again.
    *("cases.filed_by_id", "contact_task.officer_id", "extension.decided_by_id", "bulk_act.decided_by_id"),
    *("rehearsal.created_by_id", "rehearsal_line.officer_id", "escalation.officer_id", "accused.officer_id"),
    *("handover.officer_id", "handover.by_id", "handover_item.to_officer_id", "leave.entered_by_id"),
    *("attachment.officer_id", "case_link.linked_by_id", "case_link.ended_by_id"),
    *("direction.issued_by_id", "hearing.set_by_id", "canned_reply.changed_by_id"),
    *("sample_month.reported_by_id", "closure_review.reviewer_id", "alarm.acknowledged_by_id"),
    *("return_submission.submitted_by_id", "return_reminder.officer_id"),
    "closure_sample.reviewer_id",  # the tick gives it to somebody else when its reviewer has left the cell
    # Belongs to the person, not to a post.
    *("leave.officer_id", "staff_session.officer_id", "saved_filter.officer_id"),
    "draft.officer_id",  # unfinished, for 72 hours
    # Confirmed, it is filed whoever has left meanwhile; unconfirmed, anybody can hand the file in again.
    "register_batch.officer_id",
    "export_job.officer_id",  # for its owner alone, in the posts of that day
    # Messages find their reader when they are sent; digests go on to the successor (`digests._hand_on`).
    *("message.officer_id", "digest_item.officer_id"),
}


def test_every_column_that_names_an_officer_was_judged() -> None:
    """A new one is a duty, with an entry in `KINDS`, or a fact; that is for a person to decide."""
    import grm.models  # noqa: F401 - so that all tables are known

    named = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        for key in column.foreign_keys
        if key.column.table.name == "officer"
    }
    duties = {column for kind in KINDS for column in kind.columns}
    assert named - duties - FACTS == set(), "is it a duty (grm/cases/duties.py) or a fact?"
    assert (duties | FACTS) - named == set()
