"""The beat table: what is done how often, and why. Every entry expires before its next run, so that none pile up."""

from dataclasses import dataclass
from typing import Any

import structlog
from celery.beat import Scheduler as CeleryScheduler
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from grm.kernel import clock
from grm.kernel.db import db
from grm.web.health import record_heartbeat

log = structlog.get_logger("grm.schedule")


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
        Entry("tidy", "intake.tidy", 600, "ticks", "removes drafts, sessions and counters past their time"),
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
    """Beat without a state file: all entries are idempotent ticks, so forgetting the last run costs nothing.

    It also writes its own heartbeat, so that a dead beat and a dead worker can be told apart.
    """

    HEARTBEAT_SECONDS = 5.0
    max_interval = 2
    flask_app: Flask | None = None
    _last_heartbeat = float("-inf")

    def setup_schedule(self) -> None:
        """Make every entry due at the start: Celery would wait one period first, and the first heartbeat with it."""
        super().setup_schedule()
        for entry in self.schedule.values():
            entry.last_run_at -= entry.schedule.run_every

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Do what is due, then note that beat is alive."""
        wait = super().tick(*args, **kwargs)
        self._beat()
        return min(wait, self.max_interval) if wait is not None else self.max_interval

    def _beat(self) -> None:
        import time

        elapsed = time.monotonic()
        if elapsed - self._last_heartbeat < self.HEARTBEAT_SECONDS:
            return
        self._last_heartbeat = elapsed
        with self.app.flask_app.app_context():
            try:
                session = db.session()
                record_heartbeat(session, "beat", clock.now(session))
                session.commit()
            except SQLAlchemyError as error:
                db.session.rollback()
                log.warning("beat could not write its heartbeat", error=type(error).__name__)
