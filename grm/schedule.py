"""The beat table: what is done how often, and why. Every entry expires before its next run, so that none pile up."""

import contextlib
import os
import socket
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from celery.beat import Scheduler as CeleryScheduler
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from config import Settings
from grm.kernel import clock, context
from grm.kernel.one_holder import OneHolder
from grm.web.health import record_heartbeat
from grm.web.models import Heartbeat

log = structlog.get_logger("grm.schedule")
BEAT = "beat"
NODE = f"{socket.gethostname()}:{os.getpid()}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the beat table. ``period_seconds`` is also how late a missed run can be caught up."""

    name: str
    task: str
    period_seconds: float
    queue: str
    why: str


def entries(settings: Settings) -> tuple[Entry, ...]:
    """Return the beat table for these settings."""
    return (
        Entry(
            "canary",
            "web.record-worker-heartbeat",
            5,
            "ticks",
            "proves that beat, broker, worker and database all work",
        ),
        Entry(
            "sweep",
            "escalation.sweep-deadlines",
            settings.sweep_period_seconds,
            "ticks",
            "climbs the ladder for missed deadlines",
        ),
        Entry(
            "redate", "escalation.redate-clocks", 60, "ticks", "goes on with dating clocks anew after a late holiday"
        ),
        Entry("resume", "cases.resume-waiting", 60, "ticks", "ends waits for complainants that have run out"),
        Entry(
            "sms",
            "notifications.deliver-sms",
            settings.delivery_period_seconds,
            "delivery",
            "hands due SMS to the gateway",
        ),
        Entry(
            "email",
            "notifications.deliver-email",
            settings.delivery_period_seconds,
            "delivery",
            "hands due e-mail to the server",
        ),
        Entry(
            "expire",
            "notifications.expire-messages",
            60,
            "ticks",
            "ends messages that are too old to be of use",
        ),
        Entry(
            "rehearse", "escalation.rehearse", 6, "ticks", "goes on with a rehearsal of proposed limits, in short steps"
        ),
        Entry(
            "follow-up",
            "notifications.follow-up",
            30,
            "ticks",
            "notes who was told, and makes a task where a message did not arrive",
        ),
        Entry("calendar", "notifications.remind-of-calendar", 1800, "ticks", "reminds of a list of holidays that runs out"),
        Entry("tidy", "intake.tidy", 600, "ticks", "removes drafts, sessions and counters past their time"),
        Entry("forget", "watch.forget", 600, "ticks", "forgets texts and records that are kept for a while only"),
    )


def beat_schedule(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the table as Celery wants it."""
    return {
        entry.name: {
            "task": entry.task,
            "schedule": entry.period_seconds,
            "options": {"queue": entry.queue, "expires": max(1.0, entry.period_seconds * 0.9)},
        }
        for entry in entries(settings)
    }


class Scheduler(CeleryScheduler):
    """One beat sends the ticks; any further one stands by and takes over within seconds (ADR 0019).

    On duty is who holds a PostgreSQL advisory lock on a connection of its own, over which it also writes its heartbeat: a beat
    that is cut off from the ledger neither holds the lock nor looks alive. All entries are idempotent ticks, so two beats on
    duty would only waste work, and there is no state file: forgetting the last run costs nothing.
    """

    LOCK = "beat"
    ASK_SECONDS = 1.0
    HEARTBEAT_SECONDS = 5.0
    FROZEN_SECONDS = 20.0
    max_interval = 2
    flask_app: Flask | None = None
    _lock: OneHolder | None = None
    _is_on_duty = False
    _asked_at = _last_heartbeat = _looked_at = float("-inf")

    def setup_schedule(self) -> None:
        """Make every entry due at the start: Celery would wait one period first, and the first heartbeat with it."""
        super().setup_schedule()
        for entry in self.schedule.values():
            entry.last_run_at -= entry.schedule.run_every

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Do what is due if on duty, then note that this beat is alive."""
        if not self._takes_duty():
            self._say("beat.standby")
            self._replace_frozen()
            return self.ASK_SECONDS
        self._forget_a_future()
        wait = super().tick(*args, **kwargs)
        self._say(BEAT)
        return min(wait, self.max_interval) if wait is not None else self.max_interval

    def _forget_a_future(self) -> None:
        """Make everything due where the machine's clock was set back: Celery reckons by it, and would wait that long."""
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at > entry.default_now()]
        if ahead:
            log.warning("the machine's clock was set back; all ticks are due")
            for entry in ahead:
                entry.last_run_at = entry.default_now() - entry.schedule.run_every
            self._heap = None  # its order was made by the clock that is gone

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        """Send one tick. The canary carries the instant it left, so that its arrival measures the whole way."""
        if entry.name == "canary" and (session := self._session()) is not None:
            with contextlib.suppress(SQLAlchemyError):
                entry.kwargs = {"sent_at": clock.now(session).isoformat()}
        super().apply_entry(entry, producer=producer)

    def close(self) -> None:
        """Leave duty at once, so that another need not wait."""
        super().close()
        if self._lock is not None:
            self._lock.let_go()

    def _takes_duty(self) -> bool:
        elapsed = time.monotonic()
        if elapsed - self._asked_at < self.ASK_SECONDS:
            return self._is_on_duty
        self._asked_at = elapsed
        if self._lock is None:
            settings: Settings = self.app.flask_app.extensions[context.SETTINGS]
            self._lock = OneHolder(settings.database_url, self.LOCK)
        was_on_duty, self._is_on_duty = self._is_on_duty, self._lock.holds()
        if was_on_duty != self._is_on_duty:
            log.info("beat is on duty" if self._is_on_duty else "beat stands by", node=NODE)
            self._last_heartbeat = float("-inf")
        return self._is_on_duty

    def _replace_frozen(self) -> None:
        """Dislodge a beat that holds the lock and has given no sign of life for long: it is stopped, or cannot move."""
        session = self._session()
        elapsed = time.monotonic()
        if self._lock is None or session is None or elapsed - self._looked_at < self.FROZEN_SECONDS / 3:
            return
        self._looked_at = elapsed
        with contextlib.suppress(SQLAlchemyError):
            alive_at = session.execute(select(Heartbeat.at).where(Heartbeat.name == BEAT)).scalar()
            if alive_at is not None and clock.now(session) - alive_at > timedelta(seconds=self.FROZEN_SECONDS):
                log.warning("the beat on duty gives no sign of life and is cut off", since=alive_at.isoformat())
                self._lock.dislodge()

    def _say(self, name: str) -> None:
        session = self._session()
        elapsed = time.monotonic()
        if session is None or elapsed - self._last_heartbeat < self.HEARTBEAT_SECONDS:
            return
        self._last_heartbeat = elapsed
        try:
            record_heartbeat(session, name, clock.now(session), node=NODE)
        except SQLAlchemyError as error:
            log.warning("beat could not write its heartbeat", error=type(error).__name__)
            self._asked_at = float("-inf")

    def _session(self) -> Session | None:
        """A session on the lock's own connection, on which each statement commits by itself."""
        connection = self._lock.connection if self._lock is not None else None
        return Session(bind=connection) if connection is not None else None
