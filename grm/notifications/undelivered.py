"""What became of messages: a complainant was told, or is to be called or written to; a notice to an officer goes on.

A tick looks at messages that have ended and were not followed up in the state in which they ended: `message.followed_up` is
that state, so that mail which comes back after all, or a delivery report that comes late, is looked at again. A message that
cannot be followed up stops no other: each has a transaction of its own.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.cases import informing
from grm.cases.informing import About, Undelivered
from grm.cases.models import Case
from grm.kernel.transaction import transaction
from grm.notifications import passing_on

log = structlog.get_logger("grm.notifications")

BATCH_SIZE = 200

MUST_KNOW: dict[str, About] = {
    "case-filed-complainant": "filed",
    "case-question-complainant": "question",
    "hearing-set-complainant": "hearing",
    "hearing-moved-complainant": "hearing",
    "hearing-cancelled-complainant": "hearing",
    "case-resolved-complainant": "decision",
    "case-declined-complainant": "decision",
    "case-recommended-complainant": "decision",
    "case-complied-complainant": "decision",
}
"""The messages whose loss must not go unnoticed, by how their keys begin: the template of a sensitive case does not tell."""

NOTICES = ("digest", "case-escalated-officer")
"""The messages to officers that tell of what is late, likewise."""

NEEDED_NO_MORE = ("no-longer-needed", "date-moved")

# The first condition is that of the partial index `ix__message__to_follow_up`, word for word.
_TO_FOLLOW_UP = """
    ended_at IS NOT NULL AND followed_up IS DISTINCT FROM 'past' AND followed_up IS DISTINCT FROM state
"""
_MATTERS = """
    state <> 'withdrawn' AND (error IS NULL OR error <> ALL(CAST(:needed_no_more AS text[]))) AND CASE
        WHEN address_sealed IS NOT NULL
        THEN split_part(key, ':', 1) = ANY(CAST(:must_know AS text[])) AND case_id IS NOT NULL
        ELSE state <> 'delivered' AND split_part(key, ':', 1) = ANY(CAST(:notices AS text[])) END
"""
_PASS_OVER = text(
    f"UPDATE message SET followed_up = state WHERE {_TO_FOLLOW_UP} AND NOT ({_MATTERS})"  # noqa: S608 - constants
)
_FIND = text(
    f"SELECT id FROM message WHERE {_TO_FOLLOW_UP} AND {_MATTERS} ORDER BY id LIMIT :limit"  # noqa: S608 - constants
)
_TAKE = text(
    f"""
    SELECT id, key, case_id, officer_id, split_part(key, ':', 1) AS subject, channel, state, error,
           CASE WHEN address_sealed IS NOT NULL THEN CAST(substring(split_part(key, ':', 5) FROM '^[0-9]+$') AS bigint) END
               AS complainant_id
    FROM message
    WHERE id = :id AND {_TO_FOLLOW_UP} FOR NO KEY UPDATE SKIP LOCKED
    """  # noqa: S608 - constants
)
_DONE = text("UPDATE message SET followed_up = state WHERE id = :id")
_GIVEN = {"must_know": list(MUST_KNOW), "notices": list(NOTICES), "needed_no_more": list(NEEDED_NO_MORE)}


@dataclass
class FollowedUp:
    """What a pass did: messages to complainants that arrived or did not, notices to officers that went on to somebody else,
    and messages that could not be followed up."""

    arrived: int = 0
    not_arrived: int = 0
    passed_on: int = 0
    failed: int = 0


def follow_up(now: datetime | None = None, batch_size: int = BATCH_SIZE) -> FollowedUp:
    """Follow up the messages that have ended since; a second pass finds nothing. `now` is given in tests."""
    done = FollowedUp()
    with transaction(now) as act:
        act.session.execute(_PASS_OVER, _GIVEN)
        ids = list(act.session.scalars(_FIND, {**_GIVEN, "limit": batch_size}))
    for message_id in ids:
        try:
            state = _follow_up_one(message_id, now)
            done.arrived += state == "delivered"
            done.passed_on += state == "passed on"
            done.not_arrived += state not in (None, "delivered", "passed on")
        except Exception as error:
            done.failed += 1
            log.error("a message cannot be followed up", message_id=message_id, exc_info=error)
    return done


def _follow_up_one(message_id: int, now: datetime | None) -> str | None:
    """Follow one message up and return the state it has ended in, or that it was passed on; None where somebody else was
    faster."""
    with transaction(now) as act:
        session = act.session
        message = session.execute(_TAKE, {"id": message_id}).one_or_none()
        if message is None:
            return None
        if message.officer_id is not None:
            passing_on.mark_refused_address(session, message, act.now)
            passing_on.pass_on(act, message)
            session.execute(_DONE, {"id": message_id})
            return "passed on"
        case = _locked(session, message.case_id)
        about = MUST_KNOW[message.subject]
        if message.state == "delivered":
            informing.delivered(act, case, message.id, about, message.complainant_id)
        else:
            reason = (message.error or message.state).splitlines()[0]
            lost = Undelivered(
                message.id, about, message.subject, message.channel, reason, complainant_id=message.complainant_id
            )
            informing.not_delivered(act, case, lost)
        session.execute(_DONE, {"id": message_id})
        return str(message.state)


def _locked(session: Session, case_id: int) -> Case:
    statement = select(Case).where(Case.id == case_id).with_for_update(key_share=True)
    return session.scalars(statement.execution_options(populate_existing=True)).one()
