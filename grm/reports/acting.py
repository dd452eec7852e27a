"""From a figure to an act: what may be done with the cases of a report, and which cases a form means."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import bulk_rules, bulk_wording
from grm.cases.models import Case
from grm.kernel.actor import Actor
from grm.kernel.db import among
from grm.kernel.errors import NotFound
from grm.offices.queries import directory
from grm.reports import lists
from grm.reports.measures import Selection, selection_from
from grm.tallies import scope as scopes
from grm.web.locale import gettext

ROLES = ("cell_officer", "appeal_officer", "cluster_coordinator")
"""Who reminds, directs or takes up from a report."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What stands below a list: the acts, the list itself (the address of its figure) and the cases on the page."""

    actions: tuple[tuple[str, str], ...]
    query: str
    listed: str
    total: int
    most: int
    chose_none: bool


def offer(
    actor: Actor, query: Mapping[str, str], rows: Iterable[Any], total: int, *, chose_none: bool = False
) -> Offer | None:
    """The acts on a list of cases, for rows with `tracking_number` and `version`; None where there is nothing to be done."""
    listed = " ".join(f"{row.tracking_number}.{row.version}" for row in rows)
    actions = tuple(
        (action.value, gettext(bulk_wording.BUTTONS[action])) for action in bulk_rules.actions_from_reports(actor)
    )
    if not actions or not listed:
        return None
    return Offer(actions, urlencode(query), listed, total, bulk_rules.MOST_CASES, chose_none)


def selection_in(query: str) -> Selection:
    """The figure that an address names; what means nothing in it is left out."""
    return selection_from(dict(parse_qsl(query[:2000])))


def picks_of_figure(session: Session, actor: Actor, chosen: Selection, now: datetime) -> list[tuple[str, int]]:
    """The cases of a figure from its beginning on, as many as one act may have, with their present versions.

    Raises `NotFound` where the actor has no such list.
    """
    book = directory(session)
    offered = scopes.scopes_of(actor, book)
    scope = scopes.chosen([each for each in offered if each.has_lists], chosen.scope)
    if scope is None or any(each.code == chosen.scope and not each.has_lists for each in offered):
        raise NotFound
    found = lists.find(session, actor, book, scope, chosen, now)
    rows = lists.page(
        session,
        actor,
        book,
        scope,
        chosen,
        now,
        lists.natural(chosen),
        office_ids=found.office_ids,
        number=found.number,
        limit=bulk_rules.MOST_CASES,
    )
    ids = [row.id for row in rows[: bulk_rules.MOST_CASES]]
    if not ids:
        return []
    versions = {
        number: (case_id, version)
        for case_id, number, version in session.execute(
            select(Case.id, Case.tracking_number, Case.version).where(Case.id == among(ids))
        )
    }
    places = {case_id: place for place, case_id in enumerate(ids)}
    return [
        (number, version)
        for number, (case_id, version) in sorted(versions.items(), key=lambda pair: places[pair[1][0]])
    ]
