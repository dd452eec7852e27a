"""Celery entries: preparing the monthly returns and calling for late ones."""

from celery import shared_task

from grm.returns import service


@shared_task(name="returns.prepare")
def prepare() -> int:
    """Prepare the returns of the month that is over, if nobody has yet; later runs find them there."""
    return service.prepare_due()


@shared_task(name="returns.call-for-late")
def call_for_late() -> int:
    """Remind of returns that are late: who answers for them, then the head, then the Cabinet Division cell."""
    return service.call_for_late()
