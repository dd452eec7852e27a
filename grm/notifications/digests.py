"""Digests: what falls due for an officer is gathered, and told in one message a day and channel instead of one for each case.

An escalation puts an item beside the officer's open digest, in the transaction of the climb. A digest is open until it is
claimed; its text is made then, from the items whose case still needs it. What is gathered later goes into the next day's.
The open digest is held locked while items are added, and a sender passes over what is locked: no item can slip between.

Level 3 is never gathered: the top of the ladder is told at once (`grm/notifications/climbs.py`).
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from grm.kernel import context
from grm.kernel.clock import dhaka_date
from grm.notifications import audience
from grm.notifications.audience import OfficerContact
from grm.notifications.catalogue import DIGEST, Channel, entry_of
from grm.notifications.quiet_hours import digest_leaves
from grm.offices.queries import holders

HIGHEST_GATHERED = 2
"""The highest level that waits for a digest."""
MOST_LINES = 50
"""How many cases a digest lists; the others are counted."""
_BOTH: tuple[Channel, ...] = ("email", "sms")
_LONGEST_LOOK_AHEAD_DAYS = 400


@dataclass(frozen=True, slots=True)
class Item:
    """An escalation that an officer is to be told of on a channel."""

    escalation_id: int
    officer: OfficerContact
    channel: Channel


Climbed = tuple[tuple[int, int, int, int], OfficerContact, Channel]
"""An escalation as the ladder names it (case, deadline, epoch, level), and whom it is told to, by which channel."""


def channels_for(level: int, officer: OfficerContact) -> tuple[Channel, ...]:
    """By which channels an officer hears of a rung: a reminder by e-mail, what is late by SMS too; by SMS alone where no
    e-mail reaches the officer."""
    found = tuple(channel for channel in _BOTH if channel in officer.channels)
    return found if level > 0 else found[:1]


_OPEN = text(
    """
    INSERT INTO message (key, template, channel, language, priority, officer_id, params, next_attempt_at, created_at,
                         expires_at)
    SELECT concat_ws(':', 'digest', officer_id, CAST(:day AS text), channel), :template, channel, language, :priority,
           officer_id, '{}', :not_before, :at, CAST(:not_before AS timestamptz) + :life
    FROM unnest(CAST(:officer_ids AS bigint[]), CAST(:channels AS text[]), CAST(:languages AS text[]))
        AS new (officer_id, channel, language)
    ON CONFLICT (key) DO UPDATE SET key = excluded.key WHERE message.state = 'pending' AND message.body IS NULL
    RETURNING id, officer_id, channel
    """
)
"""Begin a digest or take hold of the open one; none comes back for one that was claimed already."""

_GATHER_CLIMBS = text(
    """
    INSERT INTO digest_item (escalation_id, officer_id, channel, day, message_id)
    SELECT e.id, new.officer_id, new.channel, new.day, new.message_id
    FROM unnest(CAST(:case_ids AS bigint[]), CAST(:deadline_ids AS bigint[]), CAST(:epochs AS smallint[]),
                CAST(:levels AS smallint[]), CAST(:officer_ids AS bigint[]), CAST(:channels AS text[]),
                CAST(:days AS date[]), CAST(:message_ids AS bigint[]))
        AS new (case_id, deadline_id, epoch, level, officer_id, channel, day, message_id)
    JOIN escalation AS e ON (e.case_id, e.deadline_id, e.epoch, e.level)
                          = (new.case_id, new.deadline_id, new.epoch, new.level)
    ON CONFLICT DO NOTHING
    """
)
_GATHER = text(
    """
    INSERT INTO digest_item (escalation_id, officer_id, channel, day, message_id)
    SELECT * FROM unnest(CAST(:escalation_ids AS bigint[]), CAST(:officer_ids AS bigint[]), CAST(:channels AS text[]),
                         CAST(:days AS date[]), CAST(:message_ids AS bigint[]))
    ON CONFLICT DO NOTHING
    """
)


def gather_climbs(session: Session, climbs: Sequence[Climbed], at: datetime) -> None:
    """Put escalations that were made in this transaction beside their officers' open digests.

    Two statements, however many they are; a few more when digests of today have left already.
    """
    if not climbs:
        return
    places = _open_digests(session, ((officer, channel) for _, officer, channel in climbs), at)
    columns = list(zip(*(name for name, _, _ in climbs), strict=True))
    session.execute(
        _GATHER_CLIMBS,
        dict(zip(("case_ids", "deadline_ids", "epochs", "levels"), map(list, columns), strict=True))
        | _placed(((officer, channel) for _, officer, channel in climbs), places),
    )


def gather(session: Session, items: Sequence[Item], at: datetime) -> None:
    """Put escalations beside their officers' open digests; one that the officer was given already stays where it is."""
    if not items:
        return
    places = _open_digests(session, ((item.officer, item.channel) for item in items), at)
    session.execute(
        _GATHER,
        {"escalation_ids": [item.escalation_id for item in items]}
        | _placed(((item.officer, item.channel) for item in items), places),
    )


