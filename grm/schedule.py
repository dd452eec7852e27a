"""The beat table: what is done how often, and why. Every entry expires before its next run, so that none pile up.

Beat itself runs as `celery --app grm.schedule:beat beat`: it needs neither Flask nor SQLAlchemy, which halves it.
The reasons for Celery's settings are measured facts; see docs/adr/0002-postgresql-is-the-ledger.md.
"""

import os
import socket
import time
from dataclasses import dataclass
from typing import Any

import structlog
from celery import Celery, signals
from celery.beat import Scheduler as CeleryScheduler
from celery.beat import SchedulingError

from config import Settings, load_settings
from grm.kernel import logging as kernel_logging
from grm.kernel.broker import require_no_eviction
from grm.kernel.errors import Misconfigured
from grm.kernel.one_holder import OneHolder

log = structlog.get_logger("grm.schedule")
BEAT = "beat"
NODE = f"{socket.gethostname()}:{os.getpid()}"
VISIBILITY_SECONDS = 300


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
            "bulk", "cases.run-bulk", 5, "ticks", "goes on with acts on many cases that were asked for with one form"
        ),
        Entry(
            "registers",
            "intake.file-registers",
            5,
            "ticks",
            "goes on with filing the rows of registers handed in as a file",
        ),
        Entry("hearings", "cases.remind-of-hearings", 300, "ticks", "reminds both sides of tomorrow's hearings"),
        Entry("samples", "cases.draw-samples", 3600, "ticks", "draws last month's sample of closures, once"),
        Entry("reviews", "reviews.assign-open", 600, "ticks", "gives drawn closures to those who are to review them"),
        Entry("returns", "returns.prepare", 600, "ticks", "prepares last month's returns on the first, once"),
        Entry("close-returns", "returns.close", 300, "ticks", "closes a month's returns on their day, once"),
        Entry("late-returns", "returns.call-for-late", 300, "ticks", "calls for monthly returns that are late"),
        Entry("alarms", "alarms.look", 900, "ticks", "looks for surges and silences, once each morning"),
        Entry("open-data", "opendata.publish", 3600, "ticks", "publishes last month's open data from the 5th on, once"),
        Entry("index", "cases.index-search", 5, "ticks", "makes new and changed cases findable by words and names"),
        Entry("tallies", "tallies.fold", 5, "ticks", "folds what was changed into the sums that figures are read from"),
        Entry("files", "cases.look-after-files", 60, "ticks", "scans files that wait, deletes those of no case"),
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
        Entry(
            "calendar", "notifications.remind-of-calendar", 1800, "ticks", "reminds of a list of holidays that runs out"
        ),
        Entry(
            "leaving",
            "cases.end-announced-postings",
            1800,
            "ticks",
            "ends announced postings where nothing is left to hand over, and reminds where something is",
        ),
        Entry("tidy", "intake.tidy", 600, "ticks", "removes drafts, sessions and counters past their time"),
        Entry("exports", "exports.start", 5, "ticks", "starts processes that make files too large to be made at once"),
        Entry("old-exports", "exports.forget", 600, "ticks", "deletes prepared files after seven days"),
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


def celery_settings(settings: Settings) -> dict[str, Any]:
    """Everything Celery is told, for workers and beat alike."""
    transport = {
        "visibility_timeout": VISIBILITY_SECONDS,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "global_keyprefix": "grm:",
    }
    return {
        "broker_url": settings.broker_url,
        "broker_transport_options": transport,
        # Celery reads it in three places, and the shortest wins.
        "visibility_timeout": VISIBILITY_SECONDS,
        "result_backend_transport_options": {"visibility_timeout": VISIBILITY_SECONDS},
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_time_limit": 60,
        "task_soft_time_limit": 45,
        "task_default_queue": "ticks",
        "task_queues": None,
        "task_create_missing_queues": True,
        "task_publish_retry_policy": {"max_retries": 1},
        "worker_prefetch_multiplier": 1,
        "worker_max_tasks_per_child": 1000,
        "worker_max_memory_per_child": 300_000,
        "worker_soft_shutdown_timeout": 20,
        # It would kill a send in mid-air; claims make a second run harmless instead.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_hijack_root_logger": False,
        "worker_send_task_events": False,
        "timezone": "Asia/Dhaka",
        "beat_schedule": beat_schedule(settings),
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
        if entry.name == "canary" and self._lock is not None and (now := self._lock.now()) is not None:
            entry.kwargs = {"sent_at": now.isoformat()}
        super().apply_entry(entry, producer=producer)

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **options: Any) -> Any:
        """Publish one tick; over a new connection from the next one on, where the old one is a ruin.

        After half a minute of refusals (a full broker) kombu has taken its connection apart and goes on with what is left of
        it, in vain, until beat is started again. While the broker is merely away the connection mends itself.
        """
        try:
            return super().apply_async(entry, producer=producer, advance=advance, **options)
        except SchedulingError as error:
            if isinstance(error.__context__, AttributeError):
                self.__dict__.pop("producer", None)
                self.__dict__.pop("connection", None)
            raise

    def _ensure_connected(self) -> Any:
        """Connect, trying every second: Celery would wait longer and longer, up to half a minute."""
        return self.connection.ensure_connection(interval_start=1, interval_step=0, interval_max=1)

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
            self._lock = OneHolder(self.app.grm_settings.database_url, self.LOCK)
        was_on_duty, self._is_on_duty = self._is_on_duty, self._lock.holds()
        if was_on_duty != self._is_on_duty:
            log.info("beat is on duty" if self._is_on_duty else "beat stands by", node=NODE)
            self._last_heartbeat = float("-inf")
        return self._is_on_duty

    def _replace_frozen(self) -> None:
        """Dislodge a beat that holds the lock and has given no sign of life for long: it is stopped, or cannot move."""
        elapsed = time.monotonic()
        if self._lock is None or elapsed - self._looked_at < self.FROZEN_SECONDS / 3:
            return
        self._looked_at = elapsed
        silent = self._lock.silent_seconds(BEAT)
        if silent is not None and silent > self.FROZEN_SECONDS:
            log.warning("the beat on duty gives no sign of life and is cut off", silent_seconds=round(silent))
            self._lock.dislodge()

    def _say(self, name: str) -> None:
        elapsed = time.monotonic()
        if self._lock is None or elapsed - self._last_heartbeat < self.HEARTBEAT_SECONDS:
            return
        self._last_heartbeat = elapsed
        self._lock.say(name, node=NODE)


def refuse_forgetful_broker(settings: Settings) -> None:
    """End the process with a sentence where the broker throws tasks away when it is full."""
    try:
        require_no_eviction(settings.redis_url)
    except Misconfigured as error:
        policy = error.params["policy"]
        raise SystemExit(
            f"The broker's maxmemory-policy is {policy}: it must be noeviction (docs/operations.md)."
        ) from None


@signals.beat_init.connect(weak=False)
def _require_lasting_broker(sender: Any = None, **_: Any) -> None:
    """Do not start on a broker that throws tasks away."""
    refuse_forgetful_broker(sender.app.grm_settings)


def create_beat(settings: Settings) -> Celery:
    """Build the Celery application that beat needs: the table and the broker, no task and no Flask."""
    kernel_logging.configure(settings.log_level)
    celery = Celery("grm")
    celery.conf.update(celery_settings(settings))
    celery.grm_settings = settings
    return celery


def __getattr__(name: str) -> Any:
    """`beat` is made when Celery's command line asks for it."""
    if name != "beat":
        raise AttributeError(name)
    globals()[name] = found = create_beat(load_settings(os.environ))
    return found
