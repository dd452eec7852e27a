"""Filling the table that cases are found by: whatever triggers have put down in `search_due`, in batches.

The live path and the first filling of old cases are the same. A row of `search_due` is taken and the case's terms are written in
one transaction; several at once take different rows.
"""

from collections.abc import Iterable
from typing import Any

import structlog
from sqlalchemy import BigInteger, bindparam, cast, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by
from sqlalchemy.orm import Session

from grm.cases.models import Case, CaseEvent, Complainant
from grm.cases.search_terms import Findable, terms_of
from grm.kernel import context
from grm.kernel.crypto import CannotOpen, Keyring
from grm.kernel.db import among
from grm.kernel.transaction import transaction
from grm.offices.queries import directory

log = structlog.get_logger("grm.cases.search")

BATCH = 500
LONGEST_SIMILAR = 24
"""Longer words are not kept for finding similar ones."""

_TAKE = text(
    """
    DELETE FROM search_due WHERE id IN (SELECT id FROM search_due ORDER BY id LIMIT :batch FOR UPDATE SKIP LOCKED)
    RETURNING case_id
    """
)
_WRITE = text(
    """
    INSERT INTO case_search (case_id, terms)
    SELECT given.case_id, array_to_tsvector(ARRAY(SELECT jsonb_array_elements_text(given.terms)))
    FROM jsonb_to_recordset(:rows) AS given(case_id bigint, terms jsonb)
    ON CONFLICT (case_id) DO UPDATE SET terms = excluded.terms
    """
).bindparams(bindparam("rows", type_=JSONB))
# Sorted, so that two at once wait for each other in one order only.
_WORDS = text(
    """
    INSERT INTO search_word (word)
    SELECT word FROM jsonb_array_elements_text(:words) AS word
    WHERE NOT EXISTS (SELECT FROM search_word AS known WHERE known.word = word.value)
    ORDER BY word ON CONFLICT (word) DO NOTHING
    """
).bindparams(bindparam("words", type_=JSONB))

_PEOPLE = (
    select(
        func.jsonb_agg(
            aggregate_order_by(
                func.jsonb_build_array(
                    func.encode(Complainant.name_sealed, "hex"), func.encode(Complainant.phone_sealed, "hex")
                ),
                Complainant.id,
            )
        )
    )
    .where(Complainant.case_id == Case.id)
    .scalar_subquery()
)
_FORMER = (
    select(func.array_agg(cast(CaseEvent.data["from_office_id"].astext, BigInteger)))
    .where(CaseEvent.case_id == Case.id, CaseEvent.kind == "referred", Case.referral_count > 0)
    .scalar_subquery()
)


def index_due(batches: int = 4) -> int:
    """Index what is due, up to so many batches; returns how many cases. Each batch is one transaction of four statements."""
    done = 0
    for _ in range(batches):
        taken, count = _index_batch()
        done += count
        if taken < BATCH:
            break
    return done


def _index_batch() -> tuple[int, int]:
    """One batch: how many rows of the list it took, and how many cases it indexed."""
    with transaction() as act:
        taken = act.session.scalars(_TAKE, {"batch": BATCH}).all()
        if not taken:
            return 0, 0
        count = index_cases(act.session, taken)
    return len(taken), count


def put_all_down() -> int:
    """Put every case on the list of what is due, the newest first; returns how many."""
    with transaction() as act:
        act.session.execute(text("SET LOCAL statement_timeout = 0"))
        done = act.session.execute(text("INSERT INTO search_due (case_id) SELECT id FROM cases ORDER BY id DESC"))
        return int(done.rowcount)  # type: ignore[attr-defined]


def index_cases(session: Session, case_ids: Iterable[int]) -> int:
    """Write the terms of these cases anew, within the caller's transaction; returns how many there are."""
    book, keyring = directory(session), context.keyring()
    statement = select(
        *(Case.id, Case.tracking_number, Case.details, Case.place, Case.programme_id, Case.category_id),
        *(Case.district_id, Case.upazila_id, Case.office_id, Case.filed_by_office_id, Case.referred_from_office_id),
        *(Case.is_sensitive, Case.programme_words),
        _PEOPLE.label("people"),
        cast(_FORMER, ARRAY(BigInteger)).label("former_office_ids"),
    ).where(Case.id == among(list(case_ids)))
    rows, vocabulary = [], set[str]()
    for row in session.execute(statement):
        terms, spoken = terms_of(_findable(row, keyring), book, keyring)
        rows.append({"case_id": row.id, "terms": sorted(terms)})
        vocabulary |= spoken
    if rows:
        session.execute(_WRITE, {"rows": rows})
        similar = sorted(word for word in vocabulary if 3 <= len(word) <= LONGEST_SIMILAR and not word.isdigit())
        session.execute(_WORDS, {"words": similar})
    return len(rows)


def _findable(row: Any, keyring: Keyring) -> Findable:
    opened: dict[str, list[str]] = {"name": [], "phone": []}
    for person in row.people or ():
        for field, sealed in zip(opened, person, strict=True):
            if sealed is None:
                continue
            try:
                opened[field].append(keyring.open(bytes.fromhex(sealed), f"complainant.{field}:{row.tracking_number}"))
            except CannotOpen:  # it is found by everything else
                log.warning("a sealed value could not be opened for the search", case_id=row.id, field=field)
    offices = (row.office_id, row.filed_by_office_id, row.referred_from_office_id, *(row.former_office_ids or ()))
    return Findable(
        case_id=row.id,
        texts=(row.details, row.place, row.programme_words or ""),
        office_ids=tuple(office_id for office_id in offices if office_id is not None),
        place_ids=tuple(place_id for place_id in (row.district_id, row.upazila_id) if place_id is not None),
        programme_id=row.programme_id,
        category_id=row.category_id,
        names=tuple(opened["name"]),
        phones=tuple(opened["phone"]),
        is_sensitive=row.is_sensitive,
    )
