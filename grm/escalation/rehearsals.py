"""Rehearsals that are asked for on a page: put away, worked on by a tick in short steps, read when done.

Each step reads in a read-only snapshot and writes nothing but the rehearsal's own lines and figures; the mark of how far it
has come moves in the same transaction, so a step that is cut off or runs twice changes nothing. What is found about single
cases is read through the one filter of sight.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row, Select, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases.models import Case
from grm.cases.queries import visible_to
from grm.escalation.rehearsal_facts import Window
from grm.escalation.rehearsal_models import UNFINISHED, Rehearsal, RehearsalLine
from grm.escalation.rehearsal_tally import Tally
from grm.escalation.rehearsing import Batch, Finding, Stage, play_batch, read_proposal, snapshot, window_of
from grm.kernel import audit
from grm.kernel.actor import Actor
from grm.kernel.errors import NotFound
from grm.kernel.transaction import transaction

log = structlog.get_logger("grm.rehearsals")

STREAM = "rehearsals"
MAX_SECONDS = 4.0
"""How long a step works: the sweep and the heartbeat wait for the same worker."""
KEPT = timedelta(days=90)
"""How long a finished rehearsal is kept."""
_FORGOTTEN_AT_ONCE = 5_000
_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended('rehearsal', 0))")


class _Overtaken(Exception):
    """Another step has done this part already."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A rehearsal as the list shows it: without its files."""

    id: int
    created_at: datetime
    by_bn: str
    by_en: str
    since_on: date
    until_on: date
    has_policies: bool
    has_calendar: bool
    state: str


def propose(
    actor: Actor,
    policies: str | None,
    calendar: str | None,
    since_on: date,
    until_on: date,
    now: datetime | None = None,
) -> int:
    """Put a rehearsal away for the tick, and return its id. The files have been read without a fault."""
    with transaction(now) as act:
        row = Rehearsal(
            created_at=act.now,
            created_by_id=actor.officer_id,
            since_on=since_on,
            until_on=until_on,
            policies_csv=policies,
            calendar_csv=calendar,
            state="waiting",
            last_case_id=0,
        )
        act.session.add(row)
        act.session.flush()
        audit.record(
            act.session,
            STREAM,
            "rehearsal-begun",
            actor,
            act.now,
            rehearsal_id=row.id,
            since_on=since_on.isoformat(),
            until_on=until_on.isoformat(),
            has_policies=policies is not None,
            has_calendar=calendar is not None,
        )
        return row.id


def listed(session: Session, limit: int = 50) -> Sequence[Listed]:
    """The latest rehearsals, the newest first."""
    rows = session.execute(
        select(
            Rehearsal.id,
            Rehearsal.created_at,
            Officer.name_bn,
            Officer.name_en,
            Rehearsal.since_on,
            Rehearsal.until_on,
            Rehearsal.policies_csv.is_not(None),
            Rehearsal.calendar_csv.is_not(None),
            Rehearsal.state,
        )
        .join(Officer, Officer.id == Rehearsal.created_by_id)
        .order_by(Rehearsal.id.desc())
        .limit(limit)
    )
    return [Listed(*row) for row in rows]


def find(session: Session, rehearsal_id: int) -> Rehearsal:
    """One rehearsal, read anew. Raises `NotFound`."""
    row = session.get(Rehearsal, rehearsal_id, populate_existing=True) if rehearsal_id < 2**63 else None
    if row is None:
        raise NotFound
    return row


