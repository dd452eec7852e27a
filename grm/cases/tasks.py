"""Celery entries: making cases findable, resuming waits for complainants that have run out, looking after stored files,
going on with acts on many cases."""

from celery import shared_task

from grm.cases import attachment_care, bulk_run, hearings, leaving, queries, samples, search_index, service
from grm.kernel import clock
from grm.kernel.db import db

BATCH = 200
BULK_SECONDS = 10.0
"""How long one run works on bulk acts: sweep and heartbeat wait for the same worker."""


@shared_task(name="cases.resume-waiting")
def resume_waiting() -> int:
    """Resume each case whose wait has run out, each in its own transaction; what this run leaves, the next one takes."""
    session = db.session()
    numbers = queries.waits_run_out(session, clock.now(session), BATCH)
    session.rollback()  # hold no snapshot while the cases are taken one by one
    return sum(service.resume_wait(number) for number in numbers)


@shared_task(name="cases.look-after-files")
def look_after_files() -> int:
    """Scan files that wait for the virus scanner; delete those that belong to no row because an act was killed."""
    return attachment_care.scan_waiting() + attachment_care.sweep_orphans()


@shared_task(name="cases.index-search")
def index_search() -> int:
    """Make new and changed cases findable, in short batches; what this run leaves, the next one takes."""
    return search_index.index_due()


@shared_task(name="cases.run-bulk")
def run_bulk() -> int:
    """Go on with every bulk act under way; what this run leaves, the next one takes."""
    return bulk_run.run_all(BULK_SECONDS)


@shared_task(name="cases.remind-of-hearings")
def remind_of_hearings() -> int:
    """Remind both sides of tomorrow's hearings; any number of runs tells each of them once."""
    return hearings.remind()


@shared_task(name="cases.draw-samples")
def draw_samples() -> int:
    """Draw the sample of last month's closures, if nobody has yet; later runs find it there."""
    return samples.draw_month().drawn


@shared_task(name="cases.end-announced-postings")
def end_announced_postings() -> int:
    """End what was announced to end by today and has nothing left to hand over; remind where something is."""
    return leaving.run().ended
