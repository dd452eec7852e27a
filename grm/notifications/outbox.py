"""The outbox's statements: claim messages, say that they are about to be called for, note what came of it, find what was left.

A claim is a conditional UPDATE under SKIP LOCKED, each message with a token of its own, committed before anybody is called. Right
before its call the attempt's row is written and committed, too: two senders never hold one message, and a sender that dies
leaves a trace by which the messages it called for can be told from those it only held. Only the holder of the claim may write
the outcome. A claim that outlives its lease becomes `unknown` where a call may have been made, and is free again where not.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases.models import Case
from grm.kernel.clock import dhaka_date
from grm.kernel.contact import is_sendable_mobile
from grm.kernel.crypto import CannotOpen, Keyring
from grm.notifications import budgets, codes, digests, doubt, floods, rendering
from grm.notifications.backoff import REPORT_PATIENCE
from grm.notifications.budgets import NO_LIMIT, Budget, Cost
from grm.notifications.catalogue import CATALOGUE, DIGEST, TRACK_CODE, Channel, Entry
from grm.notifications.channels.contract import Letter
from grm.notifications.doubt import ASK_WAIT, Policy
from grm.notifications.floods import Fresh
from grm.notifications.service import address_context
from grm.notifications.sms_text import measure

RESEND = "resend"
"""How an attempt after a lost answer is marked; `ask` where the gateway is asked first."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a channel's messages are claimed. `gateways`: those that may be called now, the preferred one first."""

    channel: Channel
    lease: timedelta
    gateways: tuple[str, ...]
    can_ask: frozenset[str]
    public_url: str
    report_url: Callable[[int, str], str | None]
    return_path: Callable[[int], str | None] = lambda message_id: None
    budget: Budget = NO_LIMIT
    is_quiet_at_night: bool = False
    per_recipient: int = 0


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this sender, and nobody else, may hand over now, to this gateway."""

    id: int
    claim: UUID
    number: int
    channel: Channel
    gateway: str
    policy: Policy
    can_ask: bool
    unknown_before: int
    temporary_before: int
    day: date
    cost: Cost
    letter: Letter = field(repr=False)
    code_id: int | None = None
    """The one-time code it tells, to be forgotten once it has gone."""

    @property
    def asks_first(self) -> bool:
        """Whether the gateway must be asked for it before it is sent again."""
        return bool(self.unknown_before) and doubt.step(self.policy, self.can_ask, self.unknown_before) == "ask"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A due message that ended without a call: no usable address, no fitting text, or no longer of use."""

    id: int
    state: str
    error: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one claim brought. `postponed`: how many did not fit into the day's budget, or are part of a flood."""

    claimed: list[Claimed]
    skipped: list[Skipped]
    postponed: int = 0

    def __len__(self) -> int:
        return len(self.claimed) + len(self.skipped) + self.postponed


_CLAIM = text(
    """
    WITH due AS MATERIALIZED (
        SELECT id, state, gateway, next_attempt_at FROM message
        WHERE channel = :channel AND state IN ('pending', 'unknown') AND next_attempt_at <= :at AND expires_at > :at
          AND (state = 'pending' OR gateway IS NULL OR gateway = ANY(:usable))
          AND NOT EXISTS (SELECT FROM sending_stop WHERE channel = :channel)
        ORDER BY priority, next_attempt_at, id LIMIT :size FOR UPDATE SKIP LOCKED)
    UPDATE message AS m
    SET state = 'sending', attempts = m.attempts + 1, claim = gen_random_uuid(), lease_until = :lease_until,
        gateway = CASE WHEN due.gateway = ANY(:usable) THEN due.gateway ELSE :first END
    FROM due WHERE m.id = due.id
    RETURNING m.id, m.key, m.template, m.channel, m.language, m.priority, m.case_id, m.officer_id, m.address_sealed, m.params,
              m.subject, m.body, m.attempts, m.claim, m.gateway, m.segments, m.provider_reference, m.created_at,
              due.next_attempt_at AS due_at, due.state AS was
    """
)

