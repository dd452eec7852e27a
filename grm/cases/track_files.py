"""Files on the tracking page: what the complainant hands in afterwards, and what they may have."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import attachments, service
from grm.cases.attachment_queries import FileLine, attachments_column, files_of
from grm.cases.attachments import Upload
from grm.cases.content import Content
from grm.cases.models import Case
from grm.cases.states import Action
from grm.kernel.actor import Actor

ACTS = {
    Action.ANSWER: ("answer", service.answer_question),
    Action.ADD_INFORMATION: ("information", service.add_information),
}
"""Acts that may bring files, with the name of their text."""


def hand_in(
    actor: Actor,
    tracking_number: str,
    action: Action,
    text: str,
    uploads: Sequence[Upload],
    *,
    version: int | None = None,
    now: datetime | None = None,
) -> int:
    """Answer or add something, with files; returns the new version. With files the words may be left out.

    `FilesRefused` where some files are not taken: with a `version` the rest is done, without one nothing is. `Unavailable` where
    the store is full.
    """
    field, do = ACTS[action]
    content = Content()
    content.text(field, text, is_required=False)
    content.check()
    attachments.require(actor, tracking_number, action, now)
    return attachments.carry_in(
        actor,
        tracking_number,
        uploads,
        lambda received: do(actor, tracking_number, text, version=version, now=now, files=received),
    )


def theirs(session: Session, tracking_number: str) -> tuple[FileLine, ...]:
    """The files of a case that its complainant may have: handed in by them, or marked so by an officer (one statement)."""
    statement = select(attachments_column()).where(Case.tracking_number == tracking_number)
    lines = files_of(session.execute(statement).scalar_one_or_none())
    return tuple(each for each in lines if each.is_theirs)
