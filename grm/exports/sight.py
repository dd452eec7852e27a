"""What an officer was entitled to see when a file was made, and whether that still holds when it is fetched.

Who has lost a post since, or has been accused in a case that the file may name, does not get it any more. Gaining a post takes
nothing away: the file says less than the officer might see now.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from grm.cases.models import Accused, Case
from grm.cases.queries import names_as_accused
from grm.kernel.actor import Actor


def of(session: Session, actor: Actor) -> dict[str, Any]:
    """The sight of an actor, as it is kept with a file."""
    return {
        "seats": _seats(actor),
        "overseen": sorted(actor.overseen_office_ids),
        "is_admin": actor.is_admin,
        "accused_until": session.scalar(select(func.max(Accused.id))) or 0,
    }


def still_holds(session: Session, actor: Actor, kept: Mapping[str, Any], as_of: datetime) -> bool:
    """Whether an actor may see what a file holds that was made with this sight, of figures as of that instant."""
    return covers(actor, kept) and not session.scalar(
        select(
            exists()
            .where(Accused.id > kept["accused_until"], names_as_accused(actor))
            .where(Accused.case_id == Case.id, Case.filed_at <= as_of)
        )
    )


def covers(actor: Actor, kept: Mapping[str, Any]) -> bool:
    """Whether everything that opened cases then opens them now: each post, each overseen office, the administrator's key."""
    now = _seats(actor)
    return (
        all(seat in now for seat in kept["seats"])
        and actor.overseen_office_ids.issuperset(kept["overseen"])
        and (actor.is_admin or not kept["is_admin"])
    )


def _seats(actor: Actor) -> list[list[Any]]:
    return sorted([seat.office_id, seat.post_id, seat.role] for seat in actor.seats)
