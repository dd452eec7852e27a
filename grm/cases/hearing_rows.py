"""The rows of hearings, and the one thing that happens to them by itself: nobody is to come in vain, so a hearing that is
planned is called off when the case ends or leaves the desk that set it."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import events, history
from grm.cases.closing_models import Hearing
from grm.cases.models import Case
from grm.cases.permissions import CaseFacts
from grm.kernel.actor import SYSTEM
from grm.kernel.clock import DHAKA
from grm.kernel.transaction import Act

REMIND_HOUR = 10
"""When, on the day before, both sides are reminded (Dhaka)."""


def planned(session: Session, case_id: int) -> Hearing | None:
    """The hearing that is to come, or has not been recorded yet; locked."""
    wanted = select(Hearing).where(Hearing.case_id == case_id, Hearing.state == "planned")
    return session.scalars(wanted.with_for_update().execution_options(populate_existing=True)).one_or_none()


def remind_at(at: datetime, now: datetime) -> datetime | None:
    """When to remind of a hearing at an instant; None where that has passed: both sides have just been told."""
    eve = (at.astimezone(DHAKA) - timedelta(days=1)).replace(hour=REMIND_HOUR, minute=0, second=0, microsecond=0)
    return eve if eve > now else None


def end(hearing: Hearing, state: str, now: datetime, missed_by: str | None = None) -> None:
    """Note what became of a hearing."""
    hearing.state, hearing.missed_by, hearing.ended_at, hearing.remind_at = state, missed_by, now, None


def call_off(act: Act, case: Case, facts: CaseFacts, actor_id: int | None) -> None:
    """Call off what is planned of a case that has ended or left; `facts` are those before. One that has passed is only ended."""
    hearing = planned(act.session, case.id)
    if hearing is None:
        return
    end(hearing, "cancelled", act.now)
    data = {"hearing_at": hearing.at, "is_by_itself": True}
    history.append(act.session, case, "hearing_cancelled", SYSTEM, act.now, data)
    if hearing.at > act.now:
        officer_id = facts.assignee_id if facts.assignee_id != actor_id else None
        act.record(
            events.HearingCancelled(
                **events.about(case),
                hearing_id=hearing.id,
                at=hearing.at,
                officer_id=officer_id,
                officer_is_told=officer_id is not None,
            )
        )
