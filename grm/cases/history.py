"""The append-only, hash-chained history of a case; nothing else writes `case_event` or `case_text`.

The hash of an event covers `{tracking_number, seq, kind, at, actor_kind, actor_id, data}` and the hash before it; the
case row repeats the length and the last hash, so that a cut tail shows. Free text (a reply, a note) is kept beside
the chain in `case_text`; the event holds a salted commitment to it under `data["texts"]`, so erasing a text for
privacy leaves the chain whole. The caller holds the case row locked.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.cases.models import Case, CaseEvent, CaseText
from grm.kernel import chain
from grm.kernel.actor import Actor

KINDS: tuple[str, ...] = (
    "filed",  # by the complainant or a desk: office_id, desk, rule_id, due_on
    "acknowledged",
    "assigned",  # officer_id, is_claim (taken by the officer); in a handover also handover_id, from_officer_id
    "unassigned",  # back at the desk: officer_id (who had it), from_officer_id; in a handover also handover_id
    "noted",  # text: note
    "asked",  # answer_by_on; text: question
    "answered",  # text: answer
    "information_added",  # files, as of `attached`, where some came with it; text: information
    "resumed",  # a wait that ran out: ran_out_at
    "referred",  # from_office_id, from_desk, to_office_id, to_desk; text: reason
    "accepted",  # what was referred here
    "returned",  # from_office_id, from_desk, to_office_id, to_desk; text: reason
    "split",  # a part sent to another office as a sub-case: subcase_id, part_office_id, part_desk; text: part
    "subcase_answered",  # on the whole case: subcase_id, part_office_id, outcome; text: reply
    "subcase_returned",  # on the whole case: subcase_id, part_office_id; text: reason
    "subcase_ended",  # on the part, when the whole case was withdrawn
    "directed",  # by the Cabinet Division: due_on, epoch; text: direction
    "direction_answered",  # directed_seq; text: report
    "reminded",  # by a superior or overseer, without a version: due_on, officer_id (who had it), bulk_id; text: reminder
    "own_motion",  # tier, officer_id, from_.., to_office_id, to_desk, level_was, due_on; text: reason
    "written",  # to the complainant, ending nothing: questioned; text: letter
    "hearing_set",  # hearing_at; texts: place, bring
    "hearing_moved",  # hearing_at, from_at; texts: place, bring
    "hearing_held",  # hearing_at; text: minutes
    "hearing_missed",  # hearing_at, missed_by; text: minutes
    "hearing_cancelled",  # hearing_at, is_by_itself (the case ended or left); text: minutes (why)
    "sent_back",  # by the superior: undone (place of the answer), officer_id, due_on; text: reason
    # resolved: outcome, contact, confirm_by_on, visited_on; texts: reply, root_cause, prevention, reason (of no contact), visit,
    # no_visit. A reply that raised questions has their codes as `questioned`, whatever the kind.
    "resolved",
    "declined",  # reason_code; text: reply
    "closed",  # text: reason, when closed before the confirmation window was over
    "withdrawn",  # text: reason
    "not_informed",  # a message that did not arrive, so the complainant is to be called or written to: subject, channel, reason
    "informed",  # the complainant knows: how, contacted_on or message_id; text: note
    "warned",  # by the sweep: deadline_kind, due_on, officer_id, post_id
    # by the sweep: deadline_kind, level, due_on, officer_id, post_id, is_gap; is_asked, where the complainant asked for it
    "escalated",
    "escalation_asked",  # by the complainant, of a late case: deadline_kind, deadline_id, epoch, level, due_on
    "rated",  # by the complainant: stage, decision_seq (the answer's place), stars; text: comment
    "investigation_asked",  # officer_id (who is to lead), investigator_ids, asked_of (a role); text: reason
    "investigation_refused",  # asked_by; text: reason
    # officer_id (who leads), investigator_ids, due_on, permitted_as (the role of who did it), asked_by; text: reason. Before
    # permission was an act of its own: text: permission.
    "investigation_started",
    "investigators_changed",  # in a handover: officer_id (who leads), investigator_ids, handover_id, from_officer_id
    "investigation_reported",  # text: findings
    "extension_requested",  # deadline_kind, working_days; text: reason
    "extension_approved",  # deadline_kind, working_days, from_due_on, to_due_on; text: reason
    "extension_refused",  # deadline_kind; text: reason
    "contested",  # from_office_id, from_desk, to_office_id, to_desk, level_was, due_on; text: grounds
    "appealed",  # tier, is_silence, from_office_id, from_desk, to_office_id, to_desk, level_was, due_on; text: grounds
    "recommended",  # as resolved, and from_.., to_office_id, to_desk, level_was, due_on; text: recommendation
    "complied",  # confirm_by_on; text: reply
    "redated",  # a late holiday: deadline_kind, from_due_on, to_due_on, calendar_version, why, days (on, names, is_off)
    "escalation_withdrawn",  # a late holiday, before anybody was told: deadline_kind, level, due_on, calendar_version, why
    "warning_withdrawn",  # the same for a reminder
    "set_aside",  # an operator keeps the sweep from a clock: deadline_kind, epoch, due_on; text: reason
    "merged",  # into another case, whose answer it gets: due_on (of that answer); own_due_on, where a pause ended with it
    # a duplicate of it; where that makes it due earlier also deadline_kind, from_due_on, to_due_on, extension_days
    "merged_in",
    "unmerged",  # stands by itself again: officer_id (who has it), due_on, why (of case_link.why_ended)
    "unmerged_from",  # its duplicate does: why; where that gives back a later date also deadline_kind, from_due_on, to_due_on
    "answered_together",  # a merged case has the answer of its lead: decision (its kind), outcome or reason_code, confirm_by_on
    "linked",  # alike cases are to be answered together: is_lead
    "unlinked",  # is_lead
    "complainant_added",  # has_phone, has_email
    "taken_up",  # and gives it back: deadline_kind, epoch, due_on
    "attached",  # files (sha256, media_type, size of each), is_for_complainant; text: note, what they are
    "attachment_infected",  # found by a later scan, and deleted: sha256, media_type
)
"""What can happen in a case's life, with the data each kind carries. An act of a person also notes the `version` it made,
`status_from` and `status_to` where it changed the status, and `due_on` where it moved the date, as the end of a pause does
(`was_due_on`: of a clock that ended with it). Every kind has words on the case page.

