"""Celery entries: reviews. Any number of runs ends the same."""

from celery import shared_task

from grm.reviews import assigning


@shared_task(name="reviews.assign-open")
def assign_open() -> int:
    """Give what was drawn to those who are to review it."""
    return assigning.assign_open()
