"""Finding cases by number, telephone, name or words, within what the actor may see, the newest first.

The worst case decides the shape of the statement (ADR 0021). A word that occurs in most complaints is looked for among the
newest cases first, then among more, then among all: PostgreSQL goes on to the next part only if the ones before did not fill
the page. What an officer may see lies at his offices, so their marks are part of what the index is asked for; `visible_to`
then decides, case by case, on the row of the case itself. Nothing outside it changes what comes back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, cast, func, select, text, true, union_all
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases.models import Case, Complainant
from grm.cases.queries import can_find, visible_to
from grm.cases.queue import COLUMNS
from grm.cases.search_models import CaseSearch
from grm.cases.search_terms import (
    FAR_BITS,
    NEAR_BITS,
    SENSITIVE,
    Group,
    Names,
    Query,
    as_tsquery,
    far_mark,
    names_of,
    near_mark,
    office_mark,
    parse,
)
from grm.kernel import context, words
from grm.kernel.actor import Actor
from grm.kernel.db import among
from grm.offices.edition import per_edition
from grm.offices.queries import directory

MOST = 50
"""Cases shown. Nobody reads more; a further word narrows it down."""

TIMEOUT_MILLISECONDS = 1500
SIMILAR_WORDS = 8
LEAST_SIMILARITY = 0.33

# For the rest of the transaction. No just-in-time compilation: it would take longer than the statement.
_LIMITS = text(
    "SELECT set_config('statement_timeout', :timeout, true), set_config('jit', 'off', true), "
    "set_config('pg_trgm.similarity_threshold', :similarity, true)"
)

# Keys are letters, marks and digits: nothing in them means anything to LIKE.
_SIMILAR = text(
    """
    SELECT given.key, near.word
    FROM unnest(CAST(:keys AS text[])) AS given(key)
    CROSS JOIN LATERAL (
        SELECT word FROM search_word WHERE word % given.key OR word LIKE '%' || given.key || '%'
        ORDER BY similarity(word, given.key) DESC, word LIMIT :most) AS near
    WHERE NOT EXISTS (SELECT FROM search_word WHERE word = given.key)
    """
)


@dataclass(frozen=True, slots=True)
class Found:
    """The answer. `rows` as those of the queue (`queue.COLUMNS`); `is_similar`: no case has these very words, but
    these have similar ones; `is_cut_off`: it took too long."""

    query: Query
    rows: Sequence[Row[Any]] = ()
    has_more: bool = False
    is_similar: bool = False
    is_cut_off: bool = False
    exact: str | None = None
    """The one case whose number was typed, if the actor may open it."""


@per_edition
def names(session: Session) -> Names:
    """What places, programmes, categories and ministries go by; read once per edition."""
    return names_of(directory(session))


def search(session: Session, actor: Actor, typed: str) -> Found:
    """The cases an actor may see that fit what was typed. At most seven statements, whatever was typed."""
    query = parse(typed, directory(session), names(session), context.keyring())
    if query.is_empty:
        return Found(query)
    if query.number is not None and can_find(session, actor, query.number):
        return Found(query, exact=query.number)
    session.execute(_LIMITS, {"timeout": str(TIMEOUT_MILLISECONDS), "similarity": str(LEAST_SIMILARITY)})
    try:
        found, is_similar = _ids(session, actor, query)
        return Found(query, rows_of(session, actor, found[:MOST]), len(found) > MOST, is_similar)
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", "") != "57014":  # canceled by the timeout
            raise
        session.rollback()
        return Found(query, is_cut_off=True)


def rows_of(session: Session, actor: Actor, case_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """The rows of visible cases for a list, in the order of their ids given (one statement; none for no ids)."""
    if not case_ids:
        return ()
    statement = (
        select(*COLUMNS)
        .outerjoin(Officer, Officer.id == Case.assignee_id)
        .where(Case.id == among(case_ids), visible_to(actor))
    )
    places = {case_id: place for place, case_id in enumerate(case_ids)}
    return sorted(session.execute(statement), key=lambda row: places[row.id])


def _ids(session: Session, actor: Actor, query: Query) -> tuple[list[int], bool]:
    """The ids of at most `MOST` + 1 cases, the newest first, and whether only similar words led to them."""
    newest = session.scalar(select(func.max(CaseSearch.case_id))) or 0
    found: set[int] = set(session.scalars(by_groups(actor, query.groups, newest)))
    if query.phone is not None:  # at once, without waiting for the tick
        found |= set(session.scalars(_by_phone(actor, query.phone)))
    if not found and (similar := _similar(session, query.groups)) is not None:
        found = set(session.scalars(by_groups(actor, similar, newest)))
        return sorted(found, reverse=True)[: MOST + 1], bool(found)
    return sorted(found, reverse=True)[: MOST + 1], False


def by_groups(actor: Actor, groups: Iterable[Group], newest: int) -> Select[Any]:
    """The ids of visible cases that meet all groups: among the newest, then among more, then among all; at most `MOST` + 1."""
    scope = None if actor.has_role("cell_officer") or actor.is_system else map(office_mark, actor.office_ids())
    offices = None if scope is None else tuple(scope) or ("#",)  # nobody's mark: nothing is found
    hidden = () if scope is None or actor.has_role("appeal_officer", "head") else (SENSITIVE,)
    groups = tuple(groups)
    near_from = max(0, (newest >> NEAR_BITS) - 1) << NEAR_BITS
    far_from = max(0, (newest >> FAR_BITS) - 1) << FAR_BITS
    windows = (
        (near_from, newest + 1, {near_mark(newest), near_mark(near_from)}),
        (far_from, near_from, {far_mark(newest), far_mark(far_from)}),
        (0, far_from, set[str]()),
    )
    parts: list[Select[Any]] = []
    for first, end, marks in windows:
        if first >= end:
            continue
        wanted = cast(as_tsquery(groups, offices, marks, hidden), TSQUERY)
        # Materialized: the index is to be asked for the words, never the cases walked in the hope of meeting them.
        hits = (
            select(CaseSearch.case_id)
            .where(CaseSearch.terms.op("@@")(wanted))
            .cte(f"hits_{len(parts)}")
            .prefix_with("MATERIALIZED")
        )
        newest_first = (
            select(hits.c.case_id)
            .where(hits.c.case_id >= first, hits.c.case_id < end)
            .order_by(hits.c.case_id.desc())
            .subquery()
        )
        # LIMIT 1 keeps it a look-up by key for each hit, so that it ends as soon as the page is full.
        seen = select(Case.id).where(Case.id == newest_first.c.case_id, visible_to(actor)).limit(1).lateral()
        parts.append(
            select(seen.c.id)
            .select_from(newest_first.join(seen, true()))
            .order_by(newest_first.c.case_id.desc())
            .limit(MOST + 1)
        )
    if not parts:
        return select(CaseSearch.case_id).where(CaseSearch.case_id < 0)
    every = union_all(*parts).subquery()
    return select(every.c.id).limit(MOST + 1)


def _by_phone(actor: Actor, phone: str) -> Select[Any]:
    index = context.keyring().blind_index("phone", phone)
    of_phone = select(Complainant.case_id).where(Complainant.phone_index == index)
    return select(Case.id).where(Case.id.in_(of_phone), visible_to(actor)).order_by(Case.id.desc()).limit(MOST + 1)


def _similar(session: Session, groups: Sequence[Group]) -> tuple[Group, ...] | None:
    """The groups with words like the unknown ones typed, or words that hold them, as further ways; None where there are none.

    The words come from all complaints and are shown to nobody: they only widen what is looked for. One statement.
    """
    typed = {group: words.key(group.typed) for group in groups if " " not in group.typed and len(group.typed) >= 3}
    wanted = [key for key in typed.values() if not key.isdigit()]
    if not wanted:
        return None
    like: dict[str, list[str]] = {}
    for key, word in session.execute(_SIMILAR, {"keys": wanted, "most": SIMILAR_WORDS}):
        like.setdefault(key, []).append(word)
    if not like:
        return None
    return tuple(
        Group(
            group.typed,
            (*group.alternatives, *(frozenset({word}) for word in like.get(typed.get(group, ""), ()))),
            group.named,
        )
        for group in groups
    )