_Places = Mapping[tuple[int, str], tuple[int, date]]


def _open_digests(session: Session, wanted: Iterable[tuple[OfficerContact, Channel]], at: datetime) -> _Places:
    """The open digest of each officer and channel: today's, else the first later day's that has not left yet.

    Rows are taken in the order of officer and day, the same in every sweep, so that no two wait for one another.
    """
    missing = {(officer.officer_id, channel): officer.language for officer, channel in wanted}
    places: dict[tuple[int, str], tuple[int, date]] = {}
    day, not_before = first_digest(at)
    for _ in range(_LONGEST_LOOK_AHEAD_DAYS):
        keys = sorted(missing)
        rows = session.execute(
            _OPEN,
            {
                "day": day.isoformat(),
                "template": DIGEST,
                "priority": entry_of(DIGEST).priority,
                "life": entry_of(DIGEST).life,
                "at": at,
                "not_before": not_before,
                "officer_ids": [officer_id for officer_id, _ in keys],
                "channels": [channel for _, channel in keys],
                "languages": [missing[key] for key in keys],
            },
        )
        for message_id, officer_id, channel in rows:
            places[officer_id, channel] = (message_id, day)
            del missing[officer_id, channel]
        if not missing:
            return places
        day, not_before = _next_digest(day, at)
    raise RuntimeError("no open digest to be had")


def first_digest(at: datetime) -> tuple[date, datetime]:
    """The Dhaka day of the digest that something found at this instant goes into, and when that digest may leave.

    In production at 08:00, or a few minutes after a find by day, so that all of a sweep is in it; elsewhere at once.
    """
    leaves = digest_leaves(at) if context.settings().is_production else at
    return dhaka_date(leaves), leaves


def _next_digest(day: date, at: datetime) -> tuple[date, datetime]:
    following = day + timedelta(days=1)
    return following, digest_leaves(at, following) if context.settings().is_production else at


def _placed(wanted: Iterable[tuple[OfficerContact, Channel]], places: _Places) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {"officer_ids": [], "channels": [], "days": [], "message_ids": []}
    for officer, channel in wanted:
        message_id, day = places[officer.officer_id, channel]
        columns["officer_ids"].append(officer.officer_id)
        columns["channels"].append(channel)
        columns["days"].append(day)
        columns["message_ids"].append(message_id)
    return columns


_ITEMS = text(
    """
    SELECT m.id AS digest_id, i.escalation_id, i.officer_id, i.channel, e.level, e.role, e.post_id, e.office_id, e.case_id,
           d.kind, d.due_on, c.tracking_number, c.is_sensitive, c.has_accused, c.assignee_id,
           (e.withdrawn_at IS NULL AND d.met_at IS NULL) AS is_needed,
           o.is_active AND EXISTS (
               SELECT FROM posting AS p
               WHERE p.officer_id = i.officer_id AND (p.post_id = e.post_id OR is_stand_in)
                 AND p.starts_on <= :today AND (p.ends_on IS NULL OR p.ends_on > :today)
           ) AND (e.role <> 'holder' OR c.assignee_id IS NULL OR c.assignee_id = i.officer_id OR is_stand_in OR EXISTS (
               SELECT FROM leave AS l
               WHERE l.officer_id = c.assignee_id AND l.starts_on <= :today AND l.ends_on > :today)) AS is_posted
    FROM message AS m
    LEFT JOIN (digest_item AS i
        JOIN escalation AS e ON e.id = i.escalation_id
        JOIN deadline AS d ON d.id = e.deadline_id
        JOIN cases AS c ON c.id = e.case_id
        JOIN officer AS o ON o.id = i.officer_id
        CROSS JOIN LATERAL (
            SELECT e.is_vacant OR e.post_id IS NULL OR i.officer_id <> e.officer_id AS is_stand_in) AS told
        ) ON i.message_id = m.id
    WHERE m.id = ANY(CAST(:ids AS bigint[])) AND m.template = :template AND m.body IS NULL
    ORDER BY m.id, e.level DESC, d.due_on, e.id
    """
)
_SET_PARAMS = text(
    """
    UPDATE message SET params = new.params::jsonb
    FROM unnest(CAST(:ids AS bigint[]), CAST(:params AS text[])) AS new (id, params) WHERE message.id = new.id
    """
)
_SET_WRITTEN = text(
    """
    UPDATE digest_item AS i SET written_at = :at
    FROM unnest(CAST(:escalation_ids AS bigint[]), CAST(:officer_ids AS bigint[]), CAST(:channels AS text[]))
        AS new (escalation_id, officer_id, channel)
    WHERE (i.escalation_id, i.officer_id, i.channel) = (new.escalation_id, new.officer_id, new.channel)
    """
)


