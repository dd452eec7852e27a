"""Celery entries: folding."""

from celery import shared_task

from grm.tallies import folding


@shared_task(name="tallies.fold")
def fold() -> int:
    """Fold what was changed into the tallies, in short batches; what this run leaves, the next one takes."""
    return folding.fold()