With these the history alone tells every figure of the reports: tests/support/recount.py does it."""

PUBLIC_KINDS: frozenset[str] = frozenset(KINDS) - {
    *("unassigned", "investigators_changed"),
    *("noted", "assigned", "warned", "warning_withdrawn", "set_aside", "taken_up"),
    *("extension_requested", "extension_refused", "not_informed", "informed"),
    *("investigation_asked", "investigation_refused"),
    *("accepted", "split", "subcase_answered", "subcase_returned", "subcase_ended", "directed", "direction_answered"),
    "reminded",
    *("linked", "unlinked", "complainant_added"),
    *("attached", "attachment_infected"),
}
"""What the complainant may see on the tracking page. Notes are internal, and so is who in the office has the case."""

PUBLIC_TEXTS: frozenset[str] = frozenset(
    {"question", "answer", "information", "reply", "grounds", "recommendation", "letter", "place", "bring", "comment"}
)
"""The free texts the complainant may read; the reason of a withdrawal too, by `is_public_text`."""

_SALT_BYTES = 16


class Tip(NamedTuple):
    """The end of a case's chain: how many events there are, and the hash of the last."""

    length: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Link:
    """A new event, ready to insert: column values of `case_event` and `case_text` (all but id and case_id)."""

    values: dict[str, Any]
    texts: tuple[dict[str, Any], ...]
    tip: Tip


@dataclass(frozen=True, slots=True)
class Entry:
    """One event for `append_many`. With `level`, the same UPDATE raises the case's escalation level, so that a sweep
    writes each case row once."""

    case_id: int
    kind: str
    data: Mapping[str, Any]
    texts: Mapping[str, str] = field(default_factory=dict)
    level: int | None = None


def is_public_text(kind: str, name: str) -> bool:
    """Whether the complainant may read the text `name` of an event of this kind."""
    return name in PUBLIC_TEXTS or (name == "reason" and kind == "withdrawn")


def record_of(
    tracking_number: str, seq: int, kind: str, at: datetime, actor_kind: str, actor_id: int | None, data: Any
) -> dict[str, Any]:
    """What the hash of an event covers."""
    return {
        "tracking_number": tracking_number,
        "seq": seq,
        "kind": kind,
        "at": at,
        "actor_kind": actor_kind,
        "actor_id": actor_id,
        "data": data,
    }


def link(
    tip: Tip,
    tracking_number: str,
    kind: str,
    at: datetime,
    actor: Actor,
    data: Mapping[str, Any],
    texts: Mapping[str, str] | None = None,
) -> Link:
    """Forge the next link of a chain without writing it. Raises ValueError for a kind that `KINDS` does not list."""
    if kind not in KINDS:
        raise ValueError(f"{kind} is no kind of case event")
    seq = tip.length + 1
    kept = [(name, body, secrets.token_bytes(_SALT_BYTES)) for name, body in (texts or {}).items() if body]
    stored = chain.plain(data)
    if kept:
        stored["texts"] = {name: chain.commitment(salt, body) for name, body, salt in kept}
    digest = chain.row_hash(tip.head, record_of(tracking_number, seq, kind, at, actor.kind, actor.officer_id, stored))
    values = {
        "seq": seq,
        "kind": kind,
        "at": at,
        "actor_kind": actor.kind,
        "actor_id": actor.officer_id,
        "data": stored,
        "previous_hash": tip.head or chain.GENESIS,
        "hash": digest,
    }
    rows = tuple({"seq": seq, "field": name, "body": body, "salt": salt} for name, body, salt in kept)
    return Link(values, rows, Tip(seq, digest))


