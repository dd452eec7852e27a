"""The complainant of a late case need not wait for the next rung: the same ladder, the same row, never twice.

The case of `build.case` is due on 18 February 2026: level 1 on 19 February, level 2 on the 26th, level 3 on 5 March.
"""

import contextvars
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.cases import escalating
from grm.cases.models import Case, CaseEvent
from grm.cases.verification import Tally, faults
from grm.deadlines.announcements import announce
from grm.escalation.models import Escalation
from grm.escalation.redating import redate_open
from grm.escalation.sweep import sweep
from grm.kernel import clock
from grm.kernel.actor import SYSTEM, complainant
from grm.kernel.db import db
from grm.kernel.errors import IllegalAction
from tests.abuse.test_access import sign_in
from tests.integration.test_redating import EID, due_on, today, worked
from tests.integration.test_tracking_page import Follower, offered
from tests.integration.test_two_at_once import Meeting, meeting
from tests.support import build
from tests.support.web import parse

__all__ = ["meeting"]
LEVEL_1 = build.dhaka(2026, 2, 19, 0)
LEVEL_2 = build.dhaka(2026, 2, 26, 0)
LEVEL_3 = build.dhaka(2026, 3, 5, 0)
MOMENT = timedelta(microseconds=1)


def filed(session: Session, **columns: Any) -> Case:
    row = build.case(session, **columns)
    session.execute(text("UPDATE deadline SET next_level = NULL, next_rung_at = NULL WHERE kind = 'acknowledge'"))
    session.commit()
    return row


def press(row: Case, at: datetime | None, level: int | None = None) -> int:
    return escalating.escalate_case(complainant(row.tracking_number), row.tracking_number, level, now=at)


def rungs(session: Session, row: Case) -> list[tuple[int, bool]]:
    session.rollback()
    statement = select(Escalation.level, Escalation.is_asked).where(Escalation.case_id == row.id)
    return [(level, is_asked) for level, is_asked in session.execute(statement.order_by(Escalation.id))]


def kinds(session: Session, row: Case) -> list[str]:
    session.rollback()
    return list(session.scalars(select(CaseEvent.kind).where(CaseEvent.case_id == row.id).order_by(CaseEvent.seq)))


def count(session: Session, table: str) -> int:
    session.rollback()
    return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_from_the_first_moment_after_the_date_once_under_each_clock(session: Session) -> None:
    row = filed(session)
    with pytest.raises(IllegalAction, match="not-late-yet"):
        press(row, LEVEL_1 - MOMENT)
    sweep(LEVEL_1, now=LEVEL_1)
    press(row, LEVEL_1 + timedelta(hours=1))
    assert rungs(session, row) == [(0, False), (1, False), (2, True)]
    second = session.scalars(select(Escalation).where(Escalation.level == 2)).one()
    appeal = build.officer_id(session, "appeal.social-welfare")
    assert (second.officer_id, second.due_at) == (appeal, LEVEL_1 + timedelta(hours=1))
    assert kinds(session, row) == ["filed", "warned", "escalated", "escalation_asked", "escalated"]
    session.refresh(row)
    assert (row.level, row.status, row.assignee_id) == (2, "filed", None)
    with pytest.raises(IllegalAction, match="asked-before"):
        press(row, LEVEL_1 + timedelta(hours=2))
    sweep(LEVEL_2, now=LEVEL_2)
    assert rungs(session, row) == [(0, False), (1, False), (2, True)], "the sweep finds it done"
    sweep(LEVEL_3, now=LEVEL_3)
    assert rungs(session, row)[-1] == (3, False), "and goes on where it would have"
    assert list(faults(session.connection(), Tally())) == []


def test_the_top_is_the_end_and_an_empty_chair_is_passed(session: Session) -> None:
    row = filed(session)
    build.vacate(session, build.office_id(session), "appeal_officer")
    session.commit()
    sweep(LEVEL_1, now=LEVEL_1)
    press(row, LEVEL_1)
    assert rungs(session, row) == [(0, False), (1, False), (2, True), (3, False)]
    other = filed(session)
    sweep(LEVEL_3, now=LEVEL_3)
    with pytest.raises(IllegalAction, match="at-the-top"):
        press(other, LEVEL_3 + timedelta(days=1))


def announce_holidays(session: Session, count: int) -> None:
    """The last working days before today become holidays, and all clocks are dated anew."""
    days = {worked(session, today(session), -n): EID for n in range(1, count + 1)}
    announce(session, days, "Gazette", SYSTEM, clock.now(session))
    session.commit()
    redate_open()


