"""SMS delivery against a gateway that speaks Kannel: the oracle is the gateway's own record of what it accepted."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.kernel import clock, context
from grm.kernel.db import db
from grm.notifications import delivery
from grm.notifications.backoff import REPORT_PATIENCE
from grm.notifications.delivery import Post, deliver_due, end_overdue
from tests.support import build
from tests.support import gateway as gw
from tests.support.gateway import Gateway, running_gateway
from tests.support.outbox import PHONE, add_message, attempts, later, message, outcomes, states

TIMEOUT = 0.6


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway() as running:
        yield running


@pytest.fixture
def now(session: Session) -> datetime:
    return clock.now(session)


@pytest.fixture
def post(app: Flask, gateway: Gateway, session: Session) -> Post:
    return post_to(gateway.url)


def post_to(url: str) -> Post:
    settings = replace(context.settings(), sms_gateway_url=url, http_timeout_seconds=TIMEOUT)
    post = delivery.post_for("sms", settings)
    assert post is not None
    return post


def test_a_bangla_sms_goes_out_as_kannel_wants_it(
    session: Session, gateway: Gateway, post: Post, now: datetime
) -> None:
    message_id = add_message(session, now)
    assert deliver_due(post, now) == {"accepted": 1}
    (sent,) = gateway.accepted
    assert sent["to"] == PHONE and sent["username"] == "grm" and sent["from"] == "16122"
    assert sent["text"] == "অভিযোগ 7K3M-PQ9X-R2TB4 গ্রহণ করা হয়েছে। জবাবের শেষ তারিখ ৩১/১২/২০২৬।"
    assert (sent["coding"], sent["charset"], sent["dlr-mask"]) == ("2", "UTF-8", "31")
    assert sent["dlr-url"].startswith(f"{context.settings().sms_report_url}/gateway/sms/receipts?m={message_id}&t=")
    assert sent["dlr-url"].endswith("&status=%d&answer=%A")
    row = message(session, message_id)
    assert (row.state, row.attempts, row.claim, row.lease_until) == ("accepted", 1, None, None)
    assert row.body == sent["text"] and row.subject is None
    assert attempts(session, message_id) == [(1, "accepted", "HTTP 202 0: Accepted for delivery")]


def test_english_costs_one_plain_sms(session: Session, gateway: Gateway, post: Post, now: datetime) -> None:
    add_message(session, now, language="en")
    deliver_due(post, now)
    assert gateway.accepted[0]["coding"] == "0" and "31/12/2026" in gateway.accepted[0]["text"]


def test_queued_is_accepted_and_a_second_tick_finds_nothing(
    session: Session, gateway: Gateway, post: Post, now: datetime
) -> None:
    gateway.answers(gw.QUEUED)
    add_message(session, now)
    deliver_due(post, now)
    assert deliver_due(post, later(now, days=1)) == {}
    assert states(session) == ["accepted"] and len(gateway.requests) == 1


def test_the_urgent_goes_first(session: Session, gateway: Gateway, post: Post, now: datetime) -> None:
    for n in range(3):
        add_message(session, now, f"late-{n}", template="case-late-complainant", priority=4)
    add_message(session, now, "ack", priority=1)
    deliver_due(post, now)
    assert "গ্রহণ করা হয়েছে" in gateway.accepted[0]["text"] and len(gateway.accepted) == 4


@pytest.mark.parametrize("answer", [gw.NOT_ROUTABLE, gw.BAD_NUMBER], ids=["403", "400"])
def test_a_refusal_is_final_and_stops_nobody_else(
    session: Session, gateway: Gateway, post: Post, now: datetime, answer: gw.Answer
) -> None:
    gateway.answers(answer)
    first = add_message(session, now, "a")
    add_message(session, now, "b")
    assert deliver_due(post, now) == {"refused": 1, "accepted": 1}
    assert states(session) == ["failed", "accepted"]
    row = message(session, first)
    assert str(answer.status) in (row.error or "") and row.ended_at == now
    assert deliver_due(post, later(now, hours=5)) == {}


@pytest.mark.parametrize("answer", [gw.WRONG_ACCOUNT, gw.REDIRECT], ids=["account", "redirect"])
def test_a_fault_of_ours_loses_no_message(
    session: Session, gateway: Gateway, post: Post, now: datetime, answer: gw.Answer
) -> None:
    """A wrong password or address is about us: nothing fails, nobody is called at the other address, and it goes on later."""
    gateway.always(answer)
    ids = [add_message(session, now, f"m{n}") for n in range(3)]
    assert deliver_due(post, now) == {"unreachable": 1}
    assert deliver_due(post, now) == {}, "the breaker must be open"
    assert states(session) == ["pending"] * 3 and len(gateway.requests) == 1
    gateway.always(None)
    assert deliver_due(post, later(now, minutes=2)) == {"accepted": 3}
    assert gateway.references() == {str(each): 1 for each in ids}


def test_a_broken_gateway_is_tried_again_with_growing_waits(
    session: Session, gateway: Gateway, post: Post, now: datetime
) -> None:
    gateway.always(gw.BROKEN)
    message_id = add_message(session, now)
    at, waits = now, []
    for _ in range(12):
        deliver_due(post, at)
        row = message(session, message_id)
        if row.state == "failed":
            break
        waits.append((row.next_attempt_at - at).total_seconds())
        assert deliver_due(post, row.next_attempt_at - timedelta(seconds=1)) == {}, "tried before its time"
        at = later(row.next_attempt_at, minutes=1)
    assert len(waits) == 11 and 11 < waits[0] < 19 and waits[-1] <= 9000
    assert all(after > 1.19 * before for before, after in pairwise(waits[:9]))
    row = message(session, message_id)
    assert row.state == "failed" and row.error == "gave up: HTTP 500 Internal error"
    assert outcomes(session, message_id) == ["temporary"] * 12
    assert gateway.accepted == []


def test_retry_after_is_obeyed_by_everybody(session: Session, gateway: Gateway, post: Post, now: datetime) -> None:
    gateway.answers(gw.BUSY)
    add_message(session, now, "a")
    add_message(session, now, "b")
    assert deliver_due(post, now) == {"temporary": 1}
    assert deliver_due(post, later(now, seconds=39)) == {} and len(gateway.requests) == 1
    assert deliver_due(post, later(now, seconds=41)) == {"accepted": 2}


def test_gateway_away_then_back(session: Session, gateway: Gateway, post: Post, now: datetime) -> None:
    ids = [add_message(session, now, f"m{n}") for n in range(20)]
    gateway.stop()
    at, calls = now, 0
    for _ in range(120):  # ten minutes of ticks
        calls += sum(deliver_due(post, at).values())
        at = later(at, seconds=5)
    assert 10 <= calls <= 16, "one call a minute once the breaker has learnt that nobody is there"
    assert states(session) == ["pending"] * 20
    gateway.start()
    assert deliver_due(post, later(at, minutes=1)) == {"accepted": 20}
    assert gateway.references() == {str(each): 1 for each in ids}


def test_accepted_then_cut_waits_for_a_report_and_is_not_sent_again_when_it_comes(
    app: Flask, session: Session, gateway: Gateway, post: Post, now: datetime
) -> None:
    gateway.answers(gw.TAKEN_THEN_CUT)
    message_id = add_message(session, now)
    assert deliver_due(post, now) == {"unknown": 1}
    assert states(session) == ["unknown"]
    assert deliver_due(post, later(now, minutes=9)) == {}
    assert app.test_client().get(gw.report_path(gateway.accepted[0], 1)).status_code == 200
    assert deliver_due(post, later(now, minutes=11)) == {}
    assert message(session, message_id).state == "delivered" and len(gateway.requests) == 1


def test_a_lost_answer_leads_to_one_marked_resend_and_no_more(
    session: Session, gateway: Gateway, post: Post, now: datetime
) -> None:
    gateway.answers(gw.CUT, gw.TAKEN_THEN_CUT)
    message_id = add_message(session, now)
    deliver_due(post, now)
    at = later(now, seconds=REPORT_PATIENCE.total_seconds() + 1)
    assert deliver_due(post, at) == {"unknown": 1}
    assert [(n, outcome) for n, outcome, _ in attempts(session, message_id)] == [(1, "unknown"), (2, "unknown")]
    assert attempts(session, message_id)[1][2].startswith("resend; ")  # type: ignore[union-attr]
    for hours in (1, 24, 71):
        assert deliver_due(post, later(now, hours=hours)) == {}
    assert end_overdue(later(now, hours=72)) == {"held": 1}
    row = message(session, message_id)
    assert (row.state, row.error) == ("held", "answer-unknown")
    assert end_overdue(later(now, hours=73)) == {} and len(gateway.requests) == 2


def test_a_slow_gateway_is_not_waited_for_and_holds_no_connection(
    session: Session, gateway: Gateway, post: Post, now: datetime
) -> None:
    seen: list[int] = []
    add_message(session, now)
    session.close()
    gateway.answers(gw.Answer(after_seconds=3 * TIMEOUT))
    pool = db.engine.pool
    gateway.during = lambda: seen.append(pool.checkedout())  # type: ignore[attr-defined]
    assert deliver_due(post, now) == {"unknown": 1}
    assert seen == [0], "no connection may be held while the gateway thinks"


def test_an_error_behind_http_200_is_never_taken_for_sent(
    session: Session, gateway: Gateway, post: Post, now: datetime
) -> None:
    gateway.answers(gw.ODD_200)
    add_message(session, now)
    assert deliver_due(post, now) == {"unknown": 1}
    assert states(session) == ["unknown"]


@pytest.mark.parametrize("number", ["+15005550006", "+8802212345678", "+8801212345678", "16222", "01712345678"])
def test_a_number_that_may_not_be_called_costs_nothing(
    session: Session, gateway: Gateway, post: Post, now: datetime, number: str
) -> None:
    message_id = add_message(session, now, address=number)
    assert deliver_due(post, now) == {"skipped": 1}
    row = message(session, message_id)
    assert (row.state, row.error, row.attempts) == ("failed", "number-not-allowed", 0)
    assert gateway.requests == [] and attempts(session, message_id) == []


def test_a_sealed_address_opens_in_its_own_row_only(
    session: Session, gateway: Gateway, post: Post, now: datetime
) -> None:
    add_message(session, now, "a", address="+8801711111111")
    second = add_message(session, now, "b", address="+8801722222222")
    session.execute(
        text("UPDATE message SET address_sealed = (SELECT address_sealed FROM message WHERE key = 'a') WHERE key = 'b'")
    )
    session.commit()
    deliver_due(post, now)
    assert message(session, second).error == "address-unreadable"
    assert [sent["to"] for sent in gateway.accepted] == ["+8801711111111"]


def test_officers_get_it_at_the_number_on_file_now(
    session: Session, gateway: Gateway, post: Post, now: datetime
) -> None:
    officer = session.execute(text("SELECT id, phone FROM officer WHERE is_active ORDER BY id LIMIT 1")).one()
    add_message(session, now, template="case-escalated-officer", officer_id=officer.id)
    session.execute(text("UPDATE officer SET phone = '+8801811111111' WHERE id = :id"), {"id": officer.id})
    session.commit()
    deliver_due(post, now)
    assert gateway.accepted[0]["to"] == "+8801811111111"
    second = add_message(session, now, "b", template="case-escalated-officer", officer_id=officer.id)
    session.execute(text("UPDATE officer SET is_active = false WHERE id = :id"), {"id": officer.id})
    session.commit()
    assert deliver_due(post, now) == {"skipped": 1}
    assert message(session, second).error == "recipient-inactive"


def test_many_senders_at_once_send_each_message_once(
    app: Flask, session: Session, gateway: Gateway, post: Post, now: datetime
) -> None:
    ids = [add_message(session, now, f"m{n}") for n in range(60)]
    tallies: list[int] = []
    barrier = threading.Barrier(4)

    def work() -> None:
        with app.app_context():
            barrier.wait()
            tallies.append(deliver_due(post, now, tick_seconds=30)["accepted"])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(tallies) == 60 and sum(1 for tally in tallies if tally) > 1
    assert gateway.references() == {str(each): 1 for each in ids}
    assert set(states(session)) == {"accepted"}


def test_a_tick_has_its_time_and_the_next_goes_on(
    session: Session, gateway: Gateway, post: Post, now: datetime
) -> None:
    for n in range(6):
        add_message(session, now, f"m{n}")
    gateway.always(gw.Answer(after_seconds=0.1))
    assert 1 <= deliver_due(post, now, tick_seconds=0.15)["accepted"] < 6
    while deliver_due(post, now, tick_seconds=0.15):
        pass
    assert states(session) == ["accepted"] * 6


def test_a_claim_that_has_grown_old_is_given_up_before_the_call(
    session: Session, gateway: Gateway, post: Post, now: datetime
) -> None:
    message_id = add_message(session, now)
    tired = Post(post.channel, post.transport, timedelta(0))
    assert deliver_due(tired, now, tick_seconds=1)["not_sent"] >= 1
    assert gateway.requests == [] and states(session) == ["pending"]
    assert deliver_due(post, now) == {"accepted": 1}
    assert gateway.references() == {str(message_id): 1}


def test_old_and_unneeded_messages_end_without_a_call(
    session: Session, gateway: Gateway, post: Post, now: datetime
) -> None:
    add_message(session, now, "old", expires_at=later(now, hours=1), next_attempt_at=now)
    add_message(session, now, "waiting", state="accepted", expires_at=later(now, hours=1))
    add_message(session, now, "fresh", expires_at=later(now, hours=3))
    assert deliver_due(post, later(now, hours=2)) == {"accepted": 1}
    assert end_overdue(later(now, hours=2)) == {"expired": 2}
    assert states(session) == ["expired", "expired", "accepted"]


def test_an_absent_gateway_uses_up_no_tries(session: Session, gateway: Gateway, post: Post, now: datetime) -> None:
    message_id = add_message(session, now)
    gateway.stop()
    at = now
    while len(attempts(session, message_id)) < 20:
        at = later(at, minutes=2)
        assert deliver_due(post, at) == {"unreachable": 1}
    gateway.start()
    gateway.answers(gw.BROKEN)
    assert deliver_due(post, later(at, minutes=2)) == {"temporary": 1}
    assert states(session) == ["pending"], "the first real refusal is the first of twelve"


def test_all_attempts_say_the_same(session: Session, gateway: Gateway, post: Post, now: datetime) -> None:
    gateway.answers(gw.BROKEN)
    add_message(session, now)
    deliver_due(post, now)
    session.execute(text("""UPDATE message SET params = '{"tracking_number": "X", "due_on": "2030-01-01"}'"""))
    session.commit()
    deliver_due(post, later(now, minutes=1))
    assert gateway.requests[0]["text"] == gateway.requests[1]["text"] == gateway.accepted[0]["text"]


def test_a_reminder_about_an_ended_case_is_dropped(
    session: Session, gateway: Gateway, post: Post, now: datetime
) -> None:
    still_open, ended = build.case(session), build.case(session, status="resolved", outcome="answered", ended_at=now)
    first = add_message(session, now, "a", template="case-late-complainant", case_id=still_open.id)
    second = add_message(session, now, "b", template="case-late-complainant", case_id=ended.id)
    third = add_message(session, now, "c", template="case-resolved-complainant", case_id=ended.id)
    assert deliver_due(post, now) == {"accepted": 2, "skipped": 1}
    assert gateway.references() == {str(first): 1, str(third): 1}
    row = message(session, second)
    assert (row.state, row.error) == ("expired", "no-longer-needed")


def test_a_message_without_a_text_fails_alone(session: Session, gateway: Gateway, post: Post, now: datetime) -> None:
    add_message(session, now, "a", template="no-such-message")
    add_message(session, now, "b", params={"tracking_number": "7K3MPQ9XR2TB4"})
    add_message(session, now, "c")
    assert deliver_due(post, now) == {"skipped": 2, "accepted": 1}
    assert states(session) == ["failed", "failed", "accepted"]


def test_without_a_gateway_messages_wait(app: Flask, session: Session, now: datetime) -> None:
    assert delivery.post_for("sms", replace(context.settings(), sms_gateway_url="")) is None
    assert delivery.post_for("email", replace(context.settings(), smtp_url="")) is None


def test_an_outcome_outlives_the_connection_that_was_to_note_it(
    session: Session, gateway: Gateway, post: Post, now: datetime
) -> None:
    """The database drops us while the gateway answers: what is known is noted with a new connection, and nothing goes twice."""
    message_id = add_message(session, now)
    session.close()
    db.engine.dispose()  # so that there is one connection, which all that follows will use
    pid = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
    session.close()
    database = context.settings().database_url

    def drop() -> None:
        with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as connection:
            assert connection.execute("SELECT pg_terminate_backend(%s)", (pid,)).fetchone() == (True,)

    gateway.during = drop
    assert deliver_due(post, now) == {"accepted": 1}
    assert states(session) == ["accepted"] and gateway.references() == {str(message_id): 1}
