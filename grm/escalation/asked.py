"""The complainant of a late case does not wait for the next rung: it is climbed at once, on the same row of the ladder.

So the two cannot double: whoever comes first, the sweep or the complainant, inserts the rung; the other finds it done. The
case row is locked by the act that asks, the clock here, in that order; the sweep skips what is locked and waits for nobody.
"""

from typing import Protocol

from sqlalchemy import text

from grm.deadlines import queries as deadline_queries
from grm.escalation.posts import Posts
from grm.escalation.redating import bring_up_to_date
from grm.escalation.sweep import COLUMNS, climb_rows
from grm.kernel.clock import dhaka_date
from grm.kernel.errors import IllegalAction
from grm.kernel.transaction import Act

_FIND = text(
    f"""
    {COLUMNS}
    WHERE d.id = :deadline_id AND d.set_aside_at IS NULL AND d.next_level IS NOT NULL
    FOR NO KEY UPDATE OF d, c
    """
)


class Asked(Protocol):
    """What the complainant asks for: a clock, and up to which rung (`grm.cases.events.EscalationAsked`)."""

    @property
    def deadline_id(self) -> int: ...
    @property
    def level(self) -> int: ...


def on_escalation_asked(act: Act, event: Asked) -> None:
    """Climb up to the rung asked for, and on past an empty chair, as the sweep would.

    `IllegalAction` `not-late-yet` where a holiday announced meanwhile has moved the date: nothing of the act remains then.
    """
    given = {"deadline_id": event.deadline_id}
    rows = act.session.execute(_FIND, given).all()
    version = deadline_queries.calendar(act.session).version
    if any(row.calendar_version < version for row in rows):
        bring_up_to_date(act, [event.deadline_id], act.now)
        rows = act.session.execute(_FIND, given).all()
    if any(row.due_at > act.now for row in rows):
        raise IllegalAction("not-late-yet")
    if rows:
        climb_rows(act, rows, act.now, Posts(dhaka_date(act.now)), asked_level=event.level)
