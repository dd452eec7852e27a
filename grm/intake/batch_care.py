"""Forgetting registers: what nobody confirmed after three days, secrets a day after the filing, people's data after thirty days.

What stays is that there was a register, and of each row which case it became: so the same rows make nothing twice next year.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, select, text

from grm.intake.batch_intake import empty
from grm.intake.batch_models import RegisterBatch
from grm.kernel.transaction import transaction

UNCONFIRMED_KEPT = timedelta(hours=72)
SECRETS_KEPT = timedelta(hours=24)
"""How long the results file can be fetched with the secrets in it."""
CELLS_KEPT = timedelta(days=30)
"""How long bad rows can be fetched, to be put right and handed in again."""
AT_ONCE = 5

_SECRETS = text("UPDATE register_row SET token_sealed = NULL WHERE batch_id = :id AND token_sealed IS NOT NULL")
_CELLS = text("UPDATE register_row SET sealed = NULL WHERE batch_id = :id AND sealed IS NOT NULL")


def forget(now: datetime | None = None) -> int:
    """Forget what has had its time, one register after the other; returns how many were touched."""
    done = 0
    for step in (_unconfirmed, _secrets, _cells):
        for _ in range(AT_ONCE):
            if not step(now):
                break
            done += 1
    return done


def _unconfirmed(now: datetime | None) -> bool:
    with transaction(now) as act:
        old = (RegisterBatch.state == "new", RegisterBatch.uploaded_at <= act.now - UNCONFIRMED_KEPT)
        batch = act.session.scalars(_next(*old)).one_or_none()
        if batch is None:
            return False
        empty(act.session, batch, act.now)
    return True


def _secrets(now: datetime | None) -> bool:
    with transaction(now) as act:
        old = (RegisterBatch.finished_at <= act.now - SECRETS_KEPT, RegisterBatch.secrets_forgotten_at.is_(None))
        batch = act.session.scalars(_next(*old)).one_or_none()
        if batch is None:
            return False
        act.session.execute(_SECRETS, {"id": batch.id})
        batch.secrets_forgotten_at = act.now
    return True


def _cells(now: datetime | None) -> bool:
    with transaction(now) as act:
        batch = act.session.scalars(_next(RegisterBatch.finished_at <= act.now - CELLS_KEPT)).one_or_none()
        if batch is None:
            return False
        act.session.execute(_CELLS, {"id": batch.id})
        batch.facts_sealed = batch.plan_sealed = None
        batch.forgotten_at = act.now
    return True


def _next(*conditions: ColumnElement[bool]) -> Select[RegisterBatch]:
    unforgotten = select(RegisterBatch).where(RegisterBatch.forgotten_at.is_(None), *conditions)
    return unforgotten.order_by(RegisterBatch.id).limit(1).with_for_update(skip_locked=True)
