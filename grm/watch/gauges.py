"""What an operator's monitor draws: cases open and late, lags, messages by state, gateways, budget, signs of life.

Index look-ups only. What counts open cases and open messages takes as long as there are such; everything else is constant.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grm.cases.models import Case
from grm.escalation.queries import oldest_due, overlooked, set_aside_count
from grm.kernel.clock import dhaka_date
from grm.notifications import stops
from grm.notifications.catalogue import CHANNELS
from grm.notifications.models import Message
from grm.notifications.queries import held_count, oldest_undelivered, outbox_lag
from grm.notifications.standing import delivery_state
from grm.watch.coverage import covered_working_days, not_informed
from grm.web.metrics import Gauge
from grm.web.models import Heartbeat

OVERLOOKED_AFTER = timedelta(minutes=5)


def gauges(session: Session, now: datetime) -> Iterator[Gauge]:
    """All gauges at an instant."""
    yield from _cases(session, now)
    oldest = oldest_due(session)
    lag = max(now - oldest, timedelta()) if oldest is not None else timedelta()
    yield Gauge("grm_sweep_lag_seconds", "Age of the oldest missed deadline the sweep has not met", lag.total_seconds())
    unseen = overlooked(session, now - OVERLOOKED_AFTER)
    yield Gauge("grm_deadlines_overlooked", "Clocks that ran out five minutes ago and still run (at most 1000)", unseen)
    yield Gauge("grm_deadlines_set_aside", "Clocks set aside by an operator", set_aside_count(session))
    waiting = outbox_lag(session, now).total_seconds()
    yield Gauge("grm_outbox_lag_seconds", "Age of the oldest due message nobody has tried to send", waiting)
    undelivered = oldest_undelivered(session)
    waits = max(now - undelivered, timedelta()) if undelivered is not None else timedelta()
    yield Gauge("grm_undelivered_seconds", "Age of the oldest accepted message without a report", waits.total_seconds())
    yield from _messages(session)
    yield from _providers(session, now)
    if (covered := covered_working_days(session, dhaka_date(now))) is not None:
        yield Gauge("grm_calendar_covered_working_days", "Working days ahead that are announced", covered)
    for name, at, detail in session.execute(
        select(Heartbeat.name, Heartbeat.at, Heartbeat.detail).order_by(Heartbeat.name)
    ):
        age = (now - at).total_seconds()
        yield Gauge("grm_heartbeat_age_seconds", "Since a part was last alive", age, {"part": name})
        if name == "worker" and detail.get("way_seconds") is not None:
            meaning = "How long the last canary took from beat through the broker to a worker"
            yield Gauge("grm_task_way_seconds", meaning, float(detail["way_seconds"]))


def _cases(session: Session, now: datetime) -> Iterator[Gauge]:
    is_late = Case.due_at <= now
    counted = select(func.count(), func.count().filter(is_late)).where(Case.is_open)
    open_cases, overdue = session.execute(counted).one()
    yield Gauge("grm_cases_open", "Cases that wait for a decision", open_cases)
    yield Gauge("grm_cases_overdue", "Open cases whose due date has passed", overdue)
    levels = select(Case.level, func.count().label("cases")).where(Case.is_open, Case.level > 0).group_by(Case.level)
    found = {row.level: row.cases for row in session.execute(levels)}
    for level in (1, 2, 3):
        meaning = "Open cases by the level they have risen to"
        yield Gauge("grm_cases_escalated", meaning, found.get(level, 0), {"level": str(level)})
    meaning = "Complainants who could not be told and wait for a call or a letter (at most 1000)"
    yield Gauge("grm_not_informed", meaning, not_informed(session))


def _messages(session: Session) -> Iterator[Gauge]:
    statement = select(Message.channel, Message.state, func.count()).where(Message.ended_at.is_(None))
    found = {
        (channel, state): n for channel, state, n in session.execute(statement.group_by(Message.channel, Message.state))
    }
    for channel in CHANNELS:
        for state in ("pending", "sending", "unknown", "accepted"):
            labels = {"channel": channel, "state": state}
            yield Gauge(
                "grm_messages", "Messages that have not ended, by state", found.get((channel, state), 0), labels
            )
    yield Gauge("grm_messages_held", "Messages held for a person (at most 1000)", held_count(session))
    stopped = stops.stops(session)
    for channel in CHANNELS:
        yield Gauge("grm_sending_stopped", "Whether a channel is stopped", channel in stopped, {"channel": channel})


def _providers(session: Session, now: datetime) -> Iterator[Gauge]:
    state = delivery_state(session, now)
    for gateway in state["gateways"]:
        labels = {"gateway": gateway["name"], "channel": gateway["channel"]}
        yield Gauge("grm_gateway_open", "Whether a provider's breaker is open", bool(gateway["is_open"]), labels)
        empty = bool(gateway["is_out_of_balance"])
        yield Gauge("grm_gateway_out_of_balance", "Whether a provider has no balance left", empty, labels)
    budget = state["budget"]
    for name, meaning in (("spent", "SMS parts spent today"), ("limit", "SMS parts that may be spent today")):
        if budget.get(name) is not None:
            yield Gauge(f"grm_sms_budget_{name}", meaning, float(budget[name]))
