"""The messages of the demo's past: put into the states they would long have, without anything being sent."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.kernel import context
from grm.notifications import digests, rendering
from grm.notifications.catalogue import CATALOGUE, DIGEST, Channel

_READ = text(
    """
    SELECT m.id, m.template, m.channel, m.language, m.params FROM message AS m JOIN cases AS c ON c.id = m.case_id
    WHERE c.tracking_number = ANY(CAST(:numbers AS text[])) AND m.ended_at IS NULL
    UNION ALL
    SELECT m.id, m.template, m.channel, m.language, m.params FROM message AS m
    WHERE m.template IN ('digest-officer', 'review-finding-officer', 'alarms-raised-officer')
        AND m.created_at < :until AND m.ended_at IS NULL
    ORDER BY id
    """
)
# One SMS in 40 never gets its delivery report, one in 90 is refused: both occur, so both can be looked at.
_SETTLE = text(
    """
    WITH said AS (
        SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:subjects AS text[]), CAST(:bodies AS text[]))
            AS said (id, subject, body)
    ), settled AS (
        UPDATE message AS m SET subject = said.subject, body = said.body, attempts = 1,
            state = CASE WHEN lost THEN 'expired' WHEN refused THEN 'failed' ELSE 'delivered' END,
            error = CASE WHEN lost THEN 'no-delivery-report' WHEN refused THEN 'refused: number not in service' END,
            provider_reference = CASE WHEN NOT refused THEN 'demo-' || said.id END,
            ended_at = CASE WHEN lost THEN m.expires_at
                            ELSE least(m.created_at + make_interval(secs => 4 + said.id % 50), CAST(:until AS timestamptz)) END
        FROM said CROSS JOIN LATERAL (
            SELECT x.channel = 'sms' AND said.id % 40 = 7 AND x.expires_at <= :until AS lost,
                   x.channel = 'sms' AND said.id % 90 = 11 AS refused FROM message AS x WHERE x.id = said.id
        ) AS fate
        WHERE m.id = said.id
        RETURNING m.id, m.created_at, m.state
    )
    INSERT INTO attempt (message_id, number, started_at, finished_at, outcome, detail)
    SELECT id, 1, created_at + interval '2 seconds', created_at + interval '3 seconds',
           CASE WHEN state = 'failed' THEN 'refused' ELSE 'accepted' END, 'demo'
    FROM settled
    """
)


def settle(session: Session, tracking_numbers: Sequence[str], until: datetime) -> int:
    """Write the texts of the cases' messages and end them all before `until`, each with its attempt; return how many.

    No message of these cases, and no digest or notice of the watch from before `until`, is left for the delivery tick to find.
    """
    public_url = context.settings().public_url
    given = {"numbers": list(tracking_numbers), "until": until}
    past_digests = [row.id for row in session.execute(_READ, given) if row.template == DIGEST]
    digests.write(session, past_digests, until, as_gathered=True)
    rows = session.execute(_READ, given).all()
    texts = [_text(row, public_url) for row in rows]
    if rows:
        session.execute(
            _SETTLE,
            {
                "ids": [row.id for row in rows],
                "subjects": [each.subject for each in texts],
                "bodies": [each.body for each in texts],
                "until": until,
            },
        )
    return len(rows)


def _text(row: Any, public_url: str) -> rendering.Text:
    channel: Channel = "sms" if row.channel == "sms" else "email"
    return rendering.render(CATALOGUE[row.template], channel, row.language, row.params, public_url)
