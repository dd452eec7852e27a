"""Deleting files that have had their week, and the rows of those asked for long ago."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from grm.exports.jobs import KEPT
from grm.exports.models import ExportJob, ExportPart
from grm.exports.parts import names_of, store
from grm.kernel.transaction import transaction

ROWS_KEPT = timedelta(days=90)
AT_ONCE = 20


def forget(now: datetime | None = None) -> int:
    """Delete the files made longer ago than that, then rows of jobs long ended; returns how many files."""
    done = 0
    while done < AT_ONCE and _forget_one(now):
        done += 1
    with transaction(now) as act:
        old = (ExportJob.finished_at <= act.now - ROWS_KEPT, ExportJob.state != "done")
        act.session.execute(delete(ExportJob).where(*old), execution_options={"synchronize_session": False})
    return done


def _forget_one(now: datetime | None) -> bool:
    place = store()
    with transaction(now) as act:
        old = (ExportJob.state == "done", ExportJob.finished_at <= act.now - KEPT)
        job = act.session.scalar(
            select(ExportJob).where(*old).order_by(ExportJob.id).limit(1).with_for_update(skip_locked=True)
        )
        if job is None:
            return False
        names = names_of(act.session, job.id)
        for name in names:
            place.unsettle(name)  # so that a kill before the last line leaves something that is swept away
        act.session.execute(delete(ExportPart).where(ExportPart.job_id == job.id))
        job.state = "expired"
    for name in names:
        place.remove(name)
    return True
