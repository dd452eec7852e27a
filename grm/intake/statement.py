"""The one SQL statement that files a case: submission, case, people, accused, first event, texts and clocks (ADR 0010).

Each insert is a common table expression that hangs on the one before: where the submission's key exists already, the
first one inserts nothing, and so do all the others. The text depends on the shape only (which columns, how many rows),
so it is built once a shape and PostgreSQL sees few different statements.
"""

# ruff: noqa: S608 - the statement is put together from names of our own tables and columns; every value is bound
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from grm.cases.models import Case
from grm.kernel.db import Base

Values = Mapping[str, Any]

_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]

_CASE_DEFAULTS: dict[str, Any] = {
    column.name: column.default.arg
    for column in Case.__table__.columns
    if column.default is not None and column.default.is_scalar
}


@dataclass(frozen=True, slots=True)
class AccusedPost:
    """Whoever holds a post of an office today is accused; an empty chair stands for whoever will sit in it."""

    office_id: int
    role: str


@dataclass(frozen=True, slots=True)
class NewCase:
    """Column values of every row of a filing; `case_id` and `submission_id` are filled in by the statement."""

    submission: Values
    case: Values
    event: Values
    people: Sequence[Values]
    deadlines: Sequence[Values]
    texts: Sequence[Values] = ()
    accused_office_ids: Sequence[int] = ()
    accused_posts: Sequence[AccusedPost] = ()
    draft_hash: bytes | None = None
    """The draft to remove with the filing."""


class _Part(NamedTuple):
    """An insert into a table of the case: its columns, and how many rows."""

    table: str
    columns: tuple[str, ...]
    rows: int


def insert_case(session: Session, new: NewCase, on: date) -> int | None:
    """Insert everything and return the case's id, or None where the submission's key is already there.

    `on` is the Dhaka date on which the accused posts are looked up. One round trip. Raises IntegrityError for a tracking
    number that is taken.
    """
    tables: list[tuple[str, Sequence[Values]]] = [
        ("case_event", [new.event]),
        ("complainant", new.people),
        ("deadline", new.deadlines),
        ("case_text", new.texts),
        ("accused", [{"office_id": office_id} for office_id in new.accused_office_ids]),
    ]
    case = {**_CASE_DEFAULTS, **new.case}
    parameters: dict[str, Any] = {"accused_on": on, "draft_hash": new.draft_hash}
    parameters |= _bound("s", new.submission) | _bound("c", case)
    parts = []
    for table, rows in tables:
        if rows:
            parts.append(_Part(table, tuple(rows[0]), len(rows)))
            for number, values in enumerate(rows):
                parameters |= _bound(f"{table}_{number}", values)
    for number, post in enumerate(new.accused_posts):
        parameters |= {f"p{number}_office": post.office_id, f"p{number}_role": post.role}
    statement = _statement(tuple(new.submission), tuple(case), tuple(parts), len(new.accused_posts))
    return session.execute(statement, parameters).scalar_one_or_none()


def _bound(prefix: str, values: Values) -> dict[str, Any]:
    return {
        f"{prefix}_{name}": json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
        for name, value in values.items()
    }


@lru_cache(maxsize=256)
def _statement(submission: tuple[str, ...], case: tuple[str, ...], parts: tuple[_Part, ...], posts: int) -> TextClause:
    """The text of a shape. Names of tables and columns come from our own code, never from a form."""
    ctes = [
        f"submitted AS (INSERT INTO submission ({', '.join(submission)}) "
        f"VALUES {_row('submission', 's', submission)} ON CONFLICT (key) DO NOTHING RETURNING id)",
        f"filed AS (INSERT INTO cases (submission_id, {', '.join(case)}) SELECT submitted.id, new.* "
        f"FROM submitted, (VALUES {_row('cases', 'c', case)}) AS new RETURNING id)",
        "cleared AS (DELETE FROM draft WHERE token_hash = CAST(:draft_hash AS bytea) AND EXISTS (SELECT FROM filed))",
    ]
    for table, columns, count in parts:
        rows = ", ".join(_row(table, f"{table}_{number}", columns) for number in range(count))
        ctes.append(
            f"new_{table} AS (INSERT INTO {table} (case_id, {', '.join(columns)}) "
            f"SELECT filed.id, new.* FROM filed, (VALUES {rows}) AS new)"
        )
    ctes += [_accused_post(number) for number in range(posts)]
    return text(f"WITH {', '.join(ctes)} SELECT id FROM filed")


def _row(table: str, prefix: str, columns: Sequence[str]) -> str:
    """One row of placeholders; a row of VALUES has no types but those it is told."""
    types = Base.metadata.tables[table].columns
    return "({})".format(
        ", ".join(f"CAST(:{prefix}_{name} AS {types[name].type.compile(dialect=_POSTGRESQL)})" for name in columns)
    )


def _accused_post(number: int) -> str:
    return (
        f"post_{number} AS (INSERT INTO accused (case_id, officer_id, office_id, post_id) "
        "SELECT filed.id, posting.officer_id, CASE WHEN posting.officer_id IS NULL THEN post.office_id END, post.id "
        f"FROM filed JOIN post ON post.office_id = :p{number}_office AND post.role = :p{number}_role "
        "AND post.valid_from <= :accused_on AND (post.valid_to IS NULL OR post.valid_to > :accused_on) "
        "LEFT JOIN posting ON posting.post_id = post.id AND posting.starts_on <= :accused_on "
        "AND (posting.ends_on IS NULL OR posting.ends_on > :accused_on))"
    )
