"""Celery entries: alarms. Any number of runs on one morning ends the same."""

from celery import shared_task


@shared_task(name="alarms.look")
def look() -> int:
    """Look for what is new this morning, if nobody has yet."""
    from grm.alarms import looking

    return looking.look().raised