def write(
    session: Session, message_ids: Collection[int], at: datetime, *, as_gathered: bool = False
) -> dict[int, dict[str, Any] | None]:
    """Say what the digests among these messages hold: their params, which are written into the rows, too.

    The caller has just claimed the messages. Each is asked once, before its first attempt: one that has its text already, and
    one that is no digest, is left out of the answer. None stands for a digest of which nothing is left to tell. An item
    whose officer has left the post goes to whoever answers there now. `as_gathered` tells of every item, whatever has become
    of it since: for a past that is played back.
    """
    given = {"ids": sorted(message_ids), "template": DIGEST, "today": dhaka_date(at)}
    rows = session.execute(_ITEMS, given).all() if message_ids else []
    told = [row for row in rows if (row.is_needed and row.is_posted) or (as_gathered and row.escalation_id is not None)]
    by_message: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in told:
        by_message[row.digest_id].append(row)
    contents = {row.digest_id: _content(by_message[row.digest_id], dhaka_date(at)) for row in rows}
    if told:
        filled = {message_id: json.dumps({"digest": content}) for message_id, content in contents.items() if content}
        session.execute(_SET_PARAMS, {"ids": list(filled), "params": list(filled.values())})
        session.execute(
            _SET_WRITTEN,
            {
                "at": at,
                "escalation_ids": [row.escalation_id for row in told],
                "officer_ids": [row.officer_id for row in told],
                "channels": [row.channel for row in told],
            },
        )
    _hand_on(session, [row for row in rows if row.is_needed and not row.is_posted and not as_gathered], at)
    return {message_id: {"digest": content} if content else None for message_id, content in contents.items()}


def _content(rows: Sequence[Row[Any]], on: date) -> dict[str, Any] | None:
    """What a digest's text is made of (`grm/notifications/digest_wording.py`); None without anything to tell."""
    if not rows:
        return None
    levels = Counter(str(row.level) for row in rows)
    plain = [row for row in rows if not row.is_sensitive]
    return {
        "day": on.isoformat(),
        "levels": dict(sorted(levels.items(), reverse=True)),
        "sensitive": len(rows) - len(plain),
        "more": max(0, len(plain) - MOST_LINES),
        "cases": [[row.tracking_number, row.due_on.isoformat(), row.level, row.kind] for row in plain[:MOST_LINES]],
    }


def _hand_on(session: Session, rows: Sequence[Row[Any]], at: datetime) -> None:
    """Give items whose officer has left the post to whoever holds the case, or the post, now; an empty chair gets nothing."""
    if not rows:
        return
    today = dhaka_date(at)
    seats = {seat.post_id: seat for seat in holders(session, {row.office_id for row in rows}, today)}
    accused = audience.accused_of(session, [row.case_id for row in rows if row.has_accused])
    successors: dict[int, int] = {}
    for row in rows:
        seat = seats.get(row.post_id)
        if row.role == "holder" and row.assignee_id is not None:
            successors[row.escalation_id] = row.assignee_id
        elif (
            seat is not None and seat.acting is not None and not audience.is_tainted(seat, accused.get(row.case_id, ()))
        ):
            successors[row.escalation_id] = seat.acting.officer_id
    officers = audience.officers_of(session, successors.values())
    items = []
    for row in rows:
        officer = officers.get(successors.get(row.escalation_id, 0))
        if officer is not None and officer.officer_id != row.officer_id and row.channel in officer.channels:
            items.append(Item(row.escalation_id, officer, row.channel))
    gather(session, items, at)
