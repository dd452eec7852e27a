"""The Celery application: settings that lose nothing, and a task class that runs inside the Flask application.

The reasons for the settings are measured facts about Celery on Redis; see docs/adr/0002-postgresql-is-the-ledger.md.
"""

from datetime import datetime
from typing import Any

from celery import Celery, Task, signals
from flask import Flask

from config import Settings
from grm.kernel import clock, context
from grm.kernel.db import db
from grm.kernel.transaction import transaction
from grm.schedule import beat_schedule
from grm.web.health import eviction_policy, record_heartbeat

TASK_MODULES = (
    "grm.escalation.tasks",
    "grm.notifications.tasks",
    "grm.intake.tasks",
    "grm.cases.tasks",
    "grm.watch.tasks",
)
QUEUES = ("ticks", "delivery")
VISIBILITY_SECONDS = 300


def create_celery(app: Flask) -> Celery:
    """Build the Celery application on a Flask application."""
    settings: Settings = app.extensions[context.SETTINGS]

    class ContextTask(Task):
        """A task that runs in the Flask application's context, with a fresh database session."""

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            with app.app_context():
                return super().__call__(*args, **kwargs)

    celery = Celery("grm", task_cls=ContextTask, include=[])
    celery.flask_app = app
    celery.conf.update(_configuration(settings))
    celery.set_default()
    _register_canary(celery)
    for module in TASK_MODULES:
        celery.loader.import_task_module(module)
    return celery


def _configuration(settings: Settings) -> dict[str, Any]:
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


def _register_canary(celery: Celery) -> None:
    @celery.task(name="web.record-worker-heartbeat", bind=True)
    def record_worker_heartbeat(task: Task, sent_at: str | None = None) -> None:
        """Note that a task went all the way from beat through the broker to a worker, how long it took, and to which."""
        node = task.request.hostname or "here"
        with transaction() as act:
            way = (act.now - datetime.fromisoformat(sent_at)).total_seconds() if sent_at else None
            record_heartbeat(act.session, "worker", act.now, node=node, sent_at=sent_at, way_seconds=way)
            record_heartbeat(act.session, f"worker:{node}", act.now)


@signals.worker_init.connect(weak=False)
@signals.beat_init.connect(weak=False)
def _refuse_forgetful_broker(**_: Any) -> None:
    """A broker that throws keys away when it is full would lose ticks in silence: do not start on it.

    One that does not answer now, or says nothing of its memory, is no reason: it may come back, and nothing is kept there.
    """
    from celery import current_app

    settings: Settings = current_app.flask_app.extensions[context.SETTINGS]
    policy = eviction_policy(settings.redis_url)
    if policy not in (None, "noeviction"):
        raise SystemExit(f"The broker's maxmemory-policy is {policy}: it must be noeviction (see docs/operations.md).")


@signals.worker_process_init.connect(weak=False)
def _forget_inherited_connections(**_: Any) -> None:
    """A forked worker must not share its parent's database connections."""
    from celery import current_app

    with current_app.flask_app.app_context():
        db.engine.dispose(close=False)
        clock.now(db.session())
        db.session.rollback()
