"""Celery entries: tidying, and filing the rows of registers."""

from celery import shared_task

from grm.intake import batch_care, batch_run
from grm.intake.tidying import tidy

REGISTER_SECONDS = 10.0
"""How long one run works on registers: sweep and heartbeat wait for the same worker."""


@shared_task(name="intake.tidy")
def tidy_up() -> dict[str, int]:
    """Remove expired drafts, sessions and throttles, and what registers hold of people; any number of runs ends the same."""
    return {**tidy(), "register_batch": batch_care.forget()}


@shared_task(name="intake.file-registers")
def file_registers() -> int:
    """Go on with every register under way; what this run leaves, the next one takes."""
    return batch_run.run_all(REGISTER_SECONDS)
