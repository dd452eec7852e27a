"""The file that comes back: every row as it was handed in, with what became of it; as XLSX or CSV.

Bad rows can be put right in it and the whole file handed in again: its own columns are not read, and what was filed is known.
Secrets are in it for a day after the filing, because nothing else tells them to people without a phone; each taking is on record.
Rows are read and written in pieces. The XLSX is put together in a folder that only this process can read, which is then removed.
"""

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases.models import Case
from grm.files.workbook import new_workbook
from grm.intake import batch_store as store
from grm.intake import batch_wording as wording
from grm.intake.batch_intake import STREAM
from grm.intake.batch_models import RegisterBatch, RegisterRow
from grm.intake.batch_rows import Plan
from grm.intake.batch_store import Facts
from grm.intake.batch_values import error_text
from grm.intake.models import Submission
from grm.intake.service import secret_of
from grm.kernel import audit
from grm.kernel.actor import Actor
from grm.kernel.tracking_number import display
from grm.kernel.transaction import transaction
from grm.offices.directory import Directory
from grm.offices.queries import directory
from grm.web.exports import csv_lines
from grm.web.locale import speaking
from grm.web.presentation import name

HEADINGS = (
    *("সারি (GRM)", "ফলাফল", "ট্র্যাকিং নম্বর (GRM)", "গোপন কোড (GRM)", "দায়িত্বপ্রাপ্ত দপ্তর (GRM)"),
    *("নিষ্পত্তির শেষ তারিখ (GRM)", "কারণ", "Reason (GRM)"),
)
"""Known to `batch_columns`, which does not take them for columns of the register."""


def csv_file(session: Session, batch: RegisterBatch, *, only: str = "") -> Iterator[str]:
    """The results as CSV, in pieces; nothing in it is taken for a formula."""
    facts, (plan, _) = store.open_facts(batch), store.open_plan(batch)
    return csv_lines((*HEADINGS, *plan.headings), _lines(session, batch, facts, plan, only))


def xlsx_file(session: Session, batch: RegisterBatch, *, only: str = "") -> bytes:
    """The results as XLSX; every cell is text, so that none is a formula."""
    facts, (plan, _) = store.open_facts(batch), store.open_plan(batch)
    out = BytesIO()
    with new_workbook(out) as book:
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        red = book.add_format({"font_color": "#9c0006"})
        sheet.freeze_panes(1, 1)
        for column, width in enumerate((9, 14, 17, 17, 28, 16, 44, 44)):
            sheet.set_column(column, column, width)
        sheet.set_column(len(HEADINGS), len(HEADINGS) + max(len(plan.headings), 1), 18)
        for column, heading in enumerate((*HEADINGS, *plan.headings)):
            sheet.write_string(0, column, heading, bold)
        for number, line in enumerate(_lines(session, batch, facts, plan, only), 1):
            is_bad = bool(line[6]) and not line[2]
            for column, value in enumerate(line):
                if value:
                    sheet.write_string(number, column, value, red if is_bad and column in (1, 6, 7) else None)
    return out.getvalue()


def record_taking(actor: Actor, batch_id: int, has_secrets: bool) -> None:
    """Note that somebody took the results, and whether the secrets were in them."""
    with transaction() as act:
        audit.record(
            act.session, STREAM, "register-results-taken", actor, act.now, id=batch_id, has_secrets=has_secrets
        )


def has_secrets(batch: RegisterBatch) -> bool:
    """Whether the results still tell the secrets."""
    return batch.secrets_forgotten_at is None


def bad_rows(session: Session, batch: RegisterBatch, facts: Facts, most: int) -> list[tuple[str, str]]:
    """The first rows that were not filed: number and reasons, in the page's language."""
    book = directory(session)
    found = store.rows(session, batch.id, RegisterRow.problems, most=most, only="bad")
    return [(store.label(facts, row.sheet, row.number), wording.reasons(book, row.problems)) for row in found]


def _lines(session: Session, batch: RegisterBatch, facts: Facts, plan: Plan, only: str) -> Iterator[Sequence[str]]:
    book = directory(session)
    columns = (RegisterRow.problems, RegisterRow.submission_key, RegisterRow.token_sealed)
    piece: list[Any] = []
    for row in store.rows(session, batch.id, *columns, only=only):
        piece.append(row)
        if len(piece) == store.PIECE:
            yield from _written(session, batch, facts, plan, book, piece)
            piece = []
    yield from _written(session, batch, facts, plan, book, piece)


def _written(
    session: Session, batch: RegisterBatch, facts: Facts, plan: Plan, book: Directory, piece: list[Any]
) -> Iterator[Sequence[str]]:
    keys = [row.submission_key for row in piece if row.submission_key is not None]
    cases = {}
    if keys:
        asked = select(Submission.key, Case.tracking_number, Case.office_id, Case.due_on)
        found = session.execute(asked.join(Case, Case.submission_id == Submission.id).where(Submission.key.in_(keys)))
        cases = {bytes(case.key): case for case in found}
    firsts = _first_of(session, batch, facts, [row.submission_key for row in piece if row.state == "known"])
    for row in piece:
        content = store.open_cells(batch.id, row)
        case = cases.get(bytes(row.submission_key or b""))
        token = store.open_token(batch.id, row)
        first = firsts.get(bytes(row.submission_key or b"")) if row.state == "known" else None
        with speaking("bn"):
            outcome = wording.outcome(row.state)
            why = wording.same_row(first) if first else wording.reasons(book, row.problems)
            office = name(book.office(case.office_id)) if case else ""
        with speaking("en"):
            reason = wording.same_row(first) if first else wording.reasons(book, row.problems)
        yield (
            store.label(facts, row.sheet, row.number),
            outcome,
            display(case.tracking_number) if case else "",
            display(secret_of(token)) if token else "",
            office,
            f"{case.due_on:%d/%m/%Y}" if case else "",
            why,
            reason,
            *(cell if isinstance(cell, str) else error_text(cell["e"]) for cell in content.cells),
        )


def _first_of(session: Session, batch: RegisterBatch, facts: Facts, keys: Sequence[bytes]) -> dict[bytes, str]:
    """The rows of this register that were filed, and that others of these keys say once more."""
    if not keys:
        return {}
    asked = select(RegisterRow.submission_key, RegisterRow.sheet, RegisterRow.number)
    filed = asked.where(
        RegisterRow.batch_id == batch.id, RegisterRow.state == "filed", RegisterRow.submission_key.in_(keys)
    )
    return {
        bytes(row.submission_key or b""): store.label(facts, row.sheet, row.number) for row in session.execute(filed)
    }
