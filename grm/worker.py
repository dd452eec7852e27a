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
from grm.schedule import celery_settings, refuse_forgetful_broker
from grm.web.health import record_heartbeat

TASK_MODULES = (
    "grm.escalation.tasks",
    "grm.notifications.tasks",
    "grm.intake.tasks",
    "grm.cases.tasks",
    "grm.reviews.tasks",
    "grm.alarms.tasks",
    "grm.returns.tasks",
    "grm.tallies.tasks",
    "grm.watch.tasks",
    "grm.exports.tasks",
    "grm.opendata.tasks",
)
QUEUES = ("ticks", "delivery")


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
    celery.conf.update(celery_settings(settings))
    celery.grm_settings = settings
    celery.set_default()
    _register_canary(celery)
    for module in TASK_MODULES:
        celery.loader.import_task_module(module)
    return celery


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
def _require_lasting_broker(**_: Any) -> None:
    """Do not start on a broker that throws tasks away."""
    from celery import current_app

    refuse_forgetful_broker(current_app.grm_settings)


@signals.worker_process_init.connect(weak=False)
def _forget_inherited_connections(**_: Any) -> None:
    """A forked worker must not share its parent's database connections."""
    from celery import current_app

    with current_app.flask_app.app_context():
        db.engine.dispose(close=False)
        clock.now(db.session())
        db.session.rollback()
