"""Filing the rows of registers: each row is a filing of its own, through the same service as a form's.

A row is marked in the very transaction of its filing, so that a process may be killed anywhere: what is not marked was not filed,
and what is marked is not filed again. Rows are claimed with SKIP LOCKED; any number of runs may work on one register. Were a row
filed without its mark, the key of its submission would still lead to the same case.
"""

import math
import time
from typing import Any

import structlog
from sqlalchemy import ColumnElement, select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError

from grm.accounts.models import Officer
from grm.intake import batch_store as store
from grm.intake.batch_intake import STREAM, reader_for
from grm.intake.batch_models import RegisterBatch, RegisterRow
from grm.intake.batch_rows import Plan, Read, Reader, identity_free, stored
from grm.intake.screening import Problem
from grm.intake.service import Filing, file_grievance, submission_key
from grm.kernel import audit, clock
from grm.kernel.actor import Actor
from grm.kernel.clock import dhaka_date
from grm.kernel.db import db
from grm.kernel.errors import GrmError
from grm.kernel.transaction import transaction
from grm.offices.signed_in import actor_of

log = structlog.get_logger("grm.registers")

AT_ONCE = 25
"""Rows filed in the request that confirms a register; the tick files the others."""
BROKEN = "could-not-be-filed"

_NEXT = text(
    """
    SELECT r.id, r.sheet, r.number, r.sealed FROM register_row AS r JOIN register_batch AS b ON b.id = r.batch_id
    WHERE r.batch_id = :batch_id AND b.state = 'running' AND r.state = 'waiting'
    ORDER BY r.id LIMIT 1 FOR UPDATE OF r SKIP LOCKED
    """
)
_SAME_CELLS = text(
    """
    SELECT r.submission_key FROM register_row AS r JOIN register_batch AS b ON b.id = r.batch_id
    WHERE r.row_key = :row_key AND b.office_id = :office_id AND r.state IN ('filed', 'known') LIMIT 1
    """
)
_FINISH = text(
    """
    UPDATE register_batch SET state = 'done', finished_at = :now WHERE id = :batch_id AND state = 'running'
    AND NOT EXISTS (SELECT FROM register_row WHERE batch_id = :batch_id AND state = 'waiting') RETURNING id
    """
)


class _Work:
    """A register under way, with the officer who confirmed it."""

    def __init__(self, batch: RegisterBatch, plan: Plan, reader: Reader, actor: Actor) -> None:
        self.batch_id = batch.id
        self.office_id = batch.office_id
        self.plan = plan
        self.reader = reader
        self.actor = actor


def run_batch(batch_id: int, most: int, until: float = math.inf) -> int:
    """Handle up to `most` rows of a register that is confirmed, and say how many, bad ones among them; none is begun after the
    instant `until` of the process's own clock."""
    work = _work(batch_id)
    handled = 0
    if work is None:
        return handled
    try:
        while handled < most and time.monotonic() < until and _do_next(work):
            handled += 1
    except OperationalError:
        # The database is away, or somebody holds a lock for long: the next tick goes on.
        db.session().rollback()
        log.warning("a register was interrupted", id=batch_id, handled=handled, exc_info=True)
        return handled
    with transaction() as act:
        if act.session.execute(_FINISH, {"batch_id": batch_id, "now": act.now}).scalar() is not None:
            audit.record(act.session, STREAM, "register-filed", work.actor, act.now, id=batch_id)
    return handled


def run_all(seconds: float) -> int:
    """Go on with every register under way, for about so many seconds."""
    until = time.monotonic() + seconds
    session = db.session()
    running = session.scalars(
        select(RegisterBatch.id).where(RegisterBatch.state == "running").order_by(RegisterBatch.id)
    ).all()
    session.rollback()
    handled = 0
    for batch_id in running:
        while time.monotonic() < until and (done := run_batch(batch_id, store.PIECE, until)):
            handled += done
    return handled


def _work(batch_id: int) -> _Work | None:
    session = db.session()
    batch = session.get(RegisterBatch, batch_id, populate_existing=True)
    if batch is None or batch.state != "running":
        session.rollback()
        return None
    today = dhaka_date(clock.now(session))
    officer = session.get_one(Officer, batch.officer_id)
    plan, _ = store.open_plan(batch)
    # What was confirmed is filed, in the name of who confirmed it, whatever post they hold by now: the people on the list wait.
    actor = actor_of(session, officer, today)
    work = _Work(batch, plan, reader_for(session, batch.office_id, plan, today), actor)
    session.rollback()
    return work


def _do_next(work: _Work) -> bool:
    """Claim one row and handle it; the filing's own commit is the mark's too. False where none is left to claim."""
    session = db.session()
    row = session.execute(_NEXT, {"batch_id": work.batch_id}).one_or_none()
    if row is None:
        session.rollback()
        return False
    try:
        content = store.open_cells(work.batch_id, row)
        read = work.reader.read(content.cells, content.mark)
        given = {"row_key": read.row_key, "office_id": work.office_id}
        if (key := session.execute(_SAME_CELLS, given).scalar()) is not None:
            _mark(row, state="known", submission_key=bytes(key), row_key=read.row_key)
        elif read.answers is None:
            _mark(row, state="bad", problems=[stored(problem) for problem in read.problems])
        else:
            _file(work, row, content, read)
        return True
    except OperationalError:
        raise
    except (GrmError, DBAPIError, LookupError, ValueError, TypeError, AttributeError, AssertionError):
        log.exception("a row of a register could not be filed", id=work.batch_id, row=row.id)
    session.rollback()  # and with it the claim: another run may have filed the row by now
    _mark(row, RegisterRow.state == "waiting", state="bad", problems=[stored(Problem("details", BROKEN))])
    return True


def _file(work: _Work, row: Any, content: store.Content, read: Read) -> None:
    answers = read.answers
    assert answers is not None
    cells = content.cells
    marked: dict[str, Any] = {"state": "filed", "submission_key": submission_key(read.token), "row_key": read.row_key}
    if answers.is_anonymous:
        cells = identity_free(cells, work.plan)
        marked["row_key"] = None  # it is made from the name as well
        marked["sealed"] = store.seal_cells(work.batch_id, row.sheet, row.number, store.Content(cells, content.mark))
    marked["token_sealed"] = store.seal_token(work.batch_id, row.sheet, row.number, read.token)
    db.session().execute(update(RegisterRow).where(RegisterRow.id == row.id).values(**marked), execution_options=_AS_IS)
    filed = file_grievance(
        Filing(
            answers,
            read.token,
            dict(read.filling) | _verbatim(work.plan, cells),
            channel=str(answers.medium),
            filed_by_office_id=work.office_id,
        ),
        work.actor,
    )
    if not filed.is_new:
        _mark(row, state="known", submission_key=submission_key(read.token), token_sealed=None)


def _verbatim(plan: Plan, cells: list[Any]) -> dict[str, str]:
    """The cells as they stood in the register, under their headings."""
    found = {}
    for place, cell in enumerate(cells):
        if isinstance(cell, str) and cell.strip():
            heading = plan.headings[place] if place < len(plan.headings) else ""
            found[f"register {place + 1}: {heading}".strip()] = cell
    return found


_AS_IS = {"synchronize_session": False}


def _mark(row: Any, *conditions: ColumnElement[bool], **values: Any) -> None:
    with transaction() as act:
        act.session.execute(
            update(RegisterRow).where(RegisterRow.id == row.id, *conditions).values(**values), execution_options=_AS_IS
        )