_HISTORY = text(
    """
    SELECT a.message_id, count(*) FILTER (WHERE a.outcome = 'unknown' OR a.outcome IS NULL) AS unknown,
           count(*) FILTER (WHERE a.outcome = 'temporary') AS temporary
    FROM attempt AS a WHERE a.message_id = ANY(:ids) GROUP BY a.message_id
    """
).bindparams(bindparam("ids", type_=ARRAY(BIGINT)))

_WRITE = text(
    """
    UPDATE message AS m SET subject = w.subject, body = w.body, segments = w.segments
    FROM unnest(CAST(:ids AS bigint[]), CAST(:subjects AS text[]), CAST(:bodies AS text[]), CAST(:segments AS smallint[]))
         AS w (id, subject, body, segments)
    WHERE m.id = w.id
    """
)

_END = text(
    """
    UPDATE message AS m SET state = e.state, error = e.error, ended_at = :at, claim = NULL, lease_until = NULL,
        attempts = m.attempts - 1
    FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:errors AS text[])) AS e (id, state, error)
    WHERE m.id = e.id
    """
)

# Nobody was called: the row is as before the claim, but for when it is due.
_HAND_BACK = text(
    """
    UPDATE message AS m SET state = b.state, claim = NULL, lease_until = NULL, attempts = m.attempts - 1,
        gateway = CASE WHEN b.state = 'unknown' THEN m.gateway END,
        error = coalesce(CAST(:error AS text), m.error), next_attempt_at = :due_at
    FROM unnest(CAST(:ids AS bigint[]), CAST(:claims AS uuid[]), CAST(:states AS text[])) AS b (id, claim, state)
    WHERE m.id = b.id AND m.claim = b.claim AND m.state = 'sending'
    RETURNING m.id
    """
)

_RELEASE = text(
    """
    INSERT INTO attempt (message_id, number, gateway, segments, started_at, detail)
    SELECT r.id, r.number, r.gateway, r.segments, :at, r.detail
    FROM unnest(CAST(:ids AS bigint[]), CAST(:claims AS uuid[]), CAST(:numbers AS smallint[]), CAST(:gateways AS text[]),
                CAST(:segments AS smallint[]), CAST(:details AS text[])) AS r (id, claim, number, gateway, segments, detail)
    JOIN message AS m ON m.id = r.id AND m.claim = r.claim AND m.state = 'sending'
    ON CONFLICT (message_id, number) DO UPDATE SET started_at = excluded.started_at WHERE attempt.finished_at IS NULL
    RETURNING message_id
    """
)

# Only under a claim that is still ours: after it the next sender's attempt may bear the same number.
_UNDO_RELEASE = text(
    """
    DELETE FROM attempt AS a
    USING unnest(CAST(:ids AS bigint[]), CAST(:claims AS uuid[]), CAST(:numbers AS smallint[])) AS u (id, claim, number),
          message AS m
    WHERE a.message_id = u.id AND a.number = u.number AND a.finished_at IS NULL AND m.id = u.id AND m.claim = u.claim
    """
)

_ABANDON = text(
    """
    WITH lost AS MATERIALIZED (
        SELECT id FROM message WHERE channel = :channel AND state = 'sending' AND lease_until < :at FOR UPDATE SKIP LOCKED),
    told AS (
        SELECT id, EXISTS (SELECT FROM attempt AS a JOIN message AS m ON m.id = a.message_id
                           WHERE a.message_id = lost.id AND a.number = m.attempts) AS was_called,
               EXISTS (SELECT FROM attempt AS a
                       WHERE a.message_id = lost.id AND (a.outcome IS NULL OR a.outcome = 'unknown')) AS is_in_doubt
        FROM lost)
    UPDATE message AS m SET claim = NULL, lease_until = NULL,
        state = CASE WHEN told.is_in_doubt THEN 'unknown' ELSE 'pending' END,
        gateway = CASE WHEN told.is_in_doubt THEN m.gateway END,
        attempts = m.attempts - CASE WHEN told.was_called THEN 0 ELSE 1 END,
        next_attempt_at = CASE WHEN NOT told.was_called OR m.channel <> 'sms' THEN CAST(:at AS timestamptz)
                               WHEN m.gateway = ANY(:can_ask) THEN m.lease_until + :ask_wait
                               ELSE m.lease_until + :patience END
    FROM told WHERE m.id = told.id
    """
)


