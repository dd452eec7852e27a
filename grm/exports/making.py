"""Making one file, in a process of its own: one snapshot of the database, one row after the other, one commit at the end.

The snapshot makes a list of a hundred thousand cases true to one instant, while cases go on. The process is a low-priority
child of the worker's (`start`), so that neither the sweep nor a page waits for it; killed at any moment it leaves a claim that
runs out and pieces that are swept away.
"""

import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.exports import csv_file, jobs, kinds, pdf_file, sight, xlsx_file
from grm.exports.events import FileReady
from grm.exports.fonts import NoFonts
from grm.exports.jobs import MOST_ROWS, Claimed
from grm.exports.models import ExportJob, ExportPart
from grm.exports.parts import PartWriter, store
from grm.files.store import StoreFull
from grm.kernel import audit, clock
from grm.kernel.actor import Actor
from grm.kernel.db import db
from grm.kernel.errors import NotFound
from grm.kernel.transaction import transaction
from grm.offices.signed_in import actor_of
from grm.web.locale import speaking

log = structlog.get_logger("grm.exports")

Write = Callable[..., int]
WRITERS: dict[str, Write] = {"csv": csv_file.write, "xlsx": xlsx_file.write, "pdf": pdf_file.write}
SAY_SECONDS = 1.0
MOST_SECONDS = 900.0
STATEMENT_SECONDS = 100
"""Less than the lease, or another process would begin while this one waits for the database."""
TOLD_AFTER = timedelta(minutes=1)
"""So long somebody may be looking at the page, which refreshes itself; who waited longer is told by mail."""
NICE = 10
ROOT = Path(__file__).resolve().parents[2]

_children: list[tuple[Claimed, subprocess.Popen[bytes]]] = []


class _Stopped(Exception):
    """The claim is lost, or there is too much of it. ``code``: empty where nothing is to be noted."""

    def __init__(self, code: str = "") -> None:
        super().__init__(code)
        self.code = code


def start(most: int = jobs.RUNNING_AT_ONCE) -> int:
    """Start a process for each file whose turn it is; returns how many."""
    for ended, process in [(claimed, child) for claimed, child in _children if child.poll() is not None]:
        _children.remove((ended, process))
        jobs.release(ended)
    started = 0
    while started < most and (held := jobs.claim_next()) is not None:
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "exports", "make", str(held.id), held.claim]
        child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        _children.append((held, child))
        started += 1
    return started


def make(held: Claimed) -> bool:
    """Make the file of a claim; False where nothing came of it."""
    with _snapshot() as session:
        job = jobs.held_job(session, held)
        if job is None:
            return False
        officer = session.get_one(Officer, job.officer_id)
        now = clock.now(session)
        actor = actor_of(session, officer, clock.dhaka_date(now))
        if not officer.is_active:
            actor = Actor(officer.id, officer.name_en, "officer")
        out = PartWriter(store())
        try:
            with speaking(job.language):
                sheet = kinds.sheet_of(job.kind, kinds.Asked(session, actor, job.query, now))
                rows = WRITERS[job.format](sheet, out, now, _Progress(held, job.format))
            if rows > MOST_ROWS[job.format]:
                raise _Stopped("too-many-rows")
            return _finish(held, job, actor, out, rows, sight.of(session, actor), now)
        except _Stopped as stopped:
            code = stopped.code
        except (NotFound, NoFonts) as error:
            code = error.code
        except StoreFull:
            code = "no-room"
        except (DBAPIError, OSError):
            # The database or the store is away: the claim runs out, and another process begins anew. The pieces are left to the
            # sweep, which asks for their row: who lost the connection in the commit does not know whether it is there.
            log.warning("a file could not be made now", id=held.id, exc_info=True)
            return False
        except Exception:
            log.exception("a file could not be made", id=held.id)
            code = "could-not-be-made"
        out.drop()
    if code:
        jobs.fail(held, code)
    return False


def lower_priority() -> None:
    """Let pages and sweeps go first."""
    os.nice(NICE)


class _Progress:
    """Tells the job's row about once a second how far it is, and stops the work where it is no longer wanted."""

    def __init__(self, held: Claimed, form: str) -> None:
        self._held, self._most = held, MOST_ROWS[form]
        self._began = time.monotonic()
        self._said = -math.inf

    def __call__(self, rows_done: int) -> None:
        elapsed = time.monotonic()
        if rows_done > self._most:
            raise _Stopped("too-many-rows")
        if elapsed - self._began > MOST_SECONDS:
            raise _Stopped("too-long")
        if elapsed - self._said >= SAY_SECONDS:
            self._said = elapsed
            if not jobs.say_progress(self._held, rows_done):
                raise _Stopped


def _finish(
    held: Claimed, job: ExportJob, actor: Actor, out: PartWriter, rows: int, kept: dict[str, Any], as_of: datetime
) -> bool:
    """Pieces and row in one commit, if the claim is still good."""
    digest = out.finish()
    with transaction() as act:
        values = {
            "state": "done",
            "finished_at": act.now,
            "rows_done": rows,
            "as_of": as_of,
            "sight": kept,
            "size": out.size,
            "sha256": digest,
        }
        if not jobs.end(act.session, held, values):
            raise _Stopped
        act.session.add_all(ExportPart(job_id=held.id, number=n, stored_name=name) for n, name in enumerate(out.names))
        told = {"id": held.id, "report": job.kind, "format": job.format, "filter": job.query, "rows": rows}
        if act.now - job.asked_at >= TOLD_AFTER:
            act.record(FileReady(job_id=held.id, officer_id=job.officer_id))
        audit.record(act.session, jobs.STREAM, "export-made", actor, act.now, **told, sha256=digest.hex())
    with suppress(OSError):  # the row is committed; what the store did not take now the sweep settles
        out.settle()
    return True


@contextmanager
def _snapshot() -> Iterator[Session]:
    """A session that sees the database as of one instant, and changes nothing; beside it progress is committed."""
    with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'"))
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '300s'"))
        with Session(bind=connection) as session:
            yield session
