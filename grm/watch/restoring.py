"""After a restore from a backup: nothing that may have been sent is sent again (ADR 0019).

Two instants count. At T the backup was taken: what happened after it is not in this database. At R the restored copy was found
to be one (or an operator stopped it): from then on nothing was sent by anybody. Whatever was due to be sent by R may have been
sent by the system that is lost; whatever came later has not.

* A message that was open and due at R is held for a person. Where the one SMS gateway can be asked for a message by our
  reference, which is the same in the copy, it is asked instead: then nothing is lost either.
* The sweep has gone on and climbed again what fell due before R. Of those climbs nobody is told again: their messages are held
  and they leave the digests. Each officer concerned gets one notice instead, by e-mail.
* Messages of what people have done since, and what was to be sent after R, go out.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.kernel import audit, ledger
from grm.kernel.actor import SYSTEM
from grm.kernel.errors import Conflict, InvalidInput
from grm.kernel.transaction import Act
from grm.notifications import audience, stops
from grm.notifications.catalogue import CHANNELS, RESTORED, entry_of
from grm.notifications.held import STREAM

REASON = "restored-from-backup"
ASKED_FOR = timedelta(hours=24)
"""How long a message whose time ran out meanwhile is given for its gateway to be asked about it."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What was decided: messages held and asked for, climbs left out of digests, officers to be noticed."""

    backup_taken_at: str
    sending_ended_at: str
    held: int
    asked: int
    left_out: int
    noticed: int
    waiting_for_reports: int

    def as_dict(self) -> dict[str, str | int]:
        """As JSON can hold it."""
        return asdict(self)


# `created_at` of a climb's messages is the escalation's own instant: one act, one transaction.
_CLIMBED_AGAIN = """
    SELECT e.id, e.case_id, e.escalated_at, e.officer_id FROM escalation AS e
    WHERE e.escalated_at > :taken_at AND e.due_at <= :ended_at
"""
_DOUBTFUL = text(
    f"""
    CREATE TEMPORARY TABLE doubtful ON COMMIT DROP AS
    WITH again AS ({_CLIMBED_AGAIN})
    SELECT m.id, m.channel, m.officer_id FROM message AS m
    WHERE m.ended_at IS NULL AND m.state <> 'accepted'
      AND (m.created_at <= :ended_at AND (m.state <> 'pending' OR m.next_attempt_at <= :ended_at)
           OR EXISTS (SELECT FROM again WHERE again.case_id = m.case_id AND again.escalated_at = m.created_at))
    """  # noqa: S608 - a constant
)
_LEAVE_OUT = text(
    f"""
    WITH again AS ({_CLIMBED_AGAIN})
    DELETE FROM digest_item AS i USING again, message AS m
    WHERE i.escalation_id = again.id AND m.id = i.message_id AND m.ended_at IS NULL AND m.state = 'pending'
      AND m.id NOT IN (SELECT id FROM doubtful)
    RETURNING i.officer_id
    """  # noqa: S608 - a constant
)
_ASK = text(
    """
    WITH asked AS (
        UPDATE message AS m SET state = 'unknown', gateway = :gateway, next_attempt_at = :now, attempts = attempts + 1,
            expires_at = greatest(expires_at, CAST(:asked_until AS timestamptz)), error = :reason, claim = NULL,
            lease_until = NULL
        FROM doubtful AS d WHERE d.id = m.id AND m.channel = 'sms' RETURNING m.id, m.attempts)
    INSERT INTO attempt (message_id, number, gateway, started_at, finished_at, outcome, detail)
    SELECT id, attempts, :gateway, :taken_at, :now, 'unknown', :reason FROM asked
    RETURNING message_id
    """
)
_HOLD = text(
    """
    UPDATE message AS m SET state = 'held', error = :reason, ended_at = :now, claim = NULL, lease_until = NULL
    FROM doubtful AS d WHERE d.id = m.id AND m.id <> ALL(CAST(:asked AS bigint[])) RETURNING m.id
    """
)
_NOTICE = text(
    """
    INSERT INTO message (key, template, channel, language, priority, officer_id, params, next_attempt_at, created_at, expires_at)
    SELECT 'restored:' || id || ':' || :ended_at, :template, 'email', language, :priority, id, '{}', :now, :now, :expires_at
    FROM unnest(CAST(:ids AS bigint[]), CAST(:languages AS text[])) AS o (id, language)
    ON CONFLICT (key) DO NOTHING RETURNING id
    """
)
_ACCEPTED = text("SELECT count(*) FROM message WHERE state = 'accepted'")


def finish(act: Act, taken_at: datetime, ended_at: datetime | None, sms_witness: str | None) -> Finished:
    """Decide on everything that may have been sent, and let the channels go on; the caller commits.

    `ended_at` is R where it is known better than by the stop. `sms_witness` names the SMS gateway that can be asked for a
    message; None where there is none, or more than one gateway. Channels that an operator stopped stay stopped.
    Raises Conflict `still-sending` unless all channels are stopped, InvalidInput `after-the-stop` where T is later than R.
    """
    session, now = act.session, act.now
    stopped = stops.stops(session)
    if set(stopped) != set(CHANNELS):
        raise Conflict("still-sending")
    ended_at = ended_at or min(at for _, at in stopped.values())
    if not taken_at <= ended_at <= now:
        raise InvalidInput("after-the-stop")
    session.execute(text("SET LOCAL statement_timeout = 0"))
    span = {"taken_at": taken_at, "ended_at": ended_at}
    session.execute(_DOUBTFUL, span)
    officers = set(
        session.execute(text("SELECT DISTINCT officer_id FROM doubtful WHERE officer_id IS NOT NULL")).scalars()
    )
    left_out = session.execute(_LEAVE_OUT, span).scalars().all()
    asked: list[int] = []
    if sms_witness is not None:
        given = {
            "gateway": sms_witness,
            "now": now,
            "asked_until": now + ASKED_FOR,
            "reason": REASON,
            "taken_at": taken_at,
        }
        asked = list(session.execute(_ASK, given).scalars())
    held = session.execute(_HOLD, {"reason": REASON, "now": now, "asked": asked}).scalars().all()
    noticed = _notice(session, officers | set(left_out), ended_at, now)
    waiting = session.execute(_ACCEPTED).scalar_one()
    result = Finished(
        taken_at.isoformat(), ended_at.isoformat(), len(held), len(asked), len(left_out), noticed, waiting
    )
    ledger.note_identity(session, now)
    for channel in CHANNELS:
        stops.let_go(session, channel, stops.RESTORED)
    audit.record(session, STREAM, "restore-finished", SYSTEM, now, **result.as_dict())
    return result


def _notice(session: Session, officer_ids: set[int], ended_at: datetime, now: datetime) -> int:
    reached = [each for each in audience.officers_of(session, officer_ids).values() if "email" in each.channels]
    entry = entry_of(RESTORED)
    given = {
        "ended_at": ended_at.isoformat(),
        "template": entry.key,
        "priority": entry.priority,
        "now": now,
        "expires_at": now + entry.life,
        "ids": [each.officer_id for each in reached],
        "languages": [each.language for each in reached],
    }
    return len(session.execute(_NOTICE, given).scalars().all())
