"""Files that are prepared in the background, and the pieces they are stored in."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model, one_of

FORMATS = ("csv", "xlsx", "pdf")
STATES = ("queued", "running", "done", "failed", "cancelled", "expired")
OPEN = ("queued", "running")


class ExportJob(Model):
    """One file asked for. Whoever makes it holds ``claim`` until ``lease_until``; who loses it stops, and another begins anew.

    ``sight`` is what the officer was entitled to see when it was made (`grm/exports/sight.py`); ``as_of`` the instant of its
    figures; ``error`` a code, worded in `grm/exports/wording.py`. The row is kept after the file has gone.
    """

    __tablename__ = "export_job"
    __table_args__ = (
        CheckConstraint(one_of("format", FORMATS), "format_known"),
        CheckConstraint(one_of("state", STATES), "state_known"),
        CheckConstraint("language IN ('bn', 'en')", "language_known"),
        CheckConstraint("(state IN ('queued', 'running')) = (finished_at IS NULL)", "finished_has_instant"),
        CheckConstraint("(state = 'running') = (claim IS NOT NULL)", "running_is_claimed"),
        CheckConstraint("(state = 'running') = (lease_until IS NOT NULL)", "running_has_lease"),
        CheckConstraint("(state = 'failed') = (error IS NOT NULL)", "failed_says_why"),
        CheckConstraint("state <> 'done' OR (sight IS NOT NULL AND as_of IS NOT NULL)", "done_says_for_whom"),
        Index("ix__export_job__officer_id_id", "officer_id", "id"),
        Index("ix__export_job__open", "id", postgresql_where=text("state IN ('queued', 'running')")),
        Index(
            "uq__export_job__open",
            *("officer_id", "kind", "format", "language", "query"),
            unique=True,
            postgresql_where=text("state IN ('queued', 'running')"),
        ),
        Index("ix__export_job__finished_at", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
    )

    id: Mapped[Id]
    officer_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("officer.id"))
    kind: Mapped[str]
    format: Mapped[str]
    language: Mapped[str]
    query: Mapped[dict[str, Any]]
    title: Mapped[str]
    row_count: Mapped[int | None]
    state: Mapped[str] = mapped_column(default="queued")
    asked_at: Mapped[datetime]
    claim: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    rows_done: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]
    as_of: Mapped[datetime | None]
    sight: Mapped[dict[str, Any] | None]
    size: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[bytes | None]


class ExportPart(Model):
    """One stored piece of a file; they are sent one after the other, so that no process ever holds a large file whole."""

    __tablename__ = "export_part"
    __table_args__ = (Index("uq__export_part__stored_name", "stored_name", unique=True),)

    job_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("export_job.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    stored_name: Mapped[str]
