"""Celery entries: starting the processes that make files, deleting files that have had their week."""

from celery import shared_task

from grm.exports import care, jobs, making
from grm.kernel.db import db


@shared_task(name="exports.start")
def start_waiting() -> int:
    """Start a process for each file whose turn it is; what this run leaves, the next one takes."""
    session = db.session()
    waiting = jobs.has_waiting(session)
    session.rollback()
    return making.start() if waiting else 0


@shared_task(name="exports.forget")
def forget_old() -> int:
    """Delete files past their time; any number of runs ends the same."""
    return care.forget()