def recover(session: Session, channel: Channel, at: datetime, can_ask: Collection[str] = ()) -> int:
    """Free claims whose lease has run out: their sender was killed or frozen. Returns how many.

    Where a call may have been made the message becomes `unknown`; `can_ask` are the gateways that can tell.
    """
    given = {"channel": channel, "at": at, "patience": REPORT_PATIENCE, "ask_wait": ASK_WAIT, "can_ask": list(can_ask)}
    return int(session.execute(_ABANDON, given).rowcount)  # type: ignore[attr-defined]


def claim(session: Session, keyring: Keyring, terms: Terms, at: datetime, size: int) -> Batch:
    """Claim the most urgent due messages of a channel, write their texts and count their cost; the caller commits.

    A constant number of statements however many they are.
    """
    given = {"channel": terms.channel, "at": at, "lease_until": at + terms.lease, "size": size}
    usable = {"usable": list(terms.gateways), "first": terms.gateways[0]}
    rows = session.execute(_CLAIM, {**given, **usable}).all()
    if not rows:
        return Batch([], [])
    rows = sorted(rows, key=lambda row: (row.priority, row.due_at, row.id))
    reader = _Reader(session, keyring, terms, rows, at)
    read = [reader.draft(row) for row in rows]
    skipped = [each for each in read if isinstance(each, Skipped)]
    drafts = [each for each in read if isinstance(each, Claimed)]
    if skipped:
        columns = {"ids": "id", "states": "state", "errors": "error"}
        session.execute(_END, {"at": at, **{name: [getattr(s, c) for s in skipped] for name, c in columns.items()}})
    verdict = floods.judge(session, reader.fresh, terms.per_recipient, at)
    waiting = [draft for draft in drafts if draft.id in verdict.waiting]
    last = [draft for draft in drafts if draft.id in verdict.last]
    if waiting or last:
        _back(session, waiting, budgets.next_day(at, terms.is_quiet_at_night), "recipient-has-enough")
        _back(session, last, at, "goes-last")
        drafts = [draft for draft in drafts if draft.id not in verdict.waiting | verdict.last]
    written = [each for each in reader.written if each[0] not in verdict.waiting]
    if written:
        names = ("ids", "subjects", "bodies", "segments")
        session.execute(_WRITE, dict(zip(names, map(list, zip(*written, strict=True)), strict=True)))
    if terms.channel != "sms":
        return Batch(drafts, skipped, len(waiting))
    fits = budgets.take(session, terms.budget, at, [draft.cost for draft in drafts])
    over = [draft for draft, fit in zip(drafts, fits, strict=True) if not fit]
    if over:
        _back(session, over, budgets.next_day(at, terms.is_quiet_at_night), "budget-spent")
    return Batch(
        [draft for draft, fit in zip(drafts, fits, strict=True) if fit], skipped, len(over) + len(waiting) + len(last)
    )


def hand_back(session: Session, claims: Sequence[Claimed], at: datetime) -> None:
    """Give up claims for which nobody was called: at once due again, at no cost, without a trace; the caller commits."""
    if claims:
        columns = {"ids": "id", "claims": "claim", "numbers": "number"}
        session.execute(_UNDO_RELEASE, {name: [getattr(c, column) for c in claims] for name, column in columns.items()})
        free = _back(session, claims, at, None)
        budgets.give_back(session, [(claimed.day, claimed.cost) for claimed in claims if claimed.id in free])


