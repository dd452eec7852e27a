"""Is the history what it was? Walks every chain in the order of its index, in constant memory, on one snapshot.

A case's chain must end in the length and hash that the case row repeats, an audit stream in those of `audit_head`;
every free text must fit the commitment in its event unless it was erased, and nothing may be left over or missing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, select, text

from grm.cases import history
from grm.cases.models import Case, CaseEvent, CaseText
from grm.kernel import chain
from grm.kernel.audit import AuditEntry, AuditHead, record_of

ROWS_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Fault:
    """The first bad row of a chain: where it is (`case 7K3M… event 2`, table and row id if there is one) and what is wrong."""

    where: str
    why: str


@dataclass
class Tally:
    """How much was looked at."""

    cases: int = 0
    events: int = 0
    texts: int = 0
    entries: int = 0


class _Seen:
    """Rows passing by: how many there were and which was the last, so that no chain need be held in memory."""

    def __init__(self, rows: Iterable[Row[Any]]) -> None:
        self._rows = rows
        self.count = 0
        self.last: Any = None

    def __iter__(self) -> Iterator[Row[Any]]:
        for row in self._rows:
            self.count += 1
            self.last = row
            yield row


def faults(connection: Connection, tally: Tally) -> Iterator[Fault]:
    """Every fault found, the first of each chain; `tally` counts along. The caller gives a read-only snapshot."""
    yield from _case_chains(connection, tally)
    yield from _left_over(connection)
    yield from _texts(connection, tally)
    yield from _audit_streams(connection, tally)


_WHY = {
    "previous": "does not follow the event before it: one was removed, inserted or moved",
    "record": "does not fit its hash: it was changed or moved",
}
_CUT = "entries at the end are missing or were added"


def _case_chains(connection: Connection, tally: Tally) -> Iterator[Fault]:
    statement = (
        select(
            Case.id.label("case_id"),
            Case.tracking_number,
            Case.history_length,
            Case.history_head,
            *(getattr(CaseEvent, name) for name in _EVENT_COLUMNS),
        )
        .outerjoin(CaseEvent, CaseEvent.case_id == Case.id)
        .order_by(Case.id, CaseEvent.seq)
    )
    for _, group in groupby(_stream(connection, statement), key=attrgetter("case_id")):
        seen = _Seen(group)
        fault = chain.first_bad(
            chain.ChainRow(
                history.record_of(
                    row.tracking_number, row.seq, row.kind, row.at, row.actor_kind, row.actor_id, row.data
                ),
                row.previous_hash,
                row.hash,
            )
            for row in seen
            if row.id is not None
        )
        last = seen.last
        count = seen.count if last.id is not None else 0
        tally.cases += 1
        tally.events += count
        case = f"case {last.tracking_number}"
        if fault is not None:
            yield Fault(f"{case} event {last.seq} (case_event {last.id})", _WHY[fault.why])
        elif count != last.history_length:
            yield Fault(
                f"{case} after event {count}",
                f"the history has {count} events, but the case row says {last.history_length}",
            )
        elif count and last.hash != last.history_head:
            yield Fault(f"{case} after event {count}", "the case row says that the history ended differently")


_EVENT_COLUMNS = ("id", "seq", "kind", "at", "actor_kind", "actor_id", "data", "previous_hash", "hash")


def _left_over(connection: Connection) -> Iterator[Fault]:
    orphan = connection.execute(
        select(CaseEvent.id, CaseEvent.case_id, CaseEvent.seq)
        .outerjoin(Case, Case.id == CaseEvent.case_id)
        .where(Case.id.is_(None))
        .order_by(CaseEvent.id)
        .limit(1)
    ).first()
    if orphan is not None:
        yield Fault(f"case_event {orphan.id}", f"the case of this event (id {orphan.case_id}) is gone")
    # Submissions cannot be removed but by force; the table belongs to intake, which is above this package.
    lost = connection.execute(
        text(
            "SELECT s.id FROM submission s LEFT JOIN cases c ON c.submission_id = s.id "
            "WHERE c.id IS NULL ORDER BY s.id LIMIT 1"
        )
    ).first()
    if lost is not None:
        yield Fault(f"submission {lost.id}", "the case of this submission is gone")
    # The first event commits to the form as it was received.
    changed = connection.execute(
        text(
            "SELECT s.id, c.tracking_number FROM case_event e JOIN cases c ON c.id = e.case_id "
            "JOIN submission s ON s.id = c.submission_id WHERE e.seq = 1 AND e.data ? 'submission' "
            "AND encode(sha256(s.sealed), 'hex') <> e.data ->> 'submission' ORDER BY s.id LIMIT 1"
        )
    ).first()
    if changed is not None:
        yield Fault(f"case {changed.tracking_number} submission {changed.id}", "the form as received was changed")


def _texts(connection: Connection, tally: Tally) -> Iterator[Fault]:
    promised = CaseEvent.data["texts"][CaseText.field].astext
    statement = (
        select(CaseText.id, CaseText.seq, CaseText.field, CaseText.body, CaseText.salt, Case.tracking_number)
        .add_columns(promised.label("promised"))
        .outerjoin(CaseEvent, and_(CaseEvent.case_id == CaseText.case_id, CaseEvent.seq == CaseText.seq))
        .outerjoin(Case, Case.id == CaseText.case_id)
        .order_by(CaseText.case_id, CaseText.seq, CaseText.field)
    )
    for row in _stream(connection, statement):
        tally.texts += 1
        where = f"case {row.tracking_number} event {row.seq} {row.field} (case_text {row.id})"
        if row.promised is None:
            yield Fault(where, "no event speaks of this text")
        elif row.body is not None and chain.commitment(row.salt, row.body) != row.promised:
            yield Fault(where, "the text does not fit what its event committed to: it was changed")
    names = func.jsonb_object_keys(CaseEvent.data["texts"]).table_valued("name").lateral()
    missing = (
        select(Case.tracking_number, CaseEvent.seq, names.c.name)
        .select_from(CaseEvent)
        .join(names, CaseEvent.data.has_key("texts"))
        .join(Case, Case.id == CaseEvent.case_id)
        .outerjoin(
            CaseText,
            and_(CaseText.case_id == CaseEvent.case_id, CaseText.seq == CaseEvent.seq, CaseText.field == names.c.name),
        )
        .where(CaseEvent.data.has_key("texts"), CaseText.id.is_(None))
        .order_by(CaseEvent.case_id, CaseEvent.seq)
        .limit(1)
    )
    for row in connection.execute(missing):
        yield Fault(f"case {row.tracking_number} event {row.seq} {row.name}", "the text of this event is gone")


def _audit_streams(connection: Connection, tally: Tally) -> Iterator[Fault]:
    heads = {row.stream: row for row in connection.execute(select(AuditHead.stream, AuditHead.length, AuditHead.head))}
    statement = select(*AuditEntry.__table__.columns).order_by(AuditEntry.stream, AuditEntry.seq)
    for stream, rows in groupby(_stream(connection, statement), key=attrgetter("stream")):
        head = heads.pop(stream, None)
        seen = _Seen(rows)
        fault = chain.first_bad(chain.ChainRow(record_of(row), row.previous_hash, row.hash) for row in seen)
        if fault is not None:
            yield Fault(f"audit stream {stream} entry {seen.last.seq} (audit_entry {seen.last.id})", _WHY[fault.why])
        elif head is None or (head.length, head.head) != (seen.count, seen.last.hash):
            yield Fault(f"audit stream {stream} after entry {seen.count}", _CUT)
        tally.entries += seen.count
    for stream in heads:
        yield Fault(f"audit stream {stream} after entry 0", _CUT)


def _stream(connection: Connection, statement: Select[*tuple[Any, ...]]) -> Iterator[Row[Any]]:
    return iter(connection.execution_options(yield_per=ROWS_AT_ONCE).execute(statement))
