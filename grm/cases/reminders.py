"""Who has reminded the holder of a case, and when one may do so again: once in a working day, for each case and sender.

A reminder that comes every hour is read by nobody. On days off nothing new begins: who has reminded on a Thursday may do so
again on the Sunday.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases.models import CaseEvent
from grm.cases.permissions import CaseFacts
from grm.cases.queries import EventLine
from grm.deadlines import queries as deadline_queries
from grm.deadlines.calendar import dhaka_date

KIND = "reminded"


def recent_senders(
    sent: Iterable[tuple[int | None, datetime]], today: date, working_days_between: Callable[[date, date], int]
) -> frozenset[int]:
    """Who has sent a reminder after which no working day has begun yet. Pure.

    `working_days_between` counts the working days after the first date, up to and with the second.
    """
    return frozenset(
        officer_id
        for officer_id, at in sent
        if officer_id is not None and working_days_between(dhaka_date(at), today) <= 0
    )


def with_reminders(session: Session, facts: CaseFacts, case_id: int, today: date) -> CaseFacts:
    """The facts of a case with who may not remind again yet; read after the lock on the case, so that of two who send at the
    same moment as one officer the second is refused."""
    found = select(CaseEvent.actor_id, CaseEvent.at).where(CaseEvent.case_id == case_id, CaseEvent.kind == KIND)
    return with_senders(session, facts, [(officer_id, at) for officer_id, at in session.execute(found)], today)


def with_senders(
    session: Session, facts: CaseFacts, sent: Iterable[tuple[int | None, datetime]], today: date
) -> CaseFacts:
    """The same for reminders that are known already, as the page of a case has them."""
    between = deadline_queries.calendar(session).working_days_between
    return replace(facts, reminder_ids=recent_senders(sent, today, between))


def sent(events: Iterable[EventLine]) -> list[tuple[int | None, datetime]]:
    """Who has sent which reminders, out of a history."""
    return [(line.actor.id if line.actor else None, line.at) for line in events if line.kind == KIND]
