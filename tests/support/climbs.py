"""Rungs that cases have climbed, with the rows that the sweep writes for them."""

from datetime import date
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from grm.cases.models import Case
from grm.escalation.events import Climb
from grm.escalation.models import Escalation
from grm.kernel.db import db
from tests.support import build

DUE_ON = date(2026, 2, 18)
DUE_AT = build.dhaka(2026, 2, 19, 0)


def climb(case: Case, level: int, officer: int | None, kind: str = "resolve", role: str = "gro") -> Climb:
    """A rung of a case's clock, and its escalation; without an officer the chair is empty."""
    session = db.session()
    deadline = build.deadline(session, case.id, kind)
    values: dict[str, Any] = {
        "case_id": case.id,
        "deadline_id": deadline.id,
        "epoch": deadline.epoch,
        "level": level,
        "due_at": DUE_AT,
        "role": role,
        "office_id": case.office_id,
        "post_id": build.post_id(session, case.office_id, role),
        "officer_id": officer,
        "is_alternate": False,
        "is_vacant": officer is None,
    }
    session.execute(insert(Escalation).values(**values, escalated_at=DUE_AT).on_conflict_do_nothing())
    return Climb(
        tracking_number=case.tracking_number, is_sensitive=case.is_sensitive, kind=kind, due_on=DUE_ON, **values
    )
