"""Celery entries: tidying."""

from celery import shared_task

from grm.intake.tidying import tidy


@shared_task(name="intake.tidy")
def tidy_up() -> dict[str, int]:
    """Remove expired drafts, sessions and throttles; any number of runs ends the same."""
    return tidy()