def release(session: Session, claims: Sequence[Claimed], at: datetime) -> list[Claimed]:
    """Write the attempts of claims that are called for as soon as this is committed; returns those that still are ours.

    One that is there already was written by us, in a commit of which we heard no more.
    """
    if not claims:
        return []
    given = {
        "at": at,
        "ids": [claimed.id for claimed in claims],
        "claims": [claimed.claim for claimed in claims],
        "numbers": [claimed.number for claimed in claims],
        "gateways": [claimed.gateway for claimed in claims],
        "segments": [claimed.cost.segments for claimed in claims],
        "details": [("ask" if each.asks_first else RESEND) if each.unknown_before else None for each in claims],
    }
    ours = set(session.execute(_RELEASE, given).scalars())
    return [claimed for claimed in claims if claimed.id in ours]


def _back(session: Session, claims: Sequence[Claimed], due_at: datetime, error: str | None) -> set[int]:
    given = {
        "ids": [claimed.id for claimed in claims],
        "claims": [claimed.claim for claimed in claims],
        "states": ["unknown" if claimed.unknown_before else "pending" for claimed in claims],
        "due_at": due_at,
        "error": error,
    }
    return set(session.execute(_HAND_BACK, given).scalars())


class _Reader:
    """Everything a batch of claimed rows needs to become letters, read in a few statements."""

    def __init__(
        self, session: Session, keyring: Keyring, terms: Terms, rows: Sequence[Row[Any]], at: datetime
    ) -> None:
        self._keyring, self._terms, self._at = keyring, terms, at
        self.written: list[tuple[int, str | None, str | None, int | None]] = []
        self.fresh: list[Fresh] = []
        tried = [row.id for row in rows if row.attempts > 1]
        self._history = {h.message_id: h for h in session.execute(_HISTORY, {"ids": tried})} if tried else {}
        temporary = {row.case_id for row in rows if (e := CATALOGUE.get(row.template)) and e.only_while_open}
        cases = select(Case.id).where(Case.id.in_(temporary - {None}), ~Case.is_open)
        self._ended = set(session.scalars(cases)) if temporary - {None} else set()
        ids = {row.officer_id for row in rows if row.officer_id is not None}
        officers = select(Officer.id, Officer.is_active, Officer.email, Officer.phone).where(Officer.id.in_(ids))
        self._officers = {officer.id: officer for officer in session.execute(officers)} if ids else {}
        self._codes = codes.opened(session, keyring, [row for row in rows if row.template == TRACK_CODE], at)
        digest_ids = [row.id for row in rows if row.template == DIGEST]
        self._digests = digests.write(session, digest_ids, at) if digest_ids else {}

    def draft(self, row: Row[Any]) -> Claimed | Skipped:
        """The letter of a row, or why there is none."""
        entry = CATALOGUE.get(row.template)
        if entry is None:
            return Skipped(row.id, "failed", "template-unknown")
        channel, history = self._terms.channel, self._history.get(row.id)
        unknown = history.unknown if history else 0
        policy, can_ask = doubt.policy_of(entry, channel), row.gateway in self._terms.can_ask
        if unknown and doubt.step(policy, can_ask, unknown) == "hold":
            return Skipped(row.id, "held", "answer-unknown")
        if entry.only_while_open and row.case_id in self._ended:
            return Skipped(row.id, "expired", "no-longer-needed")
        params = row.params
        if row.id in self._digests:
            if (gathered := self._digests[row.id]) is None:
                return Skipped(row.id, "expired", "no-longer-needed")
            params = gathered
        if entry.key == TRACK_CODE:
            if row.id not in self._codes:
                return Skipped(row.id, "expired", "no-longer-needed")
            params = {**params, "code": self._codes[row.id]}
        address, why = self._address(row)
        if address is None:
            return Skipped(row.id, "failed", why)
        written = self._text(row, entry, params)
        if isinstance(written, str):
            return Skipped(row.id, "failed", written)
        is_set_back = row.priority > entry.priority
        if row.officer_id is None and row.body is None and row.attempts == 1 and not is_set_back:
            self.fresh.append(Fresh(row.id, entry.key, address, channel))
        letter = Letter(
            reference=reference_of(row),
            address=address,
            language=row.language,
            subject=written.subject,
            body=written.body,
            created_at=row.created_at,
            report_url=self._terms.report_url(row.id, row.gateway) if channel == "sms" else None,
            provider_reference=row.provider_reference,
            return_path=self._terms.return_path(row.id) if channel == "email" else None,
        )
        return Claimed(
            id=row.id,
            claim=row.claim,
            number=row.attempts,
            channel=channel,
            gateway=row.gateway,
            policy=policy,
            can_ask=can_ask,
            unknown_before=unknown,
            temporary_before=history.temporary if history else 0,
            day=dhaka_date(self._at),
            cost=Cost(
                measure(written.body).parts if channel == "sms" else 0, budgets.is_reserved(entry) and not is_set_back
            ),
            letter=letter,
            code_id=params.get("track_code_id"),
        )

    def _address(self, row: Row[Any]) -> tuple[str | None, str]:
        """The address to send to, or None and why there is none. Officers' is the one on file now."""
        if row.officer_id is not None:
            officer = self._officers[row.officer_id]
            if not officer.is_active:
                return None, "recipient-inactive"
            address = officer.email if row.channel == "email" else officer.phone
        else:
            try:
                address = self._keyring.open(row.address_sealed or b"", address_context(row.key))
            except CannotOpen:
                return None, "address-unreadable"
        if not address:
            return None, "address-missing"
        if row.channel == "sms" and not is_sendable_mobile(address):
            return (
                None,
                "number-not-allowed",
            )  # asked again here, whatever is in the table: a premium number costs money
        return address, ""

    def _text(self, row: Row[Any], entry: Entry, params: dict[str, Any]) -> rendering.Text | str:
        """Subject and body, written into the row at the first attempt so that all attempts say the same; or the fault.

        The cap of parts holds for a text that was written earlier, too: by another release, or under another PUBLIC_URL.
        """
        channel = self._terms.channel
        if row.body is not None:
            written = rendering.Text(row.subject, row.body)
        else:
            try:
                written = rendering.render(entry, channel, row.language, params, self._terms.public_url)
            except (rendering.CannotRender, KeyError) as error:
                return getattr(error, "code", "message-cannot-render")
        parts = measure(written.body).parts if channel == "sms" else None
        if parts is not None and parts > entry.sms_parts:
            return "sms-too-long"
        if not entry.keeps_text:
            self.written.append((row.id, None, None, parts))
        elif row.body is None or row.segments != parts:
            self.written.append((row.id, written.subject, written.body, parts))
        return written


