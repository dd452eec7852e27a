"""Celery entries: the sweep, and rehearsals."""

from celery import shared_task

from grm.escalation import rehearsals
from grm.escalation.redating import is_pending, redate_open
from grm.escalation.sweep import sweep
from grm.kernel.transaction import transaction

MAX_SECONDS = 30.0
"""Less than the soft time limit of a task; what is left then waits for the next tick."""


@shared_task(name="escalation.sweep-deadlines")
def sweep_deadlines() -> None:
    """Climb the ladder for everything that is due now."""
    sweep(max_seconds=MAX_SECONDS)


@shared_task(name="escalation.rehearse")
def rehearse() -> None:
    """Go on with a rehearsal that waits, for a few seconds; else forget an old one."""
    if not rehearsals.work():
        rehearsals.forget()


@shared_task(name="escalation.redate-clocks")
def redate_clocks() -> None:
    """Go on with dating clocks anew where an announcement left some: its command was killed, or has only just been given."""
    with transaction() as act:
        is_needed = is_pending(act.session)
    if is_needed:
        redate_open(max_seconds=MAX_SECONDS)
