"""Rows of files that were handed in with a form: as its last page lists them, and as its filing takes them over."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from grm.cases.attachment_models import DraftFile
from grm.cases.attachment_serving import opened_name
from grm.intake.models import Draft


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One file of a form, as its page shows it: `name` is empty where it was not kept; `number` counts from 1."""

    id: int
    number: int
    name: str
    media_type: str
    size: int
    is_waiting: bool
    """Whether the virus scanner has yet to look at it."""


def lines_of(session: Session, token_hash: bytes) -> tuple[DraftLine, ...]:
    """The files of a form that is not filed yet, the oldest first (one statement)."""
    rows = session.execute(
        select(DraftFile.id, DraftFile.name_sealed, DraftFile.stored_name, DraftFile.media_type)
        .add_columns(DraftFile.size, DraftFile.state)
        .where(DraftFile.token_hash == token_hash)
        .order_by(DraftFile.id)
    )
    return tuple(
        DraftLine(
            id=row.id,
            number=number,
            name=opened_name(row.name_sealed, row.stored_name),
            media_type=row.media_type,
            size=row.size,
            is_waiting=row.state == "quarantined",
        )
        for number, row in enumerate(rows, 1)
    )


def lock_draft(session: Session, token_hash: bytes) -> bool:
    """Let no file come to a form, and nobody file it, before the transaction ends; returns whether its draft is still there."""
    held = select(Draft.id).where(Draft.token_hash == token_hash).with_for_update()
    return session.execute(held).one_or_none() is not None


def forget_names(session: Session, token_hash: bytes) -> None:
    """Forget what the files of a form are called: whoever files it wants to stay anonymous now. The caller commits."""
    named = update(DraftFile).where(DraftFile.token_hash == token_hash, DraftFile.name_sealed.is_not(None))
    session.execute(named.values(name_sealed=None))


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a form about to be filed: which rows the filing takes over, and what its first event says of them."""

    ids: tuple[int, ...] = ()
    facts: tuple[dict[str, Any], ...] = ()

    @property
    def data(self) -> dict[str, Any]:
        """For the event; empty without files."""
        return {"files": list(self.facts)} if self.ids else {}


NO_FILES = Files()


def files_to_file(session: Session, token_hash: bytes) -> Files:
    """The files that a filing takes over; until it is done no other comes to the form (two statements)."""
    lock_draft(session, token_hash)
    columns = (DraftFile.id, DraftFile.sha256, DraftFile.media_type, DraftFile.size)
    rows: Sequence[Any] = session.execute(
        select(*columns).where(DraftFile.token_hash == token_hash).order_by(DraftFile.id).with_for_update()
    ).all()
    facts = ({"sha256": row.sha256.hex(), "media_type": row.media_type, "size": row.size} for row in rows)
    return Files(tuple(row.id for row in rows), tuple(facts))
