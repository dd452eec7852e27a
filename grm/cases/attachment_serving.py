"""Handing out the files of a case: whole, unchanged, and only to whom they are for."""

import hashlib
from dataclasses import dataclass

import structlog
from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.orm import Session

from grm.cases import permissions, queries
from grm.cases.attachment_models import Attachment
from grm.cases.attachments import name_context, store
from grm.cases.models import Case
from grm.files.kinds import BY_MEDIA_TYPE
from grm.kernel import audit
from grm.kernel.actor import Actor
from grm.kernel.context import keyring
from grm.kernel.errors import GrmError, NotFound, Unavailable
from grm.kernel.transaction import transaction

log = structlog.get_logger("grm.cases.attachments")


@dataclass(frozen=True, slots=True, repr=False)
class Served:
    """A file to hand out."""

    data: bytes
    name: str
    fallback: str
    media_type: str


def file_of(session: Session, actor: Actor, tracking_number: str, attachment_id: int) -> tuple[Case, Served]:
    """A file of a case, for whoever may see the case. Two statements.

    Raises `NotFound` for a case or file that does not exist, that the actor must not know of, or that is not served (the
    complainant has what `is_theirs` says, and an overseer all the rest); `Unavailable` where the stored copy is gone or not the
    one that was attached.
    """
    case, facts = queries.find_case(session, actor, tracking_number)
    whose = true() if permissions.may_have_files_of_complainant(actor, facts) else ~is_theirs()
    row = session.execute(
        select(Attachment).where(
            Attachment.id == attachment_id,
            Attachment.case_id == case.id,
            Attachment.state == "stored",
            is_theirs() if actor.is_complainant else whose,
        )
    ).scalar_one_or_none()
    if row is None:
        raise NotFound
    try:
        data = store().read(row.stored_name)
    except OSError as error:
        log.error("a stored file is missing", attachment_id=row.id)
        raise Unavailable("attachment-damaged") from error
    if hashlib.sha256(data).digest() != row.sha256:
        log.error("a stored file was changed", attachment_id=row.id)
        raise Unavailable("attachment-damaged")
    extension = BY_MEDIA_TYPE[row.media_type].extension
    fallback = f"{case.tracking_number}-{row.id}.{extension}"
    return case, Served(data, opened_name(row.name_sealed, row.stored_name) or fallback, fallback, row.media_type)


def is_theirs() -> ColumnElement[bool]:
    """Whether a file is for the complainant to have: handed in with the complaint or afterwards, or marked so by an officer."""
    return or_(Attachment.officer_id.is_(None), Attachment.is_for_complainant)


def opened_name(sealed: bytes | None, stored_name: str) -> str:
    """What the sender called a file; empty where that was not kept or cannot be read."""
    if sealed is None:
        return ""
    try:
        return keyring().open(sealed, name_context(stored_name))
    except GrmError:
        return ""


def count_of(session: Session, case_id: int) -> int:
    """How many files a case has."""
    return session.execute(select(func.count()).where(Attachment.case_id == case_id)).scalar_one()


def record_view(actor: Actor, tracking_number: str, attachment_id: int) -> None:
    """Note that an officer opened a file of a sensitive case (audit stream `views`)."""
    with transaction() as act:
        data = {"tracking_number": tracking_number, "attachment_id": attachment_id}
        audit.record(act.session, "views", "sensitive-attachment-viewed", actor, act.now, **data)
