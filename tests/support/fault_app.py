"""The product's Celery application as the fault tests run it: with shorter waits, and with tasks that are slow on purpose.

FAULTS_VISIBILITY_SECONDS   after how long the broker gives a task that was not acknowledged to another worker
FAULTS_SHIFT_DAYS           this process believes that it lives so many days later (or earlier, if negative)
"""

import os
import time
from datetime import UTC, datetime, timedelta

from celery import shared_task

from wsgi import celery

_visibility_seconds = float(os.environ.get("FAULTS_VISIBILITY_SECONDS", "300"))
celery.conf.visibility_timeout = _visibility_seconds
celery.conf.broker_transport_options = {
    **celery.conf.broker_transport_options,
    "visibility_timeout": _visibility_seconds,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}

if shift_days := float(os.environ.get("FAULTS_SHIFT_DAYS", "0")):
    import time_machine

    time_machine.travel(datetime.now(UTC) + timedelta(days=shift_days), tick=True).start()


@shared_task(name="faults.deliver-slowly", queue="delivery")
def deliver_slowly(seconds: float) -> None:
    """A delivery tick that lasts longer than the broker's patience."""
    from grm.kernel import context
    from grm.notifications import delivery

    settings = context.settings()
    with (settings.grm_home / "log" / "slow-starts").open("a") as note:
        note.write(f"{os.getpid()}\n")
    post = delivery.post_for("sms", settings)
    assert post is not None
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        delivery.deliver_due(post, tick_seconds=left)
        time.sleep(0.1)
