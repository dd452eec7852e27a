"""Doing bulk acts: each case is an act of its own, through the same service as the single one.

An item is marked as done in the very transaction of its act, so that a process may be killed anywhere: what is not marked
was not done, and what is marked is not done again. Items are claimed with SKIP LOCKED; any number of runs may work on one act.
"""

import time
from collections import defaultdict
from dataclasses import dataclass

import structlog
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError

from grm.accounts.models import Officer
from grm.cases.acts import ACTS
from grm.cases.bulk_models import BulkAct, BulkItem
from grm.cases.bulk_rules import AT_ONCE
from grm.cases.states import Action
from grm.deadlines.calendar import dhaka_date
from grm.kernel import clock
from grm.kernel.actor import Actor
from grm.kernel.db import db
from grm.kernel.errors import Conflict, GrmError, IllegalAction, InvalidInput, NotFound
from grm.kernel.transaction import transaction
from grm.offices.signed_in import actor_of

log = structlog.get_logger("grm.bulk")

BROKEN = "could-not-be-done"

_CLAIM = text(
    """
    UPDATE bulk_item AS item SET state = 'done' FROM cases
    WHERE cases.id = item.case_id AND item.id = (
        SELECT i.id FROM bulk_item AS i JOIN bulk_act AS a ON a.id = i.bulk_act_id
        WHERE a.id = :act_id AND a.state = 'running' AND i.state = 'waiting'
        ORDER BY i.id LIMIT 1 FOR UPDATE OF i SKIP LOCKED)
    RETURNING item.id, item.version, cases.tracking_number
    """
)
_FINISH = text(
    """
    UPDATE bulk_act SET state = 'done', finished_at = :now WHERE id = :act_id AND state = 'running'
    AND NOT EXISTS (SELECT FROM bulk_item WHERE bulk_act_id = :act_id AND state = 'waiting')
    """
)


@dataclass(frozen=True, slots=True)
class _Work:
    """An act under way, with its asker in today's seats: who has lost a seat meanwhile has lost what it allowed."""

    id: int
    action: Action
    fields: dict[str, str]
    """As typed; a field that the form has got since is empty."""
    actor: Actor


def run_bulk(bulk_id: int, most: int) -> int:
    """Do up to `most` items of an act that is running, and say how many were handled, refusals among them."""
    work = _work(bulk_id)
    handled = 0
    if work is None:
        return handled
    try:
        while handled < most and _do_next(work):
            handled += 1
    except OperationalError:
        # The database is away, or somebody holds the case for long: the next tick goes on.
        db.session().rollback()
        log.warning("a bulk act was interrupted", id=bulk_id, handled=handled, exc_info=True)
        return handled
    with transaction() as act:
        act.session.execute(_FINISH, {"act_id": bulk_id, "now": act.now})
    return handled


def run_all(seconds: float) -> int:
    """Go on with every act under way, for about so many seconds."""
    until = time.monotonic() + seconds
    session = db.session()
    running = session.scalars(select(BulkAct.id).where(BulkAct.state == "running").order_by(BulkAct.id)).all()
    session.rollback()
    handled = 0
    for bulk_id in running:
        while time.monotonic() < until and (done := run_bulk(bulk_id, AT_ONCE)):
            handled += done
    return handled


def _work(bulk_id: int) -> _Work | None:
    session = db.session()
    row = session.get(BulkAct, bulk_id, populate_existing=True)
    if row is None or row.state != "running":
        session.rollback()
        return None
    officer = session.get_one(Officer, row.officer_id)
    actor = actor_of(session, officer, dhaka_date(clock.now(session)))
    if not officer.is_active:
        actor = Actor(officer.id, officer.name_en, "officer")
    fields = defaultdict(str, row.fields)
    fields["bulk_id"] = str(bulk_id)  # no form has it: an act learns from it that it is one of many
    work = _Work(bulk_id, Action[row.action], fields, actor)
    session.rollback()
    return work


def _do_next(work: _Work) -> bool:
    """Claim one item and do it; the service's own commit is the item's too. False where none is left to claim."""
    session = db.session()
    item = session.execute(_CLAIM, {"act_id": work.id}).one_or_none()
    if item is None:
        session.rollback()
        return False
    field = None
    try:
        ACTS[work.action](work.actor, item.tracking_number, item.version, work.fields)
        return True
    except InvalidInput as error:
        field, code = next(iter(error.fields.items()), (None, error.code))
    except (NotFound, Conflict, IllegalAction) as error:
        code = error.code
    except OperationalError:
        raise
    except (GrmError, DBAPIError, LookupError, ValueError, TypeError, AttributeError, AssertionError):
        log.exception("an item of a bulk act failed", id=work.id, item=item.id)
        code = BROKEN
    session.rollback()
    with transaction() as act:
        refused = update(BulkItem).where(BulkItem.id == item.id, BulkItem.state == "waiting")
        act.session.execute(
            refused.values(state="refused", code=code, field=field), execution_options={"synchronize_session": False}
        )
    return True
