"""The one SQL statement that files a case: submission, case, people, accused, first event, texts and clocks (ADR 0010).

Each insert is a common table expression that hangs on the one before: where the submission's key exists already, the
first one inserts nothing, and so do all the others. All values travel in one JSON parameter, a key for each table:
the driver has one value to bind instead of a hundred.

The text depends only on which parts the filing has: an ordinary one names no table in which it puts nothing, for an
insert of no rows is planned, started and ended all the same. PostgreSQL plans each text once a connection; only a few
combinations are ever met.
"""

# ruff: noqa: S608 - the statement is put together from names of our own tables and columns; every value is bound
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from grm.cases.claims_models import Claim
from grm.cases.models import Accused, Case, CaseEvent, CaseText, Complainant
from grm.deadlines.models import Deadline
from grm.intake.models import Submission
from grm.kernel.prepared import PREPARED

Values = Mapping[str, Any]
_TABLES: dict[str, Any] = {
    model.__tablename__: model.__table__
    for model in (Submission, Case, CaseEvent, Complainant, Deadline, CaseText, Accused, Claim)
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
    claim: Values | None = None
    """The facts of a payment or a correction."""
    file_ids: Sequence[int] = ()
    """Rows of `draft_file` that become attachments of the first event."""
    draft_hash: bytes | None = None
    """The draft to remove with the filing."""


class FilesCame(Exception):
    """A file was added to the form while it was being filed: nothing must be committed, and the filing be made anew."""


def insert_case(session: Session, new: NewCase, on: date) -> int | None:
    """Insert everything and return the case's id, or None where the submission's key is already there.

    `on` is the Dhaka date on which the accused posts are looked up. One round trip. Raises IntegrityError for a tracking
    number that is taken, and `FilesCame`.
    """
    parts = {
        "complainant": new.people,
        "deadline": new.deadlines,
        "case_text": new.texts,
        "accused": [{"office_id": office_id} for office_id in new.accused_office_ids],
        "accused_posts": [asdict(post) for post in new.accused_posts],
        "claim": [new.claim] if new.claim else (),
        "attachment": new.file_ids,
        "draft_file": new.file_ids,
    }
    given = {name: rows for name, rows in parts.items() if rows}
    filing = {
        "submission": new.submission,
        "cases": {**_CASE_DEFAULTS, **new.case},
        "case_event": [new.event],
        **given,
        "accused_on": on,
        "draft_hash": new.draft_hash,
    }
    values = {"filing": json.dumps(filing, default=_plain)}
    filed = session.execute(statement_of(frozenset(given)), values).one_or_none()
    if filed is None:
        return None
    if (filed.file_count or 0) > len(new.file_ids):
        raise FilesCame
    return int(filed.id)


def _plain(value: Any) -> str:
    """What JSON has no form for, as PostgreSQL reads it."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, (bytes, memoryview)):
        return "\\x" + bytes(value).hex()
    raise TypeError(f"{type(value).__name__} is no column value")


def _columns(table: str) -> list[Column[Any]]:
    """The columns a filing fills in: all but the keys, and those whose value the database alone knows."""
    keys = {"id", "case_id", "submission_id"}
    return [
        column
        for column in _TABLES[table].columns
        if column.name not in keys
        and column.computed is None
        and (column.server_default is None or column.default is not None)
    ]


_CASE_DEFAULTS: dict[str, Any] = {
    column.name: column.default.arg  # type: ignore[attr-defined]  # a scalar default has one
    for column in _columns(Case.__tablename__)
    if column.default is not None and column.default.is_scalar
}
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]


def _insert(table: str, source: str) -> str:
    """INSERT of the JSON's rows for a table: `submission` and `cases` hold one row, the others a list."""
    columns = _columns(table)
    names = ", ".join(column.name for column in columns)
    typed = ", ".join(f"{column.name} {column.type.compile(dialect=_POSTGRESQL)}" for column in columns)
    function = "jsonb_to_record" if table in ("submission", "cases") else "jsonb_to_recordset"
    rows = f"{function}((SELECT f -> '{table}' FROM given)) AS new({typed})"
    if not source:
        return f"INSERT INTO {table} ({names}) SELECT {names} FROM {rows}"
    key = "submission_id" if table == "cases" else "case_id"
    return f"INSERT INTO {table} ({key}, {names}) SELECT {source}.id, new.* FROM {source}, {rows}"


@lru_cache(maxsize=64)
def statement_of(parts: frozenset[str]) -> TextClause:
    """The statement of a filing that has these parts beside the submission, the case and its first event."""
    unknown = parts - {*_LISTS, *_SPECIAL}
    assert not unknown, f"no such parts of a filing: {sorted(unknown)}"
    ctes = [
        "given AS (SELECT CAST(:filing AS jsonb) AS f)",
        f"submitted AS ({_insert('submission', '')} ON CONFLICT (key) DO NOTHING RETURNING id)",
        f"filed AS ({_insert('cases', 'submitted')} RETURNING id)",
        f"new_case_event AS ({_insert('case_event', 'filed')})",
        *(f"new_{table} AS ({_insert(table, 'filed')})" for table in _LISTS if table in parts),
        *(f"{name} AS ({body})" for name, body in _SPECIAL.items() if name in parts),
        f"cleared AS ({_CLEARED})",
    ]
    filing = text(f"WITH {', '.join(ctes)} SELECT id, (SELECT file_count FROM cleared) AS file_count FROM filed")
    return filing.execution_options(**PREPARED)


_LISTS = ("complainant", "deadline", "case_text", "accused", "claim")
"""Tables of which a filing has any number of rows, none too; in this order they are written."""

_SPECIAL: Mapping[str, str] = {
    "accused_posts": """
        INSERT INTO accused (case_id, officer_id, office_id, post_id)
        SELECT filed.id, posting.officer_id, CASE WHEN posting.officer_id IS NULL THEN post.office_id END, post.id
        FROM filed
            CROSS JOIN (SELECT CAST(f ->> 'accused_on' AS date) AS today, f -> 'accused_posts' AS list FROM given) AS g
            CROSS JOIN LATERAL jsonb_to_recordset(g.list) AS named(office_id bigint, role text)
            JOIN post ON post.office_id = named.office_id AND post.role = named.role
                AND post.valid_from <= today AND (post.valid_to IS NULL OR post.valid_to > today)
            LEFT JOIN posting ON posting.post_id = post.id
                AND posting.starts_on <= today AND (posting.ends_on IS NULL OR posting.ends_on > today)
    """,
    # What an officer at a desk scans belongs to the complainant; a name is not kept where the complaint is anonymous.
    "attachment": """
        INSERT INTO attachment (case_id, seq, stored_name, name_sealed, media_type, size, sha256, state,
            is_for_complainant, taken_out, attached_at, officer_id, scanned_at)
        SELECT filed.id, 1, d.stored_name, CASE WHEN NOT g.is_anonymous THEN d.name_sealed END, d.media_type, d.size,
            d.sha256, d.state, g.officer_id IS NOT NULL, d.taken_out, g.filed_at, g.officer_id, d.scanned_at
        FROM filed
            CROSS JOIN (
                SELECT CAST(f -> 'cases' ->> 'is_anonymous' AS boolean) AS is_anonymous,
                    CAST(f -> 'cases' ->> 'filed_by_id' AS bigint) AS officer_id,
                    CAST(f -> 'cases' ->> 'filed_at' AS timestamptz) AS filed_at, f -> 'attachment' AS ids
                FROM given) AS g
            CROSS JOIN LATERAL jsonb_array_elements_text(g.ids) AS listed(id)
            JOIN draft_file AS d ON d.id = CAST(listed.id AS bigint)
        ORDER BY d.id
    """,
    "draft_file": """
        DELETE FROM draft_file WHERE EXISTS (SELECT FROM filed) AND id IN (
            SELECT CAST(listed.id AS bigint) FROM given, jsonb_array_elements_text(f -> 'draft_file') AS listed(id))
    """,
}
"""Parts whose rows come not from the form alone, but from what the database knows."""

_CLEARED = (
    "DELETE FROM draft WHERE token_hash = (SELECT CAST(f ->> 'draft_hash' AS bytea) FROM given) "
    "AND EXISTS (SELECT FROM filed) RETURNING file_count"
)
"""The draft's own count of its files comes back with it: whoever adds one holds the draft's row, so none comes unseen."""