def test_what_was_brought_forward_stands_as_long_as_the_date_is_missed(session: Session) -> None:
    row = due_on(session, -2)
    sweep()
    press(row, None)
    assert rungs(session, row) == [(0, False), (1, False), (2, True)]
    announce_holidays(session, 1)
    session.refresh(row)
    assert row.due_on == worked(session, today(session), -1), "moved by a day, and still in the past"
    assert session.scalars(select(Escalation.withdrawn_at)).all() == [None] * 3
    announce_holidays(session, 3)
    session.refresh(row)
    assert row.due_at > clock.now(session) and row.level == 0
    assert len([each for each in session.scalars(select(Escalation.withdrawn_at)) if each is not None]) == 2


def test_an_announcement_that_is_not_through_yet_makes_nobody_climb_early(session: Session) -> None:
    row = due_on(session, -1)
    announce(session, {worked(session, today(session), -n): EID for n in (1, 2)}, "Gazette", SYSTEM, clock.now(session))
    session.commit()
    with pytest.raises(IllegalAction, match="not-late-yet"):
        press(row, None)
    assert rungs(session, row) == [] and kinds(session, row) == ["filed"]


def together(app: Flask, *acts: Callable[[], Any]) -> list[Any]:
    """Do all of it in the same moment, each over a connection of its own; errors are results."""
    results: dict[int, Any] = {}

    def run(number: int) -> None:
        with app.app_context():
            try:
                results[number] = acts[number]()
            except Exception as error:
                results[number] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=contextvars.Context().run, args=(run, number)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [results[number] for number in range(len(acts))]


@pytest.mark.parametrize(("at", "level"), [(LEVEL_1, 1), (LEVEL_2, 2)])
def test_the_sweep_and_the_complainant_at_once_make_one_row_and_one_message_each(
    app: Flask, session: Session, meeting: Meeting, at: datetime, level: int
) -> None:
    rows = [filed(session) for _ in range(12)]
    if level == 2:
        sweep(LEVEL_1, now=LEVEL_1)
    for row in rows:
        meeting.open()
        done = together(app, lambda: sweep(at, now=at), partial(press, row, at, level))
        assert not [each for each in done if isinstance(each, Exception)], done
    sweep(at, now=at)
    assert meeting.met > 0
    for row in rows:
        assert sorted(each for each, _ in rungs(session, row)) == list(range(level + 1))
        assert kinds(session, row).count("escalated") == level
    late = "message WHERE template = 'case-late-complainant'"
    assert count(session, late) == len(rows), "each complainant hears once that it is late"
    assert count(session, "digest_item") == count(session, "(SELECT DISTINCT * FROM digest_item) AS d")
    twice = "(SELECT 1 FROM escalation GROUP BY deadline_id, epoch, level HAVING count(*) > 1) AS twice"
    assert count(session, twice) == 0
    assert list(faults(session.connection(), Tally())) == []


def test_pressed_ten_times_at_once_it_is_asked_once(app: Flask, session: Session) -> None:
    row = filed(session)
    sweep(LEVEL_1, now=LEVEL_1)
    done = together(app, *[lambda: press(row, LEVEL_1)] * 10)
    assert sorted(str(getattr(each, "code", "done")) for each in done) == ["asked-before"] * 9 + ["done"]
    assert rungs(session, row) == [(0, False), (1, False), (2, True)]
    assert kinds(session, row).count("escalation_asked") == 1


def test_the_button_on_the_page_and_what_officers_see(app: Flask, session: Session) -> None:
    row = due_on(session, -2)
    sweep()
    me = Follower(app, session, row)
    page = me.look()
    assert "escalate" in offered(page) and "You need not wait" in page.text
    assert "They should have answered by" in page.text and "Higher officers know of it: level 1." in page.text
    done = me.send("escalate", 1, level="2")
    assert done.status_code == 200 and "It has been sent higher" in parse(done.text).first("main").text
    assert "escalate" not in offered(parse(done.text).first("main")), "once"
    again = me.send("escalate", 1, level="2")
    assert again.status_code == 200 and rungs(session, row)[-1] == (2, True) and len(rungs(session, row)) == 3
    officer = sign_in(app, "gro").get(f"/cases/{row.tracking_number}?lang=en").text
    assert "The complainant asked to have it sent higher" in officer
    assert "Escalated to level 2, as the complainant asked" in officer
    early = due_on(session, 3)
    refused = Follower(app, session, early).send("escalate", 1, level="1")
    assert refused.status_code == 409 and "This is not possible any more" in parse(refused.text).first("main").text
    assert kinds(session, early) == ["filed"]
