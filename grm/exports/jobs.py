"""Asking for a file, giving up on it, and taking it: who may, how many at a time, and what is recorded.

PostgreSQL is the queue. A job is claimed for a while (`lease_until`), which every sign of progress prolongs; the claim of a
process that was killed runs out, and another begins anew. Pieces and row become true in one commit, of the claim's holder.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grm.exports import kinds, sight
from grm.exports.models import FORMATS, OPEN, ExportJob
from grm.exports.parts import names_of
from grm.kernel import audit
from grm.kernel.actor import Actor
from grm.kernel.errors import Conflict, InvalidInput, NotFound
from grm.kernel.transaction import transaction

STREAM = "exports"
RUNNING_AT_ONCE = 2
"""Files made beside one another in all: as many as the smallest machine has processors."""
OPEN_PER_OFFICER = 5
LEASE = timedelta(seconds=120)
"""How long a process may say nothing before another takes its place."""
ATTEMPTS = 3
KEPT = timedelta(days=7)
"""How long a file can be fetched."""
LISTED = 30
LONGEST_QUERY = 1500
LONGEST_TITLE = 300
MOST_ROWS = {"csv": 1_000_000, "xlsx": 1_000_000, "pdf": 20_000}
"""Excel has 1,048,576 rows; nobody prints seven hundred pages."""

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('exports.claim', 0))")
_CLAIM = text(
    """
    UPDATE export_job SET state = 'running', claim = :claim, lease_until = :lease, attempts = attempts + 1, rows_done = 0
    WHERE id = (
        SELECT j.id FROM export_job AS j
        WHERE (j.state = 'queued' OR (j.state = 'running' AND j.lease_until < :now)) AND j.attempts < :attempts
        ORDER BY (
            SELECT count(*) FROM export_job AS other
            WHERE other.officer_id = j.officer_id AND other.state = 'running' AND other.lease_until >= :now
        ), j.id LIMIT 1
    ) AND (SELECT count(*) FROM export_job WHERE state = 'running' AND lease_until >= :now) < :at_once
    RETURNING id
    """
)
_GIVE_UP = text(
    """
    UPDATE export_job SET state = 'failed', error = 'interrupted', finished_at = :now, claim = NULL, lease_until = NULL
    WHERE state = 'running' AND lease_until < :now AND attempts >= :attempts
    """
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job in the hands of one process."""

    id: int
    claim: str


def ask(actor: Actor, kind: str, form: str, language: str, query: Mapping[str, str]) -> int:
    """Put a file on the list of those to be made, and return its number; of the same one under way that one's.

    Raises `NotFound` where the officer has no such list, `InvalidInput` `too-many-rows` where no such file can hold it,
    `Conflict` `too-many-exports` while the officer waits for so many already.
    """
    if form not in FORMATS or sum(len(key) + len(value) for key, value in query.items()) > LONGEST_QUERY:
        raise NotFound
    with transaction() as act:
        session = act.session
        sheet = kinds.sheet_of(kind, kinds.Asked(session, actor, query, act.now))
        if sheet.count is not None and sheet.count > MOST_ROWS[form]:
            raise InvalidInput("too-many-rows")
        session.execute(text("SELECT FROM officer WHERE id = :id FOR NO KEY UPDATE"), {"id": actor.officer_id})
        mine = (ExportJob.officer_id == actor.officer_id, ExportJob.state.in_(OPEN))
        same = {"kind": kind, "format": form, "language": language, "query": dict(query)}
        there = session.scalar(
            select(ExportJob.id).where(*mine, *(getattr(ExportJob, name) == value for name, value in same.items()))
        )
        if there is not None:
            return there
        if len(session.scalars(select(ExportJob.id).where(*mine)).all()) >= OPEN_PER_OFFICER:
            raise Conflict("too-many-exports")
        values = {
            **same,
            "officer_id": actor.officer_id,
            "title": " · ".join([sheet.title, *sheet.filters])[:LONGEST_TITLE],
            "row_count": sheet.count,
        }
        made: int = session.execute(
            insert(ExportJob).values(**values, state="queued", asked_at=act.now).returning(ExportJob.id)
        ).scalar_one()
        audit.record(
            session, STREAM, "export-asked", actor, act.now, id=made, report=kind, format=form, filter=dict(query)
        )
    return made


def cancel(actor: Actor, job_id: int) -> None:
    """Give up on a file that is not made yet; whoever makes it finds its claim gone. Raises `NotFound`. A finished one stays."""
    with transaction() as act:
        job = _own(act.session, actor, job_id)
        if job.state in OPEN:
            job.state, job.finished_at, job.claim, job.lease_until = "cancelled", act.now, None, None
            audit.record(act.session, STREAM, "export-cancelled", actor, act.now, id=job_id)


