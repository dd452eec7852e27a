"""What may be the same grievance as one just filed at a desk: a hint for the officer who sits opposite the complainant.

Only an officer is told, and only of cases they may see. On the public form nobody is: whoever types a number there must not
learn from the page that it has complained before.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases.alike import Suggestion, suggestions
from grm.cases.models import Case
from grm.cases.queries import visible_to
from grm.kernel.actor import Actor


def perhaps_the_same(session: Session, actor: Actor, tracking_number: str) -> tuple[Suggestion, ...]:
    """Cases that are likely the same as one, the likeliest first; none where the officer may not see that one either."""
    own = select(Case).where(Case.tracking_number == tracking_number, visible_to(actor))
    case = session.scalars(own).one_or_none()
    return suggestions(session, actor, case) if case is not None else ()
