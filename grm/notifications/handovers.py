"""What officers are told of handovers: a successor how much it is and where it stands, once; and, before somebody leaves, that
the handover is due. Never a case."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import text

from grm.cases.events import HandoverDue, WorkHandedOver
from grm.kernel.transaction import Act
from grm.notifications import audience
from grm.notifications.catalogue import HANDOVER_DUE, SENSITIVE_OFFICER, WORK_HANDED, entry_of

_TELL = text(
    """
    INSERT INTO message (key, template, channel, language, priority, officer_id, params, next_attempt_at, created_at,
                         expires_at)
    SELECT concat_ws(':', CAST(:name AS text), officer_id, channel), template, channel, language, :priority, officer_id,
           CASE WHEN channel = 'email' THEN params::jsonb ELSE '{}' END, :now, :now, CAST(:now AS timestamptz) + :life
    FROM unnest(CAST(:officer_ids AS bigint[]), CAST(:templates AS text[]), CAST(:channels AS text[]),
                CAST(:languages AS text[]), CAST(:params AS text[]))
        AS new (officer_id, template, channel, language, params)
    ON CONFLICT (key) DO NOTHING
    """
)


def on_work_handed_over(act: Act, event: WorkHandedOver) -> None:
    """Tell each successor how much came, in one message."""
    params = {
        officer_id: f'{{"handover_id": {event.handover_id:d}, "total": {count:d}}}'
        for officer_id, count in event.counts
    }
    tell(act, WORK_HANDED, f"{WORK_HANDED}:{event.handover_id}", params)


def on_handover_due(act: Act, event: HandoverDue) -> None:
    """Remind who leaves, and the head of the office."""
    params = {officer_id: f'{{"leaving_on": "{event.leaving_on.isoformat()}"}}' for officer_id in event.officer_ids}
    tell(act, HANDOVER_DUE, f"{HANDOVER_DUE}:{event.posting_id}:{_when(event.leaving_on, event.on)}", params)


def _when(leaving_on: date, on: date) -> str:
    """Two reminders: ahead of the day, and once it has come."""
    return f"{leaving_on.isoformat()}:{'ahead' if on < leaving_on else 'now'}"


def tell(act: Act, template: str, name: str, params: Mapping[int, str]) -> None:
    """By e-mail; whom no mail reaches gets the bare notice by SMS: "you have a message, sign in"."""
    entry = entry_of(template)
    found = [each for each in audience.officers_of(act.session, params).values() if each.channels]
    channels = ["email" if "email" in each.channels else "sms" for each in found]
    act.session.execute(
        _TELL,
        {
            "name": name,
            "priority": entry.priority,
            "now": act.now,
            "life": entry.life,
            "officer_ids": [each.officer_id for each in found],
            "templates": [template if channel == "email" else SENSITIVE_OFFICER for channel in channels],
            "channels": channels,
            "languages": [each.language for each in found],
            "params": [params[each.officer_id] for each in found],
        },
    )
