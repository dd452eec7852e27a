"""The SMS transport against the real thing: Debian's Kannel with its fake SMS centre, and the development sink.

Both must pass the same contract, or neither says anything about the other. Reports are caught by a small server and handed to
the application, since Kannel calls an address, not a test client.
"""

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from grm.kernel import clock, context
from grm.notifications import delivery
from grm.notifications.delivery import Post, deliver_due
from grm.notifications.sms_text import measure
from tests.support.outbox import PHONE, add_message, attempts, later, message, states
from tests.support.sms import Gateway, Kannel, Sink, Sms


class Reported:
    """Takes a gateway's reports. Every test has a base address of its own, so that none sees a late one of another."""

    def __init__(self) -> None:
        self.called: list[list[str]] = []
        reported = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                test, slash, path = self.path[1:].partition("/")
                reported.called[int(test)].append(slash + path)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        run = self.server.serve_forever
        threading.Thread(target=run, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def next_test(self) -> tuple[str, list[str]]:
        """A base address to report to, and the paths behind it that are called."""
        self.called.append([])
        return f"http://127.0.0.1:{self.server.server_address[1]}/{len(self.called) - 1}", self.called[-1]


@pytest.fixture(scope="module")
def reported() -> Iterator[Reported]:
    """Listens as long as a gateway runs: Kannel's smsbox ends itself when a report meets a server that is closing."""
    reported = Reported()
    yield reported
    reported.server.shutdown()
    reported.server.server_close()


@pytest.fixture(scope="module", params=["kannel", "sink"])
def gateway(
    request: pytest.FixtureRequest, reported: Reported, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    if request.param == "kannel" and Kannel.programs() is None:
        pytest.skip("Kannel is not installed (Debian: kannel, kannel-extras); the sink runs the same tests")
    home: Path = tmp_path_factory.mktemp(request.param) / "gateway"
    made = Kannel(home) if request.param == "kannel" else Sink(home)
    try:
        made.start()
        yield made
    finally:
        made.stop()
    for death in made.deaths:
        warnings.warn(f"Kannel was started again: {death}", stacklevel=1)


@pytest.fixture(autouse=True)
def _shown(gateway: Gateway) -> Iterator[None]:
    """Begin with a gateway that runs; pytest shows what is printed where a test fails."""
    gateway.tend()
    yield
    print(gateway.log())


@pytest.fixture
def reports(reported: Reported) -> tuple[str, list[str]]:
    """The base address that a gateway reports to, and the paths it has called."""
    return reported.next_test()


@pytest.fixture
def now(session: Session) -> datetime:
    return clock.now(session)


def post_to(app: Flask, gateway: Gateway, reports_to: str, password: str | None = None) -> Post:
    settings = replace(
        context.settings(),
        sms_gateway_url=gateway.url,
        sms_gateway_user=gateway.user,
        sms_gateway_password=password or gateway.password,
        sms_report_url=reports_to,
    )
    app.extensions[context.SETTINGS] = settings
    post = delivery.post_for("sms", settings)
    assert post is not None
    return post


@pytest.fixture(autouse=True)
def _settings_again(app: Flask) -> Iterator[None]:
    before = app.extensions[context.SETTINGS]
    yield
    app.extensions[context.SETTINGS] = before


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.05)


def arrived(gateway: Gateway, count: int) -> list[Sms]:
    """The messages that have come since the module's gateway started, once there are `count` new ones."""
    wait_for(lambda: len(gateway.received()) >= count)
    return gateway.received()


def test_a_long_bangla_sms_arrives_whole_and_its_reports_settle_it(
    app: Flask, session: Session, gateway: Gateway, reports: tuple[str, list[str]], now: datetime
) -> None:
    base, called = reports
    before = len(gateway.received())
    message_id = add_message(session, now, "long", template="case-question-complainant")
    assert deliver_due(post_to(app, gateway, base), now) == {"accepted": 1}
    got = arrived(gateway, before + 1)[-1]
    body = message(session, message_id).body or ""
    assert (got.text, got.encoding, got.parts) == (body, "ucs2", measure(body).parts)
    assert got.to.lstrip("+") == PHONE.lstrip("+")
    wait_for(lambda: any("status=1&" in path for path in called))
    for path in reversed(called):  # out of order on purpose
        assert app.test_client().get(path).status_code == 200
    assert message(session, message_id).state == "delivered"


@pytest.mark.parametrize(("letters", "parts"), [(70, 1), (71, 2), (134, 2)])
def test_bangla_takes_as_many_parts_as_we_count(
    app: Flask,
    session: Session,
    gateway: Gateway,
    reports: tuple[str, list[str]],
    now: datetime,
    letters: int,
    parts: int,
) -> None:
    """Seventy letters of UCS-2 fit into one SMS, 67 into each of several, and we pay for what goes over the air."""
    before = len(gateway.received())
    body = ("আপনার অভিযোগ গৃহীত হয়েছে। " * 9)[: letters - 1] + "।"
    message_id = add_message(session, now, f"letters {letters}", body=body)
    assert deliver_due(post_to(app, gateway, reports[0]), now) == {"accepted": 1}
    got = arrived(gateway, before + 1)[-1]
    assert (got.text, got.encoding, got.parts) == (body, "ucs2", parts)
    assert measure(body).parts == parts
    assert message(session, message_id).state == "accepted", "taken is not delivered"


def test_a_short_english_sms_takes_one_part_of_the_plain_alphabet(
    app: Flask, session: Session, gateway: Gateway, reports: tuple[str, list[str]], now: datetime
) -> None:
    before = len(gateway.received())
    message_id = add_message(session, now, "short", language="en")
    deliver_due(post_to(app, gateway, reports[0]), now)
    got = arrived(gateway, before + 1)[-1]
    assert (got.text, got.encoding, got.parts) == (message(session, message_id).body, "gsm7", 1)


def test_a_wrong_password_loses_nothing(
    app: Flask, session: Session, gateway: Gateway, reports: tuple[str, list[str]], now: datetime
) -> None:
    message_id = add_message(session, now, "kept")
    assert deliver_due(post_to(app, gateway, reports[0], "wrong"), now) == {"unreachable": 1}
    assert "403" in (attempts(session, message_id)[0][2] or ""), "it was there, and did not know us"
    assert states(session) == ["pending"]


def test_a_number_that_is_denied_is_final_and_stops_nobody_else(
    app: Flask, session: Session, gateway: Gateway, reports: tuple[str, list[str]], now: datetime
) -> None:
    if isinstance(gateway, Sink):
        pytest.skip("the sink denies nobody")
    base, called = reports
    before = len(gateway.received())
    denied = add_message(session, now, "denied", address="+8801912345678", priority=0)
    add_message(session, now, "next", language="en")
    post = post_to(app, gateway, base)
    assert deliver_due(post, now) == {"refused": 1, "accepted": 1}
    assert [sms.to.lstrip("+") for sms in arrived(gateway, before + 1)[before:]] == [PHONE.lstrip("+")]
    row = message(session, denied)
    assert row.state == "failed" and "Not routable" in (row.error or "")
    wait_for(lambda: any("status=1&" in path for path in called))
    for path in called:  # among them, from the centre, that it refuses the first
        assert app.test_client().get(path).status_code == 200
    assert states(session) == ["failed", "delivered"]
    assert deliver_due(post, later(now, hours=2)) == {}


def test_while_the_gateway_is_away_messages_wait_and_then_go_once(
    app: Flask, session: Session, gateway: Gateway, reports: tuple[str, list[str]], now: datetime
) -> None:
    before = len(gateway.received())
    for number in range(3):
        add_message(session, now, f"waits {number}", language="en")
    post = post_to(app, gateway, reports[0])
    with gateway.away():
        assert deliver_due(post, now)["unreachable"] >= 1
        assert set(states(session)) == {"pending"}
    assert deliver_due(post, later(now, minutes=5)) == {"accepted": 3}
    arrived(gateway, before + 3)
    time.sleep(0.3)
    assert len(gateway.received()) == before + 3
    assert deliver_due(post, later(now, hours=2)) == {}


def test_while_the_centre_is_away_the_gateway_keeps_what_it_took(
    app: Flask, session: Session, gateway: Gateway, reports: tuple[str, list[str]], now: datetime
) -> None:
    """Queued for later delivery is taken, not delivered; Kannel hands it on when the centre is back."""
    if isinstance(gateway, Sink):
        pytest.skip("the sink is its own centre")
    base, called = reports
    before = len(gateway.received())
    post = post_to(app, gateway, base)
    with gateway.away("fakesmsc"):
        message_id = add_message(session, now, "queued", language="en")
        assert deliver_due(post, now) == {"accepted": 1}
        assert deliver_due(post, later(now, hours=2)) == {}
        assert len(gateway.received()) == before and message(session, message_id).state == "accepted"
    wait_for(lambda: len(gateway.received()) == before + 1, 60)
    wait_for(lambda: any("status=1&" in path for path in called))
    for path in called:
        assert app.test_client().get(path).status_code == 200
    assert message(session, message_id).state == "delivered"


def test_every_report_of_the_gateway_is_authentic(
    app: Flask, session: Session, gateway: Gateway, reports: tuple[str, list[str]], now: datetime
) -> None:
    base, called = reports
    add_message(session, now, "a", language="en")
    deliver_due(post_to(app, gateway, base), now)
    wait_for(lambda: len(called) >= 2)
    assert all(app.test_client().get(path).status_code == 200 for path in called)
    assert app.test_client().get(called[0].replace("t=", "t=0")).status_code == 401
