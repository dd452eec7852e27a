"""What the pages of registers show: columns with their guesses, what the check found, the first rows as they would be filed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grm.intake import batch_store as store
from grm.intake import batch_wording as wording
from grm.intake import choices
from grm.intake.batch_intake import earlier, reader_for
from grm.intake.batch_models import RegisterBatch, RegisterRow
from grm.intake.batch_reading import Reading, meaning_name
from grm.intake.batch_rows import Read
from grm.intake.batch_store import Opened
from grm.intake.desk_roles import desk_seats
from grm.intake.screening import MEDIA, UNKNOWN, Problem
from grm.kernel.actor import Actor
from grm.kernel.text import parse_date
from grm.offices.queries import directory
from grm.web.labels import label
from grm.web.locale import gettext
from grm.web.presentation import name as name_of
from grm.web.presentation import show_date

PREVIEWED = 20
EXAMPLES = 2
LISTED = 50
LONGEST_EXAMPLE = 60


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file: its heading, what stands in its first rows, and what it is taken for."""

    place: int
    heading: str
    examples: Sequence[str]
    chosen: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A name that is in no list, and what it can be taken for."""

    name: str
    """Of the form's field."""
    column: str
    typed: str
    count: int
    options: Sequence[tuple[str, str]]
    chosen: str
    words: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """A row as it would be filed."""

    number: str
    problem: str
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of an officer's registers."""

    id: int
    file_name: str
    uploaded_at: object
    state: tuple[str, str]
    rows: int
    counts: Mapping[str, int]


def listed(session: Session, actor: Actor) -> list[Listed]:
    """The officer's own latest registers of the desks where they sit, which are those that open (two statements)."""
    asked = select(RegisterBatch).where(
        RegisterBatch.officer_id == actor.officer_id,
        RegisterBatch.office_id.in_([seat.office_id for seat in desk_seats(actor)]),
        RegisterBatch.state != "discarded",
    )
    batches = session.scalars(asked.order_by(RegisterBatch.id.desc()).limit(LISTED)).all()
    counted = session.execute(
        select(RegisterRow.batch_id, RegisterRow.state, func.count())
        .where(RegisterRow.batch_id.in_([batch.id for batch in batches]))
        .group_by(RegisterRow.batch_id, RegisterRow.state)
    )
    counts: dict[int, dict[str, int]] = {}
    for batch_id, state, count in counted:
        counts.setdefault(batch_id, {})[state] = count
    return [
        Listed(
            batch.id,
            store.open_facts(batch).file_name,
            batch.uploaded_at,
            state_tag(batch.state),
            batch.row_count,
            counts.get(batch.id, {}),
        )
        for batch in batches
    ]


def state_tag(state: str) -> tuple[str, str]:
    """Words and colour of a register's state."""
    words, colour = wording.STATES[state]
    return gettext(words), colour


