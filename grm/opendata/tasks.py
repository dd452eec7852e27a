"""Celery entry: publishing open data."""

from celery import shared_task

from grm.opendata import service


@shared_task(name="opendata.publish")
def publish() -> int:
    """Publish last month's file from the 5th on, if nobody has yet, and corrections of earlier months with it."""
    return len(service.publish_due())
