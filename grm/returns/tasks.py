"""Celery entries: preparing the monthly returns, calling for late ones, and closing the month."""

from celery import shared_task

from grm.returns import closing, service


@shared_task(name="returns.prepare")
def prepare() -> int:
    """Prepare the returns of the month that is over, if nobody has yet; later runs find them there."""
    return service.prepare_due()


@shared_task(name="returns.call-for-late")
def call_for_late() -> int:
    """Remind of returns that are late: who answers for them, then the head, then the Cabinet Division cell."""
    return service.call_for_late()


@shared_task(name="returns.close", soft_time_limit=closing.SECONDS + 30, time_limit=closing.SECONDS + 45)
def close() -> int:
    """Close the months whose time has come: freeze what nobody submits, and send it; later runs find them closed."""
    return closing.close_due()
