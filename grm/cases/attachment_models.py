"""Files that belong to a case, or to a form that will be one."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model, one_of

STATES = ("stored", "quarantined", "infected", "missing")


class Attachment(Model):
    """One stored file (`grm/files/store.py`), attached by the event ``seq`` of the case, which holds its hash as well.

    ``stored_name`` is random; ``name_sealed`` is what the sender called it, None in an anonymous case. ``sha256`` is of the
    copy that is kept. Only what is `stored` is ever served: a `quarantined` file waits for the scanner, an `infected` one is
    deleted, and of a `missing` one the file is gone or differs. ``officer_id`` is None where the complainant handed it in.
    """

    __tablename__ = "attachment"
    __table_args__ = (
        CheckConstraint(one_of("state", STATES), "state_known"),
        CheckConstraint("size > 0", "has_content"),
        CheckConstraint("length(sha256) = 32", "hash_whole"),
        CheckConstraint("(state = 'infected') = (finding IS NOT NULL)", "infected_says_with_what"),
        ForeignKeyConstraint(
            ["case_id", "seq"], ["case_event.case_id", "case_event.seq"], name="fk__attachment__case_id_seq"
        ),
        UniqueConstraint("case_id", "sha256"),
        Index("ix__attachment__to_scan", "id", postgresql_where=text("scanned_at IS NULL AND state <> 'missing'")),
    )

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    seq: Mapped[int]
    stored_name: Mapped[str] = mapped_column(unique=True)
    name_sealed: Mapped[bytes | None]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[bytes]
    state: Mapped[str]
    is_for_complainant: Mapped[bool]
    taken_out: Mapped[list[str]]
    attached_at: Mapped[datetime]
    officer_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))
    scanned_at: Mapped[datetime | None]
    finding: Mapped[str | None]


class DraftFile(Model):
    """A stored file handed in with a form that is not filed yet, under the hash of the form's token (`Draft.token_hash`).

    The columns are those of `Attachment`, which it becomes in the statement that files the form; its name is sealed to the
    same context. Nobody can open it before that, so what waits for the scanner goes on waiting as an attachment.
    """

    __tablename__ = "draft_file"
    __table_args__ = (
        CheckConstraint(one_of("state", ("stored", "quarantined")), "state_known"),
        CheckConstraint("size > 0", "has_content"),
        CheckConstraint("length(sha256) = 32", "hash_whole"),
        UniqueConstraint("token_hash", "sha256"),
        Index(None, "added_at"),
    )

    id: Mapped[Id]
    token_hash: Mapped[bytes]
    stored_name: Mapped[str] = mapped_column(unique=True)
    name_sealed: Mapped[bytes | None]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[bytes]
    state: Mapped[str]
    taken_out: Mapped[list[str]]
    added_at: Mapped[datetime]
    scanned_at: Mapped[datetime | None]
