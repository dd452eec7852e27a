"""Described gateways over real sockets: what they take, whom they fail over to, what they are asked, and what they report."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise, permutations
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.cli import register
from grm.kernel import clock, context
from grm.kernel.gateways import parse_gateways
from grm.kernel.transaction import transaction
from grm.notifications import breaker, delivery, outbox, receipts
from grm.notifications.channels.contract import Outcome
from grm.notifications.delivery import Post, deliver_due, end_overdue
from grm.notifications.models import Attempt, Receipt
from grm.notifications.outbox import reference_of
from grm.notifications.receipts import RANK, DescribedReport
from grm.notifications.settling import Settled, settle
from grm.notifications.standing import delivery_state
from tests.support import gateway as gw
from tests.support import provider as pv
from tests.support.gateway import Gateway, running_gateway
from tests.support.outbox import PHONE, add_message, attempts, later, message, outcomes, states
from tests.support.provider import Provider, described, running_provider

TIMEOUT = 0.6
Use = Callable[..., Post]


@pytest.fixture
def now(session: Session) -> datetime:
    return clock.now(session)


@pytest.fixture
def first() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def second() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def use(app: Flask, session: Session) -> Iterator[Use]:
    """Let the application know these gateways, and give back the way out."""
    before = app.extensions[context.SETTINGS]

    def with_gateways(*parts: str, **changes: object) -> Post:
        app.extensions[context.SETTINGS] = replace(
            before, sms_gateways_file=described(*parts), http_timeout_seconds=TIMEOUT, **changes
        )
        post = delivery.post_for("sms", context.settings())
        assert post is not None
        return post

    yield with_gateways
    app.extensions[context.SETTINGS] = before


def test_a_message_goes_out_as_described(session: Session, use: Use, first: Provider, now: datetime) -> None:
    message_id = add_message(session, now)
    assert deliver_due(use(first.describe()), now) == {"accepted": 1}
    (sent,), row = first.accepted, message(session, message_id)
    assert (sent["to"], sent["sms"], sent["ref"]) == (PHONE.removeprefix("+"), row.body, reference_of(row))
    assert first.headers[0]["Authorization"] == f"Bearer {pv.TOKEN}"
    assert sent["callback"].startswith(
        f"{context.settings().sms_report_url}/gateway/sms/receipts/generic?m={message_id}&t="
    )
    assert (row.state, row.gateway, row.provider_reference, row.segments) == (
        "accepted",
        "generic",
        f"id-{sent['ref']}",
        1,
    )
    attempt = session.scalars(select(Attempt)).one()
    assert (attempt.gateway, attempt.segments, attempt.outcome) == ("generic", 1, "accepted")


@pytest.mark.parametrize(
    ("answer", "result", "state"),
    [
        (pv.BAD_NUMBER, "refused", "failed"),
        (pv.THROTTLED, "temporary", "pending"),
        (pv.NO_BALANCE, "no_balance", "pending"),
        (pv.WRONG_ACCOUNT, "unreachable", "pending"),
        (pv.ODD, "unknown", "unknown"),
        (pv.BROKEN, "temporary", "pending"),
        (pv.Says(body="<html>all is well</html>", takes=False), "unknown", "unknown"),
        (pv.Says(status=302, headers={"Location": "http://127.0.0.1:9/"}, takes=False), "unreachable", "pending"),
        (pv.Says(status=400, code=0, takes=False), "temporary", "pending"),
        (pv.Says(status=402, code=0, takes=False), "no_balance", "pending"),
        (pv.Says(status=502, code=0), "unknown", "unknown"),
        (pv.CUT, "unknown", "unknown"),
        (pv.Says(after_seconds=3 * TIMEOUT), "unknown", "unknown"),
    ],
)
def test_an_error_is_never_taken_for_success(
    session: Session, use: Use, first: Provider, now: datetime, answer: pv.Says, result: str, state: str
) -> None:
    add_message(session, now)
    first.says(answer)
    assert deliver_due(use(first.describe()), now) == {result: 1}
    assert states(session) == [state]


def test_connections_are_kept_and_many_messages_go_at_once(
    session: Session, use: Use, first: Provider, now: datetime
) -> None:
    ids = [add_message(session, now, f"m{n}") for n in range(60)]
    seen: list[int] = []
    waiting = [0]

    def during() -> None:
        waiting[0] += 1
        seen.append(waiting[0])

    first.during = during
    first.always(pv.Says(after_seconds=0.02))
    assert deliver_due(use(first.describe(), sms_connections=6), now, tick_seconds=30) == {"accepted": 60}
    assert first.connections <= 6
    assert len(first.references()) == len(ids) and set(first.references().values()) == {1}


def test_a_connection_that_the_server_closes_is_not_used_again(
    session: Session, use: Use, first: Provider, now: datetime
) -> None:
    first.always(pv.Says(headers={"Connection": "close"}))
    for n in range(10):
        add_message(session, now, f"m{n}")
    assert deliver_due(use(first.describe()), now) == {"accepted": 10}


# --- failover ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer", [pv.NO_BALANCE, pv.WRONG_ACCOUNT, pv.BROKEN, pv.THROTTLED], ids=["balance", "account", "500", "throttled"]
)
def test_the_second_takes_what_the_first_surely_does_not_have(
    session: Session, use: Use, first: Provider, second: Provider, now: datetime, answer: pv.Says
) -> None:
    ids = [add_message(session, now, f"m{n}") for n in range(40)]
    first.always(answer)
    post = use(first.describe("first"), second.describe("second"))
    tally = deliver_due(post, now)
    assert tally["accepted"] == 40 and first.accepted == []
    assert {message(session, each).gateway for each in ids} == {"second"}
    assert set(second.references().values()) == {1}
    assert len(first.requests) < 20, "the others need not find out for themselves"


def test_the_second_takes_over_where_the_first_is_gone_and_hands_back(
    session: Session, use: Use, first: Provider, second: Provider, now: datetime
) -> None:
    post = use(first.describe("first"), second.describe("second"))
    first.stop()
    add_message(session, now, "a")
    assert deliver_due(post, now) == {"unreachable": 1, "accepted": 1}
    add_message(session, now, "b")
    assert deliver_due(post, later(now, seconds=1)) == {"accepted": 1}, "its breaker is open"
    first.start()
    add_message(session, now, "c")
    assert deliver_due(post, later(now, minutes=2)) == {"accepted": 1}
    assert (len(second.accepted), len(first.accepted)) == (2, 1)


@pytest.mark.parametrize("answer", [pv.CUT, pv.TAKEN_THEN_CUT, pv.ODD], ids=["cut", "taken", "odd"])
@pytest.mark.parametrize("look_up", [True, False])
def test_a_lost_answer_never_leads_to_the_other_gateway(
    session: Session, use: Use, first: Provider, second: Provider, now: datetime, answer: pv.Says, look_up: bool
) -> None:
    message_id = add_message(session, now)
    first.says(answer)
    post = use(first.describe("first", look_up), second.describe("second"))
    assert deliver_due(post, now) == {"unknown": 1}
    first.stop()
    for minutes in (1, 5, 11, 60, 600):
        deliver_due(post, later(now, minutes=minutes))
    assert second.requests == [] and message(session, message_id).gateway == "first"
    first.start()
    deliver_due(post, later(now, hours=30))
    assert second.requests == []


def test_a_gateway_that_left_the_file_keeps_what_is_bound_to_it(
    session: Session, use: Use, first: Provider, second: Provider, now: datetime
) -> None:
    message_id = add_message(session, now)
    first.says(pv.CUT)
    deliver_due(use(first.describe("first")), now)
    assert deliver_due(use(second.describe("second")), later(now, hours=1)) == {}
    assert end_overdue(later(now, hours=73)) == {"held": 1}
    assert message(session, message_id).error == "answer-unknown" and second.requests == []


def test_both_refusing_for_now_wait_their_turns_and_give_up(
    session: Session, use: Use, first: Provider, second: Provider, now: datetime
) -> None:
    message_id = add_message(session, now)
    first.always(pv.BROKEN)
    second.always(pv.BROKEN)
    post, at = use(first.describe("first"), second.describe("second")), now
    for _ in range(40):
        deliver_due(post, at)
        at = max(later(at, minutes=2), message(session, message_id).next_attempt_at)
    assert message(session, message_id).state == "failed"
    assert outcomes(session, message_id) == ["temporary"] * 12
    assert {len(first.requests), len(second.requests)} == {6}


# --- asking for what was lost -------------------------------------------------------------------------------------------


def test_what_the_gateway_has_is_not_sent_again(session: Session, use: Use, first: Provider, now: datetime) -> None:
    message_id = add_message(session, now)
    first.says(pv.TAKEN_THEN_CUT)
    post = use(first.describe())
    assert deliver_due(post, now) == {"unknown": 1}
    assert deliver_due(post, later(now, seconds=59)) == {}, "it may be busy with the very request"
    assert deliver_due(post, later(now, seconds=80)) == {"accepted": 1}
    assert len(first.requests) == 1 and len(first.asked) == 1
    assert message(session, message_id).state == "accepted"
    assert attempts(session, message_id)[1] == (2, "accepted", "ask; accepted")


def test_what_the_gateway_does_not_have_is_sent_again(
    session: Session, use: Use, first: Provider, now: datetime
) -> None:
    first.says(pv.CUT, pv.CUT, pv.CUT)
    message_id = add_message(session, now)
    post, at = use(first.describe()), now
    for _ in range(4):
        deliver_due(post, at)
        at = later(at, minutes=10)
    assert message(session, message_id).state == "accepted"
    assert list(first.references().values()) == [1] and len(first.requests) == 4 and len(first.asked) == 3


@pytest.mark.parametrize(("word", "state"), [("DELIVRD", "delivered"), ("UNDELIV", "failed"), ("SENT", "accepted")])
def test_the_gateways_word_is_believed(
    session: Session, use: Use, first: Provider, now: datetime, word: str, state: str
) -> None:
    message_id = add_message(session, now)
    first.knows[reference_of(message(session, message_id))] = word
    first.says(pv.CUT)
    post = use(first.describe())
    deliver_due(post, now)
    deliver_due(post, later(now, minutes=2))
    assert message(session, message_id).state == state and len(first.requests) == 1


def test_a_gateway_that_says_nothing_of_use_is_asked_again_and_sent_nothing(
    session: Session, use: Use, first: Provider, now: datetime
) -> None:
    message_id = add_message(session, now)
    first.says(pv.CUT)
    first.is_mute = True
    post, at = use(first.describe()), now
    for _ in range(30):
        deliver_due(post, at)
        at = later(at, hours=2.5)
    assert len(first.requests) == 1 and len(first.asked) > 20
    assert end_overdue(at) == {"held": 1} and message(session, message_id).error == "answer-unknown"


def test_a_one_time_code_is_never_sent_again(
    session: Session, use: Use, first: Provider, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grm.notifications.catalogue import CATALOGUE

    monkeypatch.setitem(
        outbox.CATALOGUE, "case-filed-complainant", replace(CATALOGUE["case-filed-complainant"], may_resend=False)
    )
    message_id = add_message(session, now, expires_at=later(now, minutes=10))
    first.says(pv.CUT)
    post = use(first.describe())
    deliver_due(post, now)
    for minutes in range(1, 10):
        assert deliver_due(post, later(now, minutes=minutes)) == {}
    assert end_overdue(later(now, minutes=11)) == {"held": 1}
    assert (len(first.requests), first.asked, message(session, message_id).attempts) == (1, [], 1)


# --- no balance ---------------------------------------------------------------------------------------------------------


def test_an_empty_account_stops_the_queue_and_is_probed_ever_more_rarely(
    session: Session, use: Use, first: Provider, now: datetime
) -> None:
    ids = [add_message(session, now, f"m{n}") for n in range(10)]
    first.always(pv.NO_BALANCE)
    post, probes = use(first.describe()), []
    for minute in range(60):
        if deliver_due(post, later(now, minutes=minute, seconds=1)):
            probes.append(minute)
    waits = [after - before for before, after in pairwise(probes)]
    assert probes[0] == 0 and waits[:4] == [1, 2, 4, 8] and max(waits) == 15 and len(first.requests) == len(probes)
    at = later(now, minutes=60)
    (gateway,) = delivery_state(session, at)["gateways"]
    assert gateway["is_out_of_balance"] and gateway["since"] == later(now, seconds=1).isoformat()
    assert states(session) == ["pending"] * 10
    first.always(None)
    with transaction() as act:
        assert breaker.resume(act.session, "sms", "generic", at)
    assert deliver_due(post, later(at, seconds=1)) == {"accepted": 10}
    assert not delivery_state(session, at)["gateways"][0]["is_out_of_balance"]
    assert len(ids) == len(first.references())


def test_the_command_resumes_a_paused_gateway(app: Flask, session: Session, use: Use, first: Provider) -> None:
    first.always(pv.NO_BALANCE)
    now = clock.now(session)
    add_message(session, now)
    post = use(first.describe())
    deliver_due(post)
    assert deliver_due(post) == {}
    first.always(None)
    runner = register(app).test_cli_runner()
    state = json.loads(runner.invoke(args=["delivery", "state"]).output)
    assert state["gateways"][0]["is_out_of_balance"] and state["bound"] == {}
    assert runner.invoke(args=["delivery", "resume", "nobody"]).exit_code == 1
    assert "next message" in runner.invoke(args=["delivery", "resume", "generic"]).output
    session.execute(text("UPDATE message SET next_attempt_at = created_at"))
    session.commit()
    assert deliver_due(post) == {"accepted": 1}


# --- reports ------------------------------------------------------------------------------------------------------------


def report(app: Flask, gateway: str = "generic", **fields: str) -> int:
    return app.test_client().post(f"{receipts.PATH}/{gateway}", json=fields, headers={"token": pv.TOKEN}).status_code


def test_reports_are_taken_with_token_or_mac_only(
    app: Flask, session: Session, use: Use, first: Provider, now: datetime
) -> None:
    use(first.describe())
    key = context.settings().secret_key
    message_id = add_message(session, now, state="accepted", gateway="generic", provider_reference="id-7")
    client, path = app.test_client(), f"{receipts.PATH}/generic"
    body = {"id": "id-7", "word": "DELIVRD"}
    for headers in ({}, {"token": "wrong"}, {"token": ""}, {"token": "ক".encode().decode("latin-1")}):
        assert client.post(path, json=body, headers=headers).status_code == 401
    assert client.post(f"{receipts.PATH}/other", json=body, headers={"token": pv.TOKEN}).status_code == 401
    assert client.get(f"{path}?m={message_id}&t={'0' * 32}&word=DELIVRD").status_code == 401
    assert message(session, message_id).state == "accepted" and session.scalars(select(Receipt)).all() == []
    assert client.get(f"{path}?m={message_id}&t={receipts.mac(key, message_id)}&word=SENT").status_code == 200
    assert client.get(f"{path}?token={pv.TOKEN}&id=id-7&word=DELIVRD").status_code == 200
    assert message(session, message_id).state == "delivered"


def test_a_form_and_a_strange_body_do_no_harm(
    app: Flask, session: Session, use: Use, first: Provider, now: datetime
) -> None:
    use(first.describe())
    message_id = add_message(session, now, state="accepted", gateway="generic", provider_reference="id-7")
    client, headers = app.test_client(), {"token": pv.TOKEN}
    path = f"{receipts.PATH}/generic"
    for body in (b"{", b"[]", b"\xff", b'{"id": {"a": 1}, "word": null}', b'{"id": "\\u0000", "word": "\\ud800"}'):
        answer = client.post(path, data=body, headers=headers, content_type="application/json")
        assert answer.status_code == 200, body
    assert client.post(path, data={"id": "id-7", "word": "nonsense"}, headers=headers).status_code == 200
    assert message(session, message_id).state == "accepted"
    assert client.post(path, data={"id": "id-7", "word": "UNDELIV"}, headers=headers).status_code == 200
    row = message(session, message_id)
    assert (row.state, row.error) == ("failed", "not-delivered UNDELIV")


def test_our_own_reference_must_be_whole(
    app: Flask, session: Session, use: Use, first: Provider, now: datetime
) -> None:
    use(first.describe().replace('"theirs"', '"ours"'))
    message_id = add_message(session, now, state="accepted", gateway="generic")
    reference = reference_of(message(session, message_id))
    for wrong in (f"grm.{message_id}.0000000000000000", f"grm.{message_id}", "", "grm.x.y", reference + "0"):
        assert report(app, id=wrong, word="DELIVRD") == 200
        assert message(session, message_id).state == "accepted"
    assert report(app, id=reference, word="DELIVRD") == 200
    assert message(session, message_id).state == "delivered"


def test_a_report_before_its_message_is_kept_and_matched(
    app: Flask, session: Session, use: Use, first: Provider, now: datetime
) -> None:
    message_id = add_message(session, now)
    reference = reference_of(message(session, message_id))
    first.during = lambda: [report(app, id=f"id-{reference}", word="DELIVRD") for _ in range(2)] and None  # type: ignore[func-returns-value]
    post = use(first.describe())
    assert deliver_due(post, now) == {"accepted": 1}
    assert message(session, message_id).state == "accepted"
    assert deliver_due(post, now) == {}
    assert message(session, message_id).state == "delivered"
    assert [(r.message_id, r.status) for r in session.scalars(select(Receipt))] == [(message_id, "DELIVRD")]


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    steps=st.lists(st.sampled_from(["SENT", "DELIVRD", "UNDELIV", "tick", "odd", "expire"]), max_size=5),
    is_lost=st.booleans(),
    kind=st.sampled_from(["ours", "theirs", "kannel"]),
    data=st.data(),
)
def test_every_order_of_reports_and_our_own_commit_ends_the_same(
    session: Session, use: Use, first: Provider, steps: list[str], is_lost: bool, kind: str, data: st.DataObject
) -> None:
    """Reports of both kinds of gateway, in any order, with our own note of the answer anywhere among them: states only rise,
    and the end is what the highest of them says."""
    use(first.describe("kept").replace('"theirs"', f'"{"ours" if kind == "ours" else "theirs"}"'))
    now = clock.now(session)
    ends = set()
    orders = data.draw(st.lists(st.permutations(["settle", *steps]), min_size=1, max_size=3))
    for order in orders:
        session.execute(text("DELETE FROM receipt"))
        session.execute(text("DELETE FROM attempt"))
        session.execute(text("DELETE FROM message"))
        session.commit()
        message_id = add_message(session, now, expires_at=later(now, hours=1))
        terms = outbox.Terms("sms", timedelta(seconds=30), ("kept",), frozenset(), "http://x", lambda *_: "r")
        with transaction(now) as act:
            batch = outbox.claim(act.session, context.keyring(), terms, now, 1)
            (claimed,) = outbox.release(act.session, batch.claimed, now)
        seen = [0]
        for step in (*order, "tick"):
            play(step, claimed, now, is_lost, kind)
            seen.append(RANK[message(session, message_id).state])
        assert seen == sorted(seen), order
        row = message(session, message_id)
        assert (row.ended_at is not None) == (row.state in ("delivered", "failed", "expired", "held"))
        ends.add(RANK[row.state])
        if "DELIVRD" in steps:
            assert row.state == "delivered"
    assert len(ends) == 1, (ends, orders)


def play(step: str, claimed: outbox.Claimed, now: datetime, is_lost: bool, kind: str) -> None:
    reference = claimed.letter.reference if kind == "ours" else "id-1"
    words = {"kept": {"SENT": "accepted", "DELIVRD": "delivered", "UNDELIV": "failed"}}
    if step == "expire":
        end_overdue(later(now, hours=2))
        return
    with transaction(now) as act:
        if step == "settle":
            # A gateway's own id comes with its answer; where that is lost only our reference can match a report.
            result = Outcome("unknown") if is_lost and kind != "theirs" else Outcome("accepted", "", None, "id-1")
            settle(act.session, [Settled(claimed, result, 0.5)], now)
        elif step == "tick":
            receipts.match_early(act, words)  # type: ignore[arg-type]
        elif kind == "kannel":
            number = {"SENT": 8, "DELIVRD": 1, "UNDELIV": 2, "odd": 77}[step]
            receipts.take(act, receipts.Report(claimed.id, number, ""))
        else:
            meaning = words["kept"].get(step)
            found = DescribedReport("kept", None, reference, kind == "ours", step, meaning)  # type: ignore[arg-type]
            receipts.take_described(act, found)


def test_each_order_of_four_ends_the_same(session: Session, use: Use, first: Provider, now: datetime) -> None:
    """All of them, without chance: the answer noted, and three reports."""
    use(first.describe("kept"))
    for number, order in enumerate(permutations(("settle", "SENT", "UNDELIV", "DELIVRD"))):
        session.execute(
            text("UPDATE message SET provider_reference = 'past', next_attempt_at = :at"), {"at": later(now, days=2)}
        )
        session.execute(text("DELETE FROM receipt"))
        session.commit()
        message_id = add_message(session, now, f"m{number}")
        terms = outbox.Terms("sms", timedelta(seconds=30), ("kept",), frozenset(), "http://x", lambda *_: "r")
        with transaction(now) as act:
            batch = outbox.claim(act.session, context.keyring(), terms, now, 1)
            (claimed,) = outbox.release(act.session, batch.claimed, now)
        for step in (*order, "tick"):
            play(step, claimed, now, False, "theirs")
        assert message(session, message_id).state == "delivered", order


# --- from Kannel to another, and the file in the settings -----------------------------------------------------------------


def test_kannel_and_a_described_gateway_stand_in_for_one_another(
    app: Flask, session: Session, use: Use, first: Provider, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        kannel: Gateway = stack.enter_context(running_gateway())
        part = f'[[gateway]]\nname = "kannel"\nkind = "kannel"\nurl = "{kannel.url}"\nuser = "u"\n'
        part += 'password_env = "PROVIDER_TOKEN"\nsender = "16122"\n'
        post = use(part, first.describe("generic"))
        kannel.answers(gw.WRONG_ACCOUNT)
        add_message(session, now)
        assert deliver_due(post, now) == {"unreachable": 1, "accepted": 1}
        assert len(first.accepted) == 1 and kannel.accepted == []
        assert kannel.requests[0]["password"] == pv.TOKEN


def test_the_shipped_examples_are_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "gateways.md").read_text()
    blocks = [each.split("```")[0] for each in page.split("```toml\n")[1:]]
    env = dict.fromkeys(
        (
            *(
                "BULK_API_KEY",
                "BULK_REPORT_TOKEN",
                "AGGREGATOR_TOKEN",
                "PLAIN_USER",
                "PLAIN_PASSWORD",
                "KANNEL_PASSWORD",
            ),
        ),
        "0123456789abcdef",
    )
    names = [[about.name for about in parse_gateways(block, env, is_production=True)] for block in blocks]
    assert names == [["bulk"], ["aggregator"], ["plain", "default"]]
