"""The daily reminder to the administrators that the list of holidays runs out: one e-mail a day each, until it is imported."""

from datetime import datetime

from sqlalchemy import text

from grm.deadlines.coverage import coverage
from grm.kernel.clock import dhaka_date
from grm.kernel.transaction import transaction
from grm.notifications.catalogue import CALENDAR_SHORT, entry_of

_TELL = text(
    """
    INSERT INTO message (key, template, channel, language, priority, officer_id, params, next_attempt_at, created_at,
                         expires_at)
    SELECT concat_ws(':', 'calendar-short', id, CAST(:day AS text), 'email'), :template, 'email', language, :priority, id,
           jsonb_build_object('covered_until', CAST(:covered_until AS text), 'missing', CAST(:missing AS int)),
           :now, :now, CAST(:now AS timestamptz) + :life
    FROM officer WHERE is_admin AND is_active AND email IS NOT NULL
    ON CONFLICT (key) DO NOTHING
    """
)


def tell_administrators(now: datetime | None = None) -> int:
    """Write today's reminder where one is due, and return to how many; again on the same Dhaka date it is nobody."""
    with transaction(now) as act:
        today = dhaka_date(act.now)
        found = coverage(act.session, today)
        if not found.is_short:
            return 0
        entry = entry_of(CALENDAR_SHORT)
        result = act.session.execute(
            _TELL,
            {
                "day": today.isoformat(),
                "template": CALENDAR_SHORT,
                "priority": entry.priority,
                "covered_until": found.covered_until.isoformat(),
                "missing": found.missing,
                "now": act.now,
                "life": entry.life,
            },
        )
        return int(result.rowcount)  # type: ignore[attr-defined]
