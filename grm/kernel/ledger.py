"""Which database this is, and whether it is still the one that messages were sent from.

A copy restored from a backup does not know what was sent after the backup was taken, and would send it again. So the
database keeps a note of its own identity: the cluster, the database in it, and the timeline of its log. A dump restored
elsewhere, or into a fresh database beside the old one, brings the old note along; so does a recovery to a point in time, or a
standby that took over and may lack the last moments. Where note and fact differ nothing is sent until an operator has said how
old the copy is (`flask restore-finish`, ADR 0019).
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from grm.kernel.db import Model, Small


class LedgerMark(Model):
    """The one note: who this database was when it last sent a message. Absent until then."""

    __tablename__ = "ledger_mark"
    __table_args__ = (CheckConstraint("id = 1", "one_row"),)

    id: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False)
    system_identifier: Mapped[int] = mapped_column(BigInteger)
    database_oid: Mapped[int] = mapped_column(BigInteger)
    timeline: Mapped[str]
    noted_at: Mapped[datetime]


_FACT = text(
    """
    SELECT (pg_control_system()).system_identifier AS system_identifier,
           (SELECT oid::bigint FROM pg_database WHERE datname = current_database()) AS database_oid,
           left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) AS timeline
    """
)


def is_the_same(session: Session, now: datetime) -> bool:
    """Whether this is the database that sent last; the first time it is asked, it notes who it is (two statements)."""
    fact = session.execute(_FACT).one()._asdict()
    mark = session.execute(
        select(LedgerMark.system_identifier, LedgerMark.database_oid, LedgerMark.timeline)
    ).one_or_none()
    if mark is None:
        _write(session, fact, now)
        return True
    return mark._asdict() == fact


def note_identity(session: Session, now: datetime) -> None:
    """Take this database for the true one from now on; the caller commits."""
    _write(session, session.execute(_FACT).one()._asdict(), now)


def _write(session: Session, fact: dict[str, object], now: datetime) -> None:
    values = {**fact, "noted_at": now}
    statement = insert(LedgerMark).values(id=1, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
