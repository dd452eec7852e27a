"""Delivery reports in any order, any number, early and late, unknown and forged: the state only rises, and to where it should.

Every message goes through the real tick and a real gateway; reports come over HTTP. "Early" ones come while the call is under
way: the gateway reports before it has answered, and before we have committed anything about the answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.kernel import clock, context
from grm.notifications import delivery, receipts
from grm.notifications.delivery import Post, deliver_due, end_overdue
from grm.notifications.models import Receipt
from tests.support import gateway as gw
from tests.support.fault_table import Findings, Form
from tests.support.gateway import Gateway, report_path, running_gateway
from tests.support.outbox import add_message, message

pytestmark = pytest.mark.faults

STATUSES = (0, 1, 2, 4, 8, 16, 77)
# A model of its own, on purpose: what a report may lift a message to. Anything else leaves it where it is.
HEIGHT = {"pending": 0, "sending": 0, "unknown": 0, "accepted": 1, "failed": 2, "expired": 2, "held": 2, "delivered": 3}
LIFTS = {1: 3, 2: 2, 4: 1, 8: 1, 16: 2}


@dataclass(frozen=True)
class Event:
    """A report (`status` of our message; of one nobody knows; with a bad signature), or the end of the message's life."""

    kind: str
    status: int = 0


@dataclass
class Story:
    """What happens to one message: reports during the call, the gateway's answer, and what comes later."""

    early: list[Event]
    answer: gw.Answer
    later: list[Event] = field(default_factory=list)


REPORTS = st.builds(Event, st.sampled_from(("ours", "ours", "ours", "unknown", "forged")), st.sampled_from(STATUSES))
STORIES = st.builds(
    Story,
    st.lists(REPORTS, max_size=4),
    st.sampled_from((gw.ACCEPTED, gw.QUEUED, gw.TAKEN_THEN_CUT)),
    st.lists(st.one_of(REPORTS, REPORTS, st.just(Event("end of life"))), max_size=7),
)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway() as running:
        yield running


@pytest.fixture
def post(app: Flask, session: Session, gateway: Gateway) -> Post:
    changed = replace(context.settings(), sms_gateway_url=gateway.url, http_timeout_seconds=2.0)
    post = delivery.post_for("sms", changed)
    assert post is not None
    return post


def test_any_story_ends_where_its_highest_report_says(
    app: Flask, session: Session, gateway: Gateway, post: Post, form: Form, findings: Findings
) -> None:
    told = {"stories": 0, "reports": 0, "refused": 0}
    numbers = count(1)

    @settings(
        max_examples=form.of(60, 600),
        deadline=None,
        derandomize=not form.is_long,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(STORIES)
    def check(story: Story) -> None:
        told["stories"] += 1
        Teller(app, session, gateway, post, next(numbers), told).tell(story)

    check()
    findings.add(
        22, f"{told['reports']} reports in {told['stories']} stories", lost=0, twice=0, refused=told["refused"]
    )
    assert told["refused"] > 20


class Teller:
    """Tells one story to the product and to the model, and compares them after each event."""

    def __init__(
        self, app: Flask, session: Session, gateway: Gateway, post: Post, number: int, told: dict[str, int]
    ) -> None:
        self.client = app.test_client()
        self.session, self.gateway, self.post, self.told = session, gateway, post, told
        self.key = context.settings().secret_key
        session.execute(
            text("UPDATE message SET next_attempt_at = expires_at")
        )  # those of earlier stories are left alone
        session.execute(text("DELETE FROM heartbeat WHERE name LIKE 'delivery.%'"))
        session.commit()
        self.now: datetime = clock.now(session)
        self.id = add_message(session, self.now, f"story {number}", expires_at=self.now + timedelta(hours=1))
        self.unknown_id = 10**9 + number
        self.height = 0
        self.kept: set[tuple[str, str]] = set()
        self.faults: list[str] = []

    def tell(self, story: Story) -> None:
        self.gateway.answers(story.answer)
        taken = len(self.gateway.accepted)
        self.gateway.during = lambda: self._early(story.early, taken)
        deliver_due(self.post, self.now)
        self.gateway.during = lambda: None
        assert len(self.gateway.accepted) == taken + 1
        assert self.faults == []
        self._rise(0 if story.answer.drops else 1)
        for event in story.later:
            self._happen(event, self.gateway.accepted[taken])
            assert self.faults == [], (event, story)
        rows = self.session.execute(
            select(Receipt.reference, Receipt.status).where(Receipt.reference.in_([str(self.id), str(self.unknown_id)]))
        ).all()
        assert {tuple(row) for row in rows} == self.kept and len(rows) == len(self.kept), "each kept, and kept once"
        assert len(self.gateway.accepted) == taken + 1

    def _early(self, events: list[Event], taken: int) -> None:
        """In the gateway's thread, while our worker waits for its answer."""
        for event in events:
            self._happen(event, self.gateway.accepted[taken], is_early=True)

    def _happen(self, event: Event, sms: dict[str, str], is_early: bool = False) -> None:
        if event.kind == "end of life":
            end_overdue(self.now + timedelta(hours=2))
            self._rise(2)
            return
        path = report_path(sms, event.status, "said")
        if event.kind == "forged":
            path = path.replace("t=", f"t={event.status}")
        elif event.kind == "unknown":
            token = receipts.mac(self.key, self.unknown_id)
            path = f"{receipts.PATH}?m={self.unknown_id}&t={token}&status={event.status}&answer=said"
        self.told["reports"] += 1
        answered = self.client.get(path).status_code
        if answered != (401 if event.kind == "forged" else 200):
            self.faults.append(f"{event} answered {answered}")
        if event.kind == "forged":
            self.told["refused"] += 1
        elif event.kind == "unknown":
            self.kept.add((str(self.unknown_id), str(event.status)))
        else:
            self.kept.add((str(self.id), str(event.status)))
            self.height = max(self.height, LIFTS.get(event.status, 0))
        if not is_early:
            self._rise(0)

    def _rise(self, height: int) -> None:
        """Let the model rise to a height and compare."""
        self.height = max(self.height, height)
        row = message(self.session, self.id)
        if HEIGHT[row.state] != self.height:
            self.faults.append(f"{row.state} where {self.height} was reached")
        if (row.ended_at is not None) != (self.height >= 2):
            self.faults.append(f"{row.state}, ended at {row.ended_at}")
