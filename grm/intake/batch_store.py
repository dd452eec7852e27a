"""Registers in the database: sealing and opening, finding one's own, and taking rows in and out in pieces."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from grm.intake.batch_models import RegisterBatch, RegisterRow
from grm.intake.batch_rows import Cell, Plan
from grm.intake.batch_table import Line
from grm.intake.desk_roles import desk_seats
from grm.kernel.actor import Actor
from grm.kernel.context import keyring
from grm.kernel.errors import NotFound

PIECE = 500
"""Rows read or written at once."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a file."""

    file_name: str
    sheets: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    others: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of fault: field, code, how many rows, and the first of them."""

    field: str
    code: str
    count: int
    first: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name that is in no list: as written, in how many rows, and the codes of names that resemble it."""

    field: str
    typed: str
    count: int
    near: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check of all rows found. `good` rows would be filed; `twice` are in the file again, `known` were filed before."""

    good: int = 0
    bad: int = 0
    twice: int = 0
    known: int = 0
    findings: tuple[Finding, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    sensitive: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Content:
    """The cells of a row."""

    cells: list[Cell]
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A register as its page shows it."""

    batch: RegisterBatch
    facts: Facts
    plan: Plan
    checked: Checked
    counts: Mapping[str, int] = field(default_factory=dict)
    """Rows by state."""


def find(session: Session, actor: Actor, batch_id: int, *, is_locked: bool = False) -> RegisterBatch:
    """The actor's own register, as long as they sit at the desk that handed it in. Raises `NotFound`."""
    asked = select(RegisterBatch).where(RegisterBatch.id == batch_id, RegisterBatch.officer_id == actor.officer_id)
    if is_locked:
        asked = asked.with_for_update().execution_options(populate_existing=True)
    batch = session.scalars(asked).one_or_none()
    if batch is None or batch.office_id not in {seat.office_id for seat in desk_seats(actor)}:
        raise NotFound
    return batch


def opened(session: Session, batch: RegisterBatch) -> Opened:
    """A register with what is sealed of it, and how far it is."""
    plan, checked = open_plan(batch)
    counts = select(RegisterRow.state, func.count()).where(RegisterRow.batch_id == batch.id).group_by(RegisterRow.state)
    counted = {state: int(count) for state, count in session.execute(counts)}
    return Opened(batch, open_facts(batch), plan, checked, counted)


def seal_facts(batch: RegisterBatch, facts: Facts) -> None:
    """Keep the facts of a file."""
    batch.facts_sealed = keyring().seal(json.dumps(asdict(facts)), f"register_batch.facts:{batch.id}")


def open_facts(batch: RegisterBatch) -> Facts:
    """The facts of a file; of a forgotten one nothing."""
    if batch.facts_sealed is None:
        return Facts("")
    kept = json.loads(keyring().open(batch.facts_sealed, f"register_batch.facts:{batch.id}"))
    others = tuple((name, count) for name, count in kept["others"])
    return Facts(kept["file_name"], tuple(kept["sheets"]), tuple(kept["hidden"]), others)


def seal_plan(batch: RegisterBatch, plan: Plan, checked: Checked) -> None:
    """Keep how a register is read, and what the check by this plan found."""
    kept = json.dumps({"plan": asdict(plan), "checked": asdict(checked)})
    batch.plan_sealed = keyring().seal(kept, f"register_batch.plan:{batch.id}")


def open_plan(batch: RegisterBatch) -> tuple[Plan, Checked]:
    """The plan of a register and its last check; of a forgotten one nothing."""
    if batch.plan_sealed is None:
        return Plan((), ()), Checked()
    kept = json.loads(keyring().open(batch.plan_sealed, f"register_batch.plan:{batch.id}"))
    plan, checked = kept["plan"], kept["checked"]
    plan |= {name: tuple(plan[name]) for name in ("headings", "columns")}
    checked["findings"] = tuple(Finding(**{**each, "first": tuple(each["first"])}) for each in checked["findings"])
    checked["unknown"] = tuple(Unknown(**{**each, "near": tuple(each["near"])}) for each in checked["unknown"])
    return Plan(**plan), Checked(**checked)


def seal_cells(batch_id: int, sheet: int, number: int, content: Content) -> bytes:
    """A row as it is kept: bound to its place, so that no two can be exchanged."""
    return keyring().seal(json.dumps([content.cells, content.mark]), _place(batch_id, sheet, number))


def open_cells(batch_id: int, row: Any) -> Content:
    """The cells of a row (of its columns `sheet`, `number`, `sealed`); of a forgotten one none."""
    if row.sealed is None:
        return Content([])
    cells, mark = json.loads(keyring().open(row.sealed, _place(batch_id, row.sheet, row.number)))
    return Content(cells, mark)


def seal_token(batch_id: int, sheet: int, number: int, token: str) -> bytes:
    """What the secret of a row's case can be made from, kept until the results were taken."""
    return keyring().seal(token, "token:" + _place(batch_id, sheet, number))


def open_token(batch_id: int, row: Any) -> str:
    """The token of a row; empty where it was forgotten."""
    if row.token_sealed is None:
        return ""
    return keyring().open(row.token_sealed, "token:" + _place(batch_id, row.sheet, row.number))


def add_rows(session: Session, batch_id: int, lines: Iterable[Line]) -> int:
    """Write the rows of a register in pieces; returns how many."""
    count = 0
    piece: list[dict[str, Any]] = []
    for line in lines:
        sealed = seal_cells(batch_id, line.sheet, line.number, Content(line.cells, line.mark))
        piece.append(
            {"batch_id": batch_id, "sheet": line.sheet, "number": line.number, "state": "waiting", "sealed": sealed}
        )
        if len(piece) == PIECE:
            session.execute(insert(RegisterRow), piece)
            count += len(piece)
            piece = []
    if piece:
        session.execute(insert(RegisterRow), piece)
    return count + len(piece)


def rows(session: Session, batch_id: int, *columns: Any, most: int | None = None, only: str = "") -> Iterator[Any]:
    """The rows of a register in their order, read in pieces; `only` those of a state."""
    last = 0
    wanted = (RegisterRow.id, RegisterRow.sheet, RegisterRow.number, RegisterRow.state, RegisterRow.sealed, *columns)
    asked = select(*wanted).where(RegisterRow.batch_id == batch_id)
    if only:
        asked = asked.where(RegisterRow.state == only)
    left = most if most is not None else 1 << 40
    while left > 0:
        size = min(PIECE, left)
        found = session.execute(asked.where(RegisterRow.id > last).order_by(RegisterRow.id).limit(size)).all()
        yield from found
        if len(found) < size:
            return
        last, left = found[-1].id, left - size


def label(facts: Facts, sheet: int, number: int) -> str:
    """A row's number, with the sheet's name where there are several."""
    name = facts.sheets[sheet] if len(facts.sheets) > 1 and sheet < len(facts.sheets) else ""
    return f"{name} {number}".strip()


def _place(batch_id: int, sheet: int, number: int) -> str:
    return f"register_row:{batch_id}:{sheet}:{number}"
