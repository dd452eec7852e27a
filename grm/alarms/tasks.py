"""Celery entries: alarms. Any number of runs on one morning ends the same."""

from celery import shared_task

from grm.alarms import looking


@shared_task(name="alarms.look")
def look() -> int:
    """Look for what is new this morning, if nobody has yet."""
    return looking.look().raised
