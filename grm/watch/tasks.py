"""Celery entries: forgetting what has been kept long enough."""

from celery import shared_task

from grm.watch.retention import forget


@shared_task(name="watch.forget")
def forget_what_is_old() -> dict[str, int]:
    """Forget texts and records past their time; any number of runs ends the same."""
    return forget()
