"""Writing canned texts: administrators write those for all offices, a grievance redress officer those of the own office.

Each change is a change of reference data: it is recorded, and in force everywhere within seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import canned
from grm.cases.closing_models import CANNED_USES, CannedReply
from grm.cases.content import Content
from grm.kernel import audit
from grm.kernel.actor import Actor
from grm.kernel.errors import GrmError, NotFound
from grm.kernel.text import clean_line
from grm.kernel.transaction import Act, transaction
from grm.offices import edition
from grm.offices.queries import directory

STREAM = "canned-replies"
LONGEST_TITLE = 120


@dataclass(frozen=True, slots=True)
class Written:
    """A canned text as it was typed: the title by which it is chosen, and the text itself, in both languages."""

    title_bn: str
    title_en: str
    text_bn: str
    text_en: str
    used_for: str = "any"
    category: str = ""


def may_write(actor: Actor, office_id: int | None) -> bool:
    """Whether the actor writes the texts of an office (None: of all)."""
    return actor.is_admin if office_id is None else office_id in actor.office_ids("gro")


def save(
    actor: Actor, office_id: int | None, written: Written, canned_id: int | None = None, *, now: datetime | None = None
) -> int:
    """Write a new text of an office (None: of all offices), or change one. Both languages are needed, with the same
    placeholders. Raises `InvalidInput` by field, `NotFound` for what is not the actor's to write. Returns its id."""
    with transaction(now) as act:
        if not may_write(actor, office_id):
            raise NotFound
        values = _checked(act.session, written)
        row = _own(act.session, office_id, canned_id) if canned_id is not None else CannedReply(office_id=office_id)
        for name, value in values.items():
            setattr(row, name, value)
        row.changed_at = act.now
        act.session.add(row)
        return _record(act, actor, row, "Written" if canned_id is None else "Changed")


def retire(
    actor: Actor, office_id: int | None, canned_id: int, is_retired: bool = True, *, now: datetime | None = None
) -> int:
    """Take a text out of use, or back into it. It is never deleted."""
    with transaction(now) as act:
        if not may_write(actor, office_id):
            raise NotFound
        row = _own(act.session, office_id, canned_id)
        row.retired_at = act.now if is_retired else None
        return _record(act, actor, row, "Retired" if is_retired else "Restored")


def texts_of(session: Session, office_id: int | None) -> Sequence[CannedReply]:
    """All texts of an office (None: of all offices), those in use first."""
    of_office = CannedReply.office_id == office_id if office_id is not None else CannedReply.office_id.is_(None)
    order = (CannedReply.retired_at.is_not(None), CannedReply.title_en, CannedReply.id)
    return session.scalars(select(CannedReply).where(of_office).order_by(*order)).all()


def one_of(session: Session, office_id: int | None, canned_id: int) -> CannedReply:
    """One text of an office. Raises `NotFound` for another's."""
    return _own(session, office_id, canned_id)


def _own(session: Session, office_id: int | None, canned_id: int) -> CannedReply:
    row = session.get(CannedReply, canned_id)
    if row is None or row.office_id != office_id:
        raise NotFound
    return row


def _record(act: Act, actor: Actor, row: CannedReply, what: str) -> int:
    row.changed_at, row.changed_by_id = act.now, actor.officer_id
    act.session.flush()
    audit.record(
        *(act.session, STREAM, what, actor, act.now),
        id=row.id,
        office_id=row.office_id,
        **{name: getattr(row, name) for name in ("title_bn", "title_en", "text_bn", "text_en", "used_for")},
    )
    edition.bump(act.session)
    return row.id


def _checked(session: Session, written: Written) -> dict[str, object]:
    content = Content()
    values: dict[str, object] = {"used_for": content.choice("used_for", written.used_for, CANNED_USES)}
    for name in ("title_bn", "title_en"):
        text = clean_line(content.text(name, getattr(written, name)))
        if len(text) > LONGEST_TITLE:
            content.faults[name] = "title-too-long"
        values[name] = text
    named: dict[str, set[str]] = {}
    for name in ("text_bn", "text_en"):
        values[name] = text = content.text(name, getattr(written, name))
        found = canned.placeholders_of(text)
        if found is None or not found <= set(canned.PLACEHOLDERS):
            content.faults.setdefault(name, "placeholder-unknown")
        named[name] = found or set()
    if not content.faults and named["text_bn"] != named["text_en"]:
        content.faults["text_en"] = "placeholders-differ"
    try:
        values["category_id"] = directory(session).category(written.category).id if written.category else None
    except GrmError:
        content.faults["category"] = "choose-one"
    content.check()
    return values
