"""Celery entries: resuming waits for complainants that have run out."""

from celery import shared_task

from grm.cases import queries, service
from grm.kernel import clock
from grm.kernel.db import db

BATCH = 200


@shared_task(name="cases.resume-waiting")
def resume_waiting() -> int:
    """Resume each case whose wait has run out, each in its own transaction; what this run leaves, the next one takes."""
    session = db.session()
    numbers = queries.waits_run_out(session, clock.now(session), BATCH)
    session.rollback()  # hold no snapshot while the cases are taken one by one
    return sum(service.resume_wait(number) for number in numbers)