def first_event(
    tracking_number: str,
    kind: str,
    at: datetime,
    actor: Actor,
    data: Mapping[str, Any],
    texts: Mapping[str, str] | None = None,
) -> Link:
    """Forge the first event of a new case, for the filing statement to insert; `tip` belongs into the case row as
    `history_length` and `history_head`."""
    return link(Tip(0, chain.GENESIS), tracking_number, kind, at, actor, data, texts)


def append(
    session: Session,
    case: Case,
    kind: str,
    actor: Actor,
    now: datetime,
    data: Mapping[str, Any],
    texts: Mapping[str, str] | None = None,
) -> CaseEvent:
    """Append one event to a case whose row the caller has locked; written at the next flush."""
    new = link(Tip(case.history_length, case.history_head), case.tracking_number, kind, now, actor, data, texts)
    case.history_length, case.history_head = new.tip
    event = CaseEvent(case_id=case.id, **new.values)
    session.add(event)
    session.add_all(CaseText(case_id=case.id, **row) for row in new.texts)
    return event


_LOCK_TIPS = text(
    """
    SELECT id, tracking_number, history_length, history_head FROM cases
    WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id FOR NO KEY UPDATE
    """
)
_INSERT_EVENTS = text(
    """
    INSERT INTO case_event (case_id, seq, kind, at, actor_kind, actor_id, data, previous_hash, hash)
    SELECT case_id, seq, kind, :at, :actor_kind, :actor_id, data::jsonb, previous_hash, hash
    FROM unnest(CAST(:case_ids AS bigint[]), CAST(:seqs AS int[]), CAST(:kinds AS text[]), CAST(:datas AS text[]),
                CAST(:previous AS bytea[]), CAST(:hashes AS bytea[]))
        AS new (case_id, seq, kind, data, previous_hash, hash)
    """
)
_INSERT_TEXTS = text(
    """
    INSERT INTO case_text (case_id, seq, field, body, salt)
    SELECT * FROM unnest(CAST(:case_ids AS bigint[]), CAST(:seqs AS int[]), CAST(:fields AS text[]),
                         CAST(:bodies AS text[]), CAST(:salts AS bytea[]))
    """
)
_UPDATE_TIPS = text(
    """
    UPDATE cases SET history_length = new.length, history_head = new.head,
                     level = greatest(cases.level, coalesce(new.level, cases.level))
    FROM unnest(CAST(:ids AS bigint[]), CAST(:lengths AS int[]), CAST(:heads AS bytea[]), CAST(:levels AS smallint[]))
        AS new (id, length, head, level)
    WHERE cases.id = new.id
    """
)


def append_many(
    session: Session,
    entries: Sequence[Entry],
    actor: Actor,
    now: datetime,
    locked: Mapping[int, tuple[str, Tip]] | None = None,
) -> None:
    """Append events to many cases in the given order, with three statements however many they are (four with texts).

    Locks the case rows in the order of their ids; a case may occur more than once. A caller that holds the locks already
    gives tracking number and tip of each case in `locked`, which saves the first statement. Works on the tables behind the
    session's back: refresh any `Case` object already loaded.
    """
    if not entries:
        return
    ids = sorted({entry.case_id for entry in entries})
    if locked is None:
        rows = session.execute(_LOCK_TIPS, {"ids": ids})
        locked = {row.id: (row.tracking_number, Tip(row.history_length, row.history_head)) for row in rows}
    numbers = {case_id: locked[case_id][0] for case_id in ids}
    tips = {case_id: locked[case_id][1] for case_id in ids}
    levels: dict[int, int] = {}
    links: list[tuple[int, Link]] = []
    for entry in entries:
        case_id = entry.case_id
        new = link(tips[case_id], numbers[case_id], entry.kind, now, actor, entry.data, entry.texts)
        tips[case_id] = new.tip
        links.append((case_id, new))
        if entry.level is not None:
            levels[case_id] = max(entry.level, levels.get(case_id, 0))
    session.execute(
        _INSERT_EVENTS,
        {
            "at": now,
            "actor_kind": actor.kind,
            "actor_id": actor.officer_id,
            "case_ids": [case_id for case_id, _ in links],
            "seqs": [new.values["seq"] for _, new in links],
            "kinds": [new.values["kind"] for _, new in links],
            "datas": [json.dumps(new.values["data"], ensure_ascii=False) for _, new in links],
            "previous": [new.values["previous_hash"] for _, new in links],
            "hashes": [new.values["hash"] for _, new in links],
        },
    )
    texts = [(case_id, row) for case_id, new in links for row in new.texts]
    if texts:
        session.execute(
            _INSERT_TEXTS,
            {
                "case_ids": [case_id for case_id, _ in texts],
                "seqs": [row["seq"] for _, row in texts],
                "fields": [row["field"] for _, row in texts],
                "bodies": [row["body"] for _, row in texts],
                "salts": [row["salt"] for _, row in texts],
            },
        )
    session.execute(
        _UPDATE_TIPS,
        {
            "ids": ids,
            "lengths": [tips[case_id].length for case_id in ids],
            "heads": [tips[case_id].head for case_id in ids],
            "levels": [levels.get(case_id) for case_id in ids],
        },
    )