def percent_done(row: Rehearsal) -> int:
    """How far a rehearsal has come, by the numbers of the cases looked at."""
    if row.state == "done":
        return 100
    if not row.through_case_id:
        return 0
    return min(99, 100 * row.last_case_id // row.through_case_id)


def lines(
    session: Session, actor: Actor, rehearsal_id: int, after_id: int = 0, limit: int = 50, change: str | None = None
) -> Sequence[Row[Any]]:
    """The rungs of single cases that the actor may see, from one line on; of one kind of change only if asked."""
    found = _lines(actor, rehearsal_id).where(RehearsalLine.id > after_id)
    if change is not None:
        found = found.where(RehearsalLine.change == change)
    return session.execute(found.order_by(RehearsalLine.id).limit(limit)).all()


def all_lines(session: Session, actor: Actor, rehearsal_id: int) -> Any:
    """All of them, as a server-side cursor."""
    found = _lines(actor, rehearsal_id).order_by(RehearsalLine.id)
    return session.execute(found.execution_options(yield_per=1000))


def work(max_seconds: float = MAX_SECONDS) -> bool:
    """Go on with the oldest unfinished rehearsal for some seconds; False if there is none, or another step is at it.

    One that cannot be done is ended with its reason: the next one is not to wait for it.
    """
    ends = time.monotonic() + max_seconds
    with snapshot() as session:
        if not session.execute(_LOCK).scalar_one():
            return False
        statement = select(Rehearsal).where(Rehearsal.state.in_(UNFINISHED)).order_by(Rehearsal.id).limit(1)
        row = session.scalars(statement).first()
        if row is None:
            return False
        session.expunge(row)
        try:
            _go_on(session, row, ends)
        except _Overtaken:
            pass
        except Exception as error:
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                raise
            log.error("a rehearsal cannot go on", rehearsal_id=row.id, exc_info=error)
            _fail(row.id, getattr(error, "code", None) or type(error).__name__)
    return True


def forget(now: datetime | None = None) -> int:
    """Remove rehearsals that have been finished for long, some thousand lines at a time; how many lines went."""
    with transaction(now) as act:
        session = act.session
        old = select(Rehearsal.id).where(Rehearsal.finished_at < act.now - KEPT).order_by(Rehearsal.id).limit(1)
        rehearsal_id = session.scalars(old).first()
        if rehearsal_id is None:
            return 0
        some = select(RehearsalLine.id).where(RehearsalLine.rehearsal_id == rehearsal_id).limit(_FORGOTTEN_AT_ONCE)
        gone = session.scalars(
            delete(RehearsalLine).where(RehearsalLine.id.in_(some)).returning(RehearsalLine.id)
        ).all()
        if len(gone) < _FORGOTTEN_AT_ONCE:
            session.execute(delete(Rehearsal).where(Rehearsal.id == rehearsal_id))
        return len(gone)


def _go_on(session: Session, row: Rehearsal, ends: float) -> None:
    proposal, *faults = read_proposal(session, _encoded(row.policies_csv), _encoded(row.calendar_csv))
    if any(faults):
        _fail(row.id, "proposal-outdated")
        return
    window = window_of(session, row.since_on, row.until_on, row.as_of)
    window = Window(window.since_at, window.until_at, window.horizon, row.through_case_id or window.through_id)
    stage = Stage(session, proposal, window.horizon)
    tally = Tally.from_dict(row.result)
    last_id = row.last_case_id
    while True:
        batch = play_batch(session, stage, window, last_id, tally)
        _put_away(row.id, last_id, window, batch, tally)
        if batch.is_last or time.monotonic() > ends:
            return
        last_id = batch.last_id


def _put_away(rehearsal_id: int, expected_last_id: int, window: Window, batch: Batch, tally: Tally) -> None:
    """Write what a batch has found and move the mark. Raises `_Overtaken` where the mark is elsewhere."""
    with transaction() as act:
        values: dict[str, Any] = {
            "state": "done" if batch.is_last else "running",
            "as_of": func.coalesce(Rehearsal.as_of, window.horizon),
            "through_case_id": window.through_id,
            "last_case_id": batch.last_id,
            "result": tally.as_dict(),
            "finished_at": act.now if batch.is_last else None,
        }
        mine = Rehearsal.id == rehearsal_id
        done = act.session.execute(
            update(Rehearsal)
            .where(mine, Rehearsal.last_case_id == expected_last_id, Rehearsal.state.in_(UNFINISHED))
            .values(values)
            .returning(Rehearsal.id)
        )
        if done.first() is None:
            raise _Overtaken
        rows = [row for finding in batch.findings for row in _rows(rehearsal_id, finding)]
        if rows:
            act.session.execute(insert(RehearsalLine), rows)


def _rows(rehearsal_id: int, finding: Finding) -> list[dict[str, Any]]:
    return [
        {
            "rehearsal_id": rehearsal_id,
            "case_id": finding.case_id,
            "kind": finding.kind,
            "change": finding.change,
            "old_due_on": finding.old_due_on,
            "new_due_on": finding.new_due_on,
            "level": rung.level,
            "at": rung.at,
            "really_at": rung.really_at,
            "role": rung.role,
            "office_id": rung.office_id,
            "post_id": rung.post_id,
            "officer_id": rung.officer_id,
            "is_alternate": rung.is_alternate,
            "is_vacant": rung.is_vacant,
        }
        for rung in finding.rungs
    ]


def _fail(rehearsal_id: int, error: str) -> None:
    with transaction() as act:
        act.session.execute(
            update(Rehearsal)
            .where(Rehearsal.id == rehearsal_id, Rehearsal.state.in_(UNFINISHED))
            .values(state="failed", error=error, finished_at=act.now)
        )


def _lines(actor: Actor, rehearsal_id: int) -> Select[*tuple[Any, ...]]:
    return (
        select(
            RehearsalLine,
            Case.tracking_number,
            Case.is_sensitive,
            Case.office_id.label("case_office_id"),
            Officer.name_bn.label("officer_bn"),
            Officer.name_en.label("officer_en"),
        )
        .join(Case, Case.id == RehearsalLine.case_id)
        .outerjoin(Officer, Officer.id == RehearsalLine.officer_id)
        .where(RehearsalLine.rehearsal_id == rehearsal_id, visible_to(actor))
    )


def _encoded(content: str | None) -> bytes | None:
    return content.encode() if content is not None else None