def reference_of(message: Any) -> str:
    """Our name for a message at a provider: the same for every attempt, never the same for two messages, wherever kept."""
    digest = hashlib.sha256(f"{message.key} {message.created_at.isoformat()}".encode()).hexdigest()
    return f"grm.{message.id}.{digest[:16]}"


_END_OVERDUE = text(
    """
    WITH over AS MATERIALIZED (
        SELECT id FROM message
        WHERE ended_at IS NULL AND expires_at <= :at AND (state <> 'sending' OR lease_until < :at) FOR UPDATE SKIP LOCKED)
    UPDATE message AS m SET claim = NULL, lease_until = NULL, ended_at = :at,
        state = CASE WHEN state IN ('unknown', 'sending') THEN 'held' ELSE 'expired' END,
        error = CASE WHEN state IN ('unknown', 'sending') THEN 'answer-unknown'
                     WHEN state = 'accepted' THEN 'no-delivery-report'
                     ELSE concat_ws(': ', 'too-late', error) END
    FROM over WHERE m.id = over.id
    RETURNING m.state
    """
)


def end_overdue(session: Session, at: datetime) -> Counter[str]:
    """End every message whose life is over and that nobody holds a claim on; returns how many ended in each state."""
    return Counter(session.execute(_END_OVERDUE, {"at": at}).scalars())
