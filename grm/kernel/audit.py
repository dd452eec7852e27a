"""The audit trail of what is not an act on one case: sign-ins, exports, views of sensitive cases, configuration changes.

Rows are hash-chained per stream (`grm/kernel/chain.py`); a trigger forbids update, delete and truncate.
Acts on a case are in that case's own history (`grm/cases/history.py`).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, UniqueConstraint, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from grm.kernel import chain
from grm.kernel.actor import Actor
from grm.kernel.db import Id, Model

GENESIS = b"\0" * 32


class AuditEntry(Model):
    """One recorded fact of a stream, chained to the one before."""

    __tablename__ = "audit_entry"
    __table_args__ = (UniqueConstraint("stream", "seq"),)

    id: Mapped[Id]
    stream: Mapped[str]
    seq: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    data: Mapped[dict[str, Any]]
    previous_hash: Mapped[bytes]
    hash: Mapped[bytes]


class AuditHead(Model):
    """The end of a stream, kept apart from it so that a cut tail shows."""

    __tablename__ = "audit_head"

    stream: Mapped[str] = mapped_column(primary_key=True)
    length: Mapped[int] = mapped_column(BigInteger)
    head: Mapped[bytes]


def record_of(entry: Any) -> dict[str, Any]:
    """Return the content of an entry (or of its row) that its hash covers."""
    return {
        "stream": entry.stream,
        "seq": entry.seq,
        "kind": entry.kind,
        "at": entry.at,
        "actor_kind": entry.actor_kind,
        "actor_id": entry.actor_id,
        "data": entry.data,
    }


def record(session: Session, stream: str, kind: str, actor: Actor, now: datetime, **data: Any) -> AuditEntry:
    """Append one entry to a stream, within the caller's transaction; entries of a stream are written one at a time."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": "audit:" + stream})
    last = session.execute(
        select(AuditEntry.seq, AuditEntry.hash)
        .where(AuditEntry.stream == stream)
        .order_by(AuditEntry.seq.desc())
        .limit(1)
    ).one_or_none()
    seq, previous = (last.seq + 1, last.hash) if last else (1, GENESIS)
    entry = AuditEntry(
        stream=stream,
        seq=seq,
        kind=kind,
        at=now,
        actor_kind=actor.kind,
        actor_id=actor.officer_id,
        data=data,
        previous_hash=previous,
    )
    entry.hash = chain.row_hash(previous, record_of(entry))
    session.add(entry)
    session.flush()
    end = {"length": seq, "head": entry.hash}
    upsert = insert(AuditHead).values(stream=stream, **end)
    session.execute(upsert.on_conflict_do_update(index_elements=["stream"], set_=end))
    return entry