class NewPage:
    """A register that nobody has confirmed yet. `typed` is the form as it was sent, where something is wrong with it."""

    def __init__(self, session: Session, opened: Opened, today: date, typed: Mapping[str, str] | None = None) -> None:
        self.batch, self.facts, self.plan, self.checked = opened.batch, opened.facts, opened.plan, opened.checked
        self.faults = Reading(session, opened, typed, today).faults if typed is not None else {}
        self._typed = typed
        self._book = directory(session)
        self._rows = list(store.rows(session, self.batch.id, most=PREVIEWED))
        self._contents = [store.open_cells(self.batch.id, row) for row in self._rows]
        self._reader = reader_for(session, self.batch.office_id, self.plan, today)
        self.offer = choices.offer(session, today)
        self.earlier = earlier(session, self.batch)

    @property
    def columns(self) -> list[Column]:
        """The columns with something in them."""
        found = []
        for place, heading in enumerate(self.plan.headings):
            cells = [each.cells[place] for each in self._contents if place < len(each.cells)]
            examples = [cell[:LONGEST_EXAMPLE] for cell in cells if isinstance(cell, str) and cell.strip()]
            if heading.strip() or examples:
                chosen = self._value(f"column-{place}", self.plan.columns[place])
                fault = self.faults.get(f"column-{place}", "")
                found.append(Column(place, heading, list(dict.fromkeys(examples))[:EXAMPLES], chosen, fault))
        return found

    @property
    def meanings(self) -> list[Meaning]:
        """The names that are in no list, those already explained among them."""
        seen = {meaning_name(each.field, each.typed) for each in self.checked.unknown}
        kept = [
            (field, typed, 0, (code,), code)
            for field, given in self.plan.meanings.items()
            for typed, code in given.items()
            if meaning_name(field, typed) not in seen
        ]
        asked = [(each.field, each.typed, each.count, each.near, "") for each in self.checked.unknown]
        found = []
        for field, typed, count, near, chosen in [*asked, *kept]:
            name = meaning_name(field, typed)
            codes = [code for code in near if code != UNKNOWN]
            options = list(zip(codes, wording.named(self._book, field, codes), strict=False))
            if field != "category":
                options.append((UNKNOWN, gettext("It is not known")))
            words, fault = self._value(f"{name}-words", ""), self.faults.get(name, "")
            column = wording.column(field)
            found.append(Meaning(name, column, typed, count, options, self._value(name, chosen), words, fault))
        return found

    @property
    def findings(self) -> list[tuple[str, int, str]]:
        """What is wrong: in words, in how many rows, and the first of them."""
        return [
            (wording.reason(self._book, Problem(each.field, each.code)), each.count, ", ".join(each.first))
            for each in self.checked.findings
        ]

    def given(self, name: str) -> str:
        """What all rows are given alike."""
        given = self.plan.defaults.get(name, "")
        if name == "received_on" and given and (day := parse_date(given)):
            given = f"{day:%d/%m/%Y}"
        return self._value(name, given)

    @property
    def tells(self) -> bool:
        """Whether complainants are told by SMS."""
        return self._typed.get("tells") == "1" if self._typed is not None else self.plan.tells

    @property
    def media(self) -> list[tuple[str, str]]:
        """How complaints come in."""
        return [(code, label("channel", code)) for code in MEDIA]

    @property
    def names(self) -> dict[str, list[str]]:
        """The names to choose from where one is written, for the fields that ask."""
        book, day, asked = self._book, self.offer.day, {each.field for each in self.checked.unknown}
        lists = {
            "programme": book.programmes_on(day),
            "category": book.categories_on(day),
            "district": book.districts,
        }
        return {field: [name_of(each) for each in found] for field, found in lists.items() if field in asked}

    @property
    def preview(self) -> list[Preview]:
        """The first rows as they would be filed."""
        return [
            self._previewed(store.label(self.facts, row.sheet, row.number), self._reader.read(each.cells, each.mark))
            for row, each in zip(self._rows, self._contents, strict=True)
        ]

    def _previewed(self, number: str, read: Read) -> Preview:
        filling = read.filling
        day = parse_date(filling.get("received_on", ""))
        where = [*self._named("upazila", filling), *self._named("district", filling)]
        cells = (
            show_date(day) if day else filling.get("received_on", ""),
            gettext("Anonymous") if filling.get("anonymous") else filling.get("name", ""),
            filling.get("phone", ""),
            ", ".join(self._named("programme", filling)),
            ", ".join(self._named("category", filling)),
            ", ".join(where),
            filling.get("details", ""),
        )
        return Preview(number, "; ".join(wording.reason(self._book, each) for each in read.problems), cells)

    def _named(self, field: str, filling: Mapping[str, str]) -> list[str]:
        value = filling.get(field, "")
        return wording.named(self._book, field, [value])

    def _value(self, name: str, kept: str) -> str:
        return self._typed.get(name, "") if self._typed is not None else kept
