"""On the last evening of the demo a few open cases are put together: a duplicate merged, alike ones linked, people added.

The stories are told one case at a time (`grm/demo/scenario.py`); this needs several at one desk, so it comes after them.
"""

from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import collective, lifecycle, links, merging, queries
from grm.cases.models import Case
from grm.cases.states import Action
from grm.kernel.actor import Actor

MOST_DESKS = 4
FEWEST_CASES = 6
"""Open at one desk; a small demo has no desk like that and stays as it is."""
_PEOPLE = (("মোছাঃ সালমা বেগম", "salma.begum@example.org"), ("আব্দুল জলিল", ""))


def join(session: Session, tracking_numbers: Collection[str], gro_of: Callable[[int], Actor], at: datetime) -> int:
    """Put cases of the demo together at an instant; how many acts were done. `gro_of` is who answers for an office's gro desk."""
    by_office: dict[int, list[str]] = defaultdict(list)
    rows = session.execute(
        select(Case.office_id, Case.tracking_number)
        .where(
            Case.tracking_number.in_(tracking_numbers),
            Case.is_open,
            Case.desk == "gro",
            Case.status.in_(("acknowledged", "in_progress")),
            ~Case.has_accused,
            ~Case.is_anonymous,
        )
        .order_by(Case.office_id, Case.due_at, Case.id)
    )
    for office_id, number in rows:
        by_office[office_id].append(number)
    desks = [office_id for office_id, numbers in by_office.items() if len(numbers) >= FEWEST_CASES][:MOST_DESKS]
    return sum(_join_at(session, gro_of(office_id), by_office[office_id], at) for office_id in desks)


def _join_at(session: Session, gro: Actor, numbers: list[str], at: datetime) -> int:
    """One desk's share. Each act is looked at before: one that failed would undo the whole demo."""
    first, second, lead, one, other, many = numbers[:6]
    done = 0
    if _may(session, gro, Action.MERGE, second, at, first):
        merging.merge_case(gro, second, None, first, is_confirmed=True, now=at)
        done += 1
    for follower in (one, other):
        if _may(session, gro, Action.LINK, follower, at, lead):
            links.link_case(gro, follower, None, lead, now=at)
            done += 1
    if _may(session, gro, Action.ADD_COMPLAINANT, many, at):
        for name, email in _PEOPLE:
            collective.add_complainant(gro, many, None, name=name, email=email, now=at)
            done += 1
    return done


def _may(session: Session, gro: Actor, action: Action, number: str, at: datetime, lead: str = "") -> bool:
    facts = queries.find_case(session, gro, number)[1]
    if not lifecycle.decide(facts, action, gro, at).is_allowed:
        return False
    return not lead or not links.why_not_under(facts, queries.find_case(session, gro, lead)[1], gro, action)
