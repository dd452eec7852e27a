"""Celery entries: the sweep."""

from celery import shared_task

from grm.escalation.sweep import sweep

MAX_SECONDS = 30.0
"""Less than the soft time limit of a task; what is left then waits for the next tick."""


@shared_task(name="escalation.sweep-deadlines")
def sweep_deadlines() -> None:
    """Climb the ladder for everything that is due now."""
    sweep(max_seconds=MAX_SECONDS)
