"""Canned texts: something to begin a letter with, in both languages, of one office or of all.

They are reference data: read once per process and edition, so that no page asks the database for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases.closing_models import CannedReply
from grm.cases.models import Case
from grm.cases.states import Action
from grm.kernel import tracking_number
from grm.offices.edition import per_edition
from grm.offices.queries import directory
from grm.web.locale import speaking
from grm.web.presentation import name, show_date

PLACEHOLDERS = ("tracking_number", "office", "due_on", "filed_on", "programme", "category")
"""What a text may name in braces; it is written in the complainant's language when the text is inserted."""

FITS: dict[Action, tuple[str, str]] = {
    Action.ASK: ("question", "ask"),
    Action.WRITE: ("letter", "write"),
    Action.RESOLVE: ("reply", "resolve"),
    Action.RECOMMEND: ("reply", "resolve"),
    Action.COMPLY: ("reply", "resolve"),
    Action.DECLINE: ("reply", "decline"),
}
"""Into which field of an act's form a text is inserted, and for which use the texts are that fit there."""


@dataclass(frozen=True, slots=True)
class Canned:
    """A canned text in force; without office or category it is for all of them."""

    id: int
    office_id: int | None
    category_id: int | None
    used_for: str
    title_bn: str
    title_en: str
    text_bn: str
    text_en: str

    @property
    def name_bn(self) -> str:
        """Its title, as directory entries have names."""
        return self.title_bn

    @property
    def name_en(self) -> str:
        """Its title in English."""
        return self.title_en

    def is_for(self, case: Case, use: str | None = None) -> bool:
        """Whether it may be inserted into a letter about a case, for a use if given."""
        return (
            self.office_id in (None, case.office_id)
            and self.category_id in (None, case.category_id)
            and (use is None or self.used_for in ("any", use))
        )


@per_edition
def in_force(session: Session) -> tuple[Canned, ...]:
    """All canned texts that are not retired, an office's own before the general ones."""
    rows = session.scalars(
        select(CannedReply)
        .where(CannedReply.retired_at.is_(None))
        .order_by(CannedReply.office_id.is_(None), CannedReply.title_en, CannedReply.id)
    )
    return tuple(
        Canned(r.id, r.office_id, r.category_id, r.used_for, r.title_bn, r.title_en, r.text_bn, r.text_en) for r in rows
    )


def offered(session: Session, case: Case, action: Action) -> tuple[Canned, ...]:
    """The texts to choose from for an act on a case."""
    if action not in FITS:
        return ()
    return tuple(each for each in in_force(session) if each.is_for(case, FITS[action][1]))


def chosen(session: Session, case: Case, action: Action, canned_id: int | None) -> str:
    """A text as it is inserted: in the complainant's language, its placeholders filled. Empty if it is not offered here."""
    found = next((each for each in offered(session, case, action) if each.id == canned_id), None)
    return _filled(session, case, found) if found is not None else ""


def texts_here(session: Session, case: Case) -> tuple[str, ...]:
    """Every text that could have been inserted here, as it would read."""
    return tuple(_filled(session, case, each) for each in in_force(session) if each.is_for(case))


def placeholders_of(text: str) -> set[str] | None:
    """The names in braces that a text holds; None where braces are left open or hold more than a name."""
    found: set[str] = set()
    try:
        for _, field, spec, conversion in Formatter().parse(text):
            if field is not None:
                if spec or conversion or not field:
                    return None
                found.add(field)
    except ValueError:
        return None
    return found


def _filled(session: Session, case: Case, text: Canned) -> str:
    body = text.text_bn if case.language == "bn" else text.text_en
    return body.format_map(_values(session, case))


def _values(session: Session, case: Case) -> Mapping[str, str]:
    book = directory(session)
    with speaking(case.language):
        return {
            "tracking_number": tracking_number.display(case.tracking_number),
            "office": name(book.office(case.office_id)),
            "due_on": show_date(case.due_on),
            "filed_on": show_date(case.received_on),
            "programme": name(book.programme(case.programme_id)) if case.programme_id is not None else "–",
            "category": name(book.category(case.category_id)),
        }