def listed(session: Session, actor: Actor) -> Sequence[ExportJob]:
    """The officer's files, the newest first."""
    found = select(ExportJob).where(ExportJob.officer_id == actor.officer_id).order_by(ExportJob.id.desc())
    return session.scalars(found.limit(LISTED)).all()


def waiting_before(session: Session, job: ExportJob) -> int:
    """How many files of all officers were asked for earlier and wait still."""
    earlier = select(ExportJob.id).where(ExportJob.state == "queued", ExportJob.id < job.id)
    return len(session.scalars(earlier).all())


def fetchable(session: Session, actor: Actor, job: ExportJob) -> bool:
    """Whether the file is there, and the officer still sees what is in it."""
    return (
        job.state == "done"
        and job.sight is not None
        and job.as_of is not None
        and sight.still_holds(session, actor, job.sight, job.as_of)
    )


def fetch(actor: Actor, job_id: int) -> tuple[ExportJob, list[str]]:
    """A finished file and the names of its pieces; the taking is on record. Raises `NotFound` for anybody but its owner, and
    where the owner may no longer see what is in it."""
    with transaction() as act:
        job = _own(act.session, actor, job_id)
        if not fetchable(act.session, actor, job):
            raise NotFound
        audit.record(
            act.session,
            STREAM,
            "export-fetched",
            actor,
            act.now,
            id=job.id,
            report=job.kind,
            format=job.format,
            filter=job.query,
            rows=job.rows_done,
        )
        names = names_of(act.session, job.id)
        act.session.expunge(job)
    return job, names


def record_made(actor: Actor, kind: str, form: str, query: Mapping[str, str], rows: int) -> None:
    """Note that a small file was made and given at once."""
    with transaction() as act:
        told: dict[str, Any] = {"report": kind, "format": form, "filter": dict(query), "rows": rows}
        audit.record(act.session, STREAM, "Exported", actor, act.now, **told)


# --- the queue ------------------------------------------------------------------------------------------------------


def claim_next() -> Claimed | None:
    """Claim the next file to be made, of officers for whom nothing is being made first; None where none waits or enough are
    under way. What was begun three times in vain is given up."""
    with transaction() as act:
        act.session.execute(_LOCK)
        given = {"now": act.now, "attempts": ATTEMPTS}
        act.session.execute(_GIVE_UP, given)
        claim = secrets.token_hex(8)
        more = {"claim": claim, "lease": act.now + LEASE, "at_once": RUNNING_AT_ONCE}
        found = act.session.execute(_CLAIM, given | more).scalar()
    return Claimed(found, claim) if found is not None else None


def say_progress(held: Claimed, rows_done: int) -> bool:
    """Note how far it is and keep the claim; False where it is lost: the file was cancelled, or another process has it."""
    with transaction() as act:
        kept = act.session.execute(
            _held(held).values(rows_done=rows_done, lease_until=act.now + LEASE), execution_options=_AS_IS
        )
        return bool(kept.rowcount)  # type: ignore[attr-defined]


def release(held: Claimed) -> None:
    """The process that held a claim has ended: whatever it did not finish need not wait for the claim to run out."""
    with transaction() as act:
        act.session.execute(_held(held).values(lease_until=act.now - LEASE), execution_options=_AS_IS)


def end(session: Session, held: Claimed, values: Mapping[str, Any]) -> bool:
    """Write how a job ended, within the caller's transaction; False where the claim is lost."""
    ended = {**values, "claim": None, "lease_until": None}
    return bool(session.execute(_held(held).values(ended), execution_options=_AS_IS).rowcount)  # type: ignore[attr-defined]


def fail(held: Claimed, code: str) -> None:
    """Note that the file will not come, and why."""
    with transaction() as act:
        end(act.session, held, {"state": "failed", "error": code, "finished_at": act.now})


def held_job(session: Session, held: Claimed) -> ExportJob | None:
    """The job, as long as the claim is good."""
    return session.scalar(
        select(ExportJob)
        .where(ExportJob.id == held.id, ExportJob.claim == held.claim)
        .execution_options(populate_existing=True)
    )


def has_waiting(session: Session) -> bool:
    """Whether there is anything to be made; cheap, for a question asked every few seconds."""
    return session.scalar(select(ExportJob.id).where(ExportJob.state.in_(OPEN)).limit(1)) is not None


def _held(held: Claimed) -> Any:
    return update(ExportJob).where(ExportJob.id == held.id, ExportJob.claim == held.claim)


def _own(session: Session, actor: Actor, job_id: int) -> ExportJob:
    job = session.scalar(
        select(ExportJob)
        .where(ExportJob.id == job_id, ExportJob.officer_id == actor.officer_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if job is None:
        raise NotFound
    return job


_AS_IS = {"synchronize_session": False}
