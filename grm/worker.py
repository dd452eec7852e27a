"""The Celery application: settings that lose nothing, and a task class that runs inside the Flask application.

The reasons for the settings are measured facts about Celery on Redis; see docs/adr/0002-postgresql-is-the-ledger.md.
"""

from typing import Any

from celery import Celery, Task, signals
from flask import Flask

from config import Settings
from grm.kernel import clock, context
from grm.kernel.db import db
from grm.kernel.transaction import transaction
from grm.schedule import beat_schedule
from grm.web.health import record_heartbeat

TASK_MODULES = (
    "grm.escalation.tasks",
    "grm.notifications.tasks",
    "grm.intake.tasks",
    "grm.cases.tasks",
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
        "socket_timeout": 5,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "global_keyprefix": "grm:",
    }
    return {
        "broker_url": settings.broker_url,
        "broker_transport_options": transport,
        "visibility_timeout": VISIBILITY_SECONDS,
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
        "worker_soft_shutdown_timeout": 10,
        "worker_hijack_root_logger": False,
        "worker_send_task_events": False,
        "timezone": "Asia/Dhaka",
        "beat_schedule": beat_schedule(settings),
    }


def _register_canary(celery: Celery) -> None:
    @celery.task(name="web.record-worker-heartbeat")
    def record_worker_heartbeat() -> None:
        """Note that a task went all the way from beat through the broker to a worker."""
        with transaction() as act:
            record_heartbeat(act.session, "worker", act.now)


@signals.worker_process_init.connect(weak=False)
def _forget_inherited_connections(**_: Any) -> None:
    """A forked worker must not share its parent's database connections."""
    from celery import current_app

    with current_app.flask_app.app_context():
        db.engine.dispose(close=False)
        clock.now(db.session())
        db.session.rollback()
