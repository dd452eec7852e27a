"""Bringing a table to what a file says: new rows are added, changed ones updated in place, others left alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """What one table needed. `unlisted` are the keys of rows in force that the file does not name (they stay)."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    unlisted: tuple[Key, ...] = ()

    @property
    def is_change(self) -> bool:
        """Whether anything was written."""
        return bool(self.created or self.changed)


def upsert(session: Session, model: Any, key: Sequence[str], rows: Iterable[dict[str, Any]]) -> Tally:
    """Add or update rows by their key, in three statements at most. Columns a row does not give keep their value."""
    wanted = {tuple(row[name] for name in key): row for row in rows}
    present = {tuple(getattr(row, name) for name in key): row for row in session.execute(select(model.__table__))}
    new = [row for row_key, row in wanted.items() if row_key not in present]
    changed = [
        {"id": present[row_key].id, **row}
        for row_key, row in wanted.items()
        if row_key in present and any(getattr(present[row_key], name) != value for name, value in row.items())
    ]
    if new:
        session.execute(insert(model), new)
    if changed:
        session.execute(update(model), changed)
    unlisted = tuple(row_key for row_key, row in present.items() if row_key not in wanted and row.valid_to is None)
    return Tally(len(new), len(changed), len(wanted) - len(new) - len(changed), unlisted)


def ids(session: Session, model: Any, *key: str) -> dict[Any, int]:
    """Key → id of every row of a table; a key of one column is that value, of several a tuple."""
    columns = [getattr(model, name) for name in key]
    rows = session.execute(select(model.id, *columns))
    return {(row[1] if len(columns) == 1 else tuple(row[1:])): row[0] for row in rows}
