"""The files of a case as its page shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Label, func, select

from grm.cases.attachment_models import Attachment
from grm.cases.attachment_serving import opened_name
from grm.cases.models import Case


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file: `name` is empty where it was not kept; `number` counts the files of the case from 1."""

    id: int
    number: int
    seq: int
    name: str
    media_type: str
    size: int
    sha256: str
    state: str
    is_scanned: bool
    is_for_complainant: bool
    is_from_complainant: bool
    taken_out: tuple[str, ...]
    attached_at: datetime

    @property
    def is_theirs(self) -> bool:
        """Whether it is for the complainant to have; as `attachment_serving.is_theirs`."""
        return self.is_from_complainant or self.is_for_complainant

    @property
    def is_served(self) -> bool:
        """Whether it can be opened."""
        return self.state == "stored"


def attachments_column() -> Label[Any]:
    """The files of the case as a JSON column, so that the case page needs no statement of their own for them."""
    return (
        select(
            func.jsonb_agg(
                func.jsonb_build_array(
                    Attachment.id, Attachment.seq, func.encode(Attachment.name_sealed, "hex"), Attachment.stored_name,
                    Attachment.media_type, Attachment.size, func.encode(Attachment.sha256, "hex"), Attachment.state,
                    Attachment.scanned_at.is_not(None), Attachment.is_for_complainant, Attachment.taken_out,
                    Attachment.attached_at, Attachment.officer_id.is_(None),
                )
            )
        )
        .where(Attachment.case_id == Case.id)
        .scalar_subquery()
        .label("attachments")
    )  # fmt: skip


def files_of(rows: Sequence[Sequence[Any]] | None) -> tuple[FileLine, ...]:
    """The files out of `attachments_column`, the oldest first."""
    return tuple(
        FileLine(
            id=row[0],
            number=number,
            seq=row[1],
            name=opened_name(bytes.fromhex(row[2]) if row[2] else None, row[3]),
            media_type=row[4],
            size=row[5],
            sha256=row[6],
            state=row[7],
            is_scanned=row[8],
            is_for_complainant=row[9],
            is_from_complainant=row[12],
            taken_out=tuple(row[10]),
            attached_at=datetime.fromisoformat(row[11]),
        )
        for number, row in enumerate(sorted(rows or (), key=lambda row: int(row[0])), 1)
    )
