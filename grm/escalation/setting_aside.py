"""A clock that cannot climb, and what an operator can do: set it aside with a reason, and take it up again.

A row that always fails is tried at every pass, keeps `/healthz` red and so hides the next one. Set aside, the sweep leaves it
alone; it is counted and shown in the report until somebody has mended it. Nothing is forgotten: taken up, it climbs what is due.
"""

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from grm.cases import history
from grm.cases.models import Case
from grm.deadlines.models import Deadline
from grm.kernel import audit
from grm.kernel.actor import SYSTEM
from grm.kernel.errors import Conflict, NotFound
from grm.kernel.transaction import Act

log = structlog.get_logger("grm.escalation")
STREAM = "operations"


def set_aside(act: Act, tracking_number: str, kind: str, why: str) -> Deadline:
    """Keep the sweep from a clock until it is taken up; recorded in the case's history and the audit trail.

    Raises NotFound where the case has no such clock that lives, Conflict where it is set aside already.
    """
    case, deadline = _lock(act.session, tracking_number, kind)
    if deadline.set_aside_at is not None:
        raise Conflict("already-set-aside")
    now = act.now
    deadline.set_aside_at, deadline.set_aside_why = now, why
    _record(act, case, "set_aside", deadline, {"reason": why})
    return deadline


def take_up(act: Act, tracking_number: str, kind: str) -> Deadline:
    """Give a clock back to the sweep, which climbs what has come due meanwhile. Raises NotFound and Conflict likewise."""
    case, deadline = _lock(act.session, tracking_number, kind)
    if deadline.set_aside_at is None:
        raise Conflict("not-set-aside")
    deadline.set_aside_at = deadline.set_aside_why = None
    _record(act, case, "taken_up", deadline, {})
    return deadline


def _lock(session: Session, tracking_number: str, kind: str) -> tuple[Case, Deadline]:
    """The case and its living clock of a kind, in the order in which the sweep locks them."""
    row = session.execute(
        select(Deadline, Case)
        .join(Case, Case.id == Deadline.case_id)
        .where(Case.tracking_number == tracking_number, Deadline.kind == kind, Deadline.state != "met")
        .order_by(Deadline.epoch.desc())
        .limit(1)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound("no-such-deadline")
    return row.Case, row.Deadline


def _record(act: Act, case: Case, kind: str, deadline: Deadline, texts: dict[str, str]) -> None:
    """A history that cannot be written may be the very fault: then the audit trail alone has it."""
    data = {"deadline_kind": deadline.kind, "epoch": deadline.epoch, "due_on": deadline.due_on.isoformat()}
    fault = None
    number, deadline_id = case.tracking_number, deadline.id
    act.session.flush()
    try:
        with act.session.begin_nested():
            history.append(act.session, case, kind, SYSTEM, act.now, data, texts)
    except SQLAlchemyError as error:
        fault = type(error.__cause__ or error).__name__
        log.error("the history of a case cannot be written", tracking_number=number, error=fault)
    audit.record(
        act.session,
        STREAM,
        f"deadline-{kind.replace('_', '-')}",
        SYSTEM,
        act.now,
        tracking_number=number,
        deadline_id=deadline_id,
        deadline_kind=data["deadline_kind"],
        why=texts.get("reason"),
        history_fault=fault,
    )
