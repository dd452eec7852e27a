"""The letter that tells of a closed month: to the cell of the country, to coordinators of the ministries of their clusters, to
heads and grievance redress officers of their own; one each, with the figures that its reader sees on the pages."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.kernel.actor import Actor
from grm.kernel.clock import dhaka_date
from grm.kernel.transaction import Act
from grm.notifications.catalogue import RETURNS_CLOSED
from grm.notifications.handovers import tell
from grm.offices.directory import Directory
from grm.offices.queries import StaffedPost, directory, holders
from grm.offices.signed_in import actors_of
from grm.returns import counting, units
from grm.returns.sheets import Sheet, Sheets, is_silent
from grm.returns.units import VIEWS, Unit
from grm.tallies.periods import TARGET_PERCENT_IN_TIME, Period
from grm.tallies.scope import coordinated

Frozen = Mapping[tuple[str, int], tuple[Mapping[str, Sheets], Sequence[int]]]
"""Kind and id of a unit → its figures in every view, and the offices that had not submitted."""
READERS = ("head", "gro", "cluster_coordinator", "cell_officer")
MOST_NAMED = 10
"""So many offices that did not submit are named; the page names all."""

_ACCUSED = text(
    """
    SELECT DISTINCT a.officer_id, a.post_id, a.office_id FROM closed_stay AS s JOIN accused AS a ON a.case_id = s.case_id
    WHERE s.month = :month
    """
)


def send(act: Act, month: Period, frozen: Frozen) -> None:
    """Put a letter for everybody concerned into the outbox; to each once of a month, however often it is called."""
    session, book, today = act.session, directory(act.session), dhaka_date(act.now)
    offices = [book.cell.id, *(each.office_id for each in book.ministries)]
    readers = {each for post in holders(session, offices, today) for each in _readers(post)}
    accused = {tuple(row) for row in session.execute(_ACCUSED, {"month": month.starts_on})}
    letters = {}
    for actor in actors_of(session, readers, today):
        excluded = counting.accusing(session, actor) if _may_be_accused(actor, accused) else ()
        blocks = [
            _block(session, month, unit, seen, excluded, frozen, book)
            for unit in _units(actor, book)
            if (seen := units.sight(actor, unit, book)) is not None
        ]
        if blocks and actor.officer_id is not None:
            params: dict[str, Any] = {"return_month": month.starts_on.isoformat(), "closed_returns": blocks}
            if len(blocks) == 1:
                params["return_unit"] = blocks[0]["unit"]
            letters[actor.officer_id] = json.dumps(params)
    if letters:
        tell(act, RETURNS_CLOSED, f"{RETURNS_CLOSED}:{month.code}", letters)


def _readers(post: StaffedPost) -> Iterator[int]:
    """Who of a post is told: who answers today; at the cell all who are there."""
    if post.role == "cell_officer":
        yield from (each.officer_id for each in post.present)
    elif post.role in READERS and post.acting is not None:
        yield post.acting.officer_id


def _units(actor: Actor, book: Directory) -> tuple[Unit, ...]:
    """What an officer is told of: the widest only."""
    if any(seat.office_kind == "cell" and seat.role in READERS for seat in actor.seats):
        return (units.COUNTRY,)
    own = {seat.ministry_id for seat in actor.seats_as("head", "gro") if seat.ministry_id is not None}
    own |= {ministry for cluster in coordinated(actor, book) for ministry in cluster.ministry_ids}
    return tuple(units.ministry_unit(each, book) for each in book.ministries if each.id in own)


def _may_be_accused(actor: Actor, accused: set[Any]) -> bool:
    """Whether a case of the month may accuse an officer; `counting.accusing` says which do."""
    posts, offices = {seat.post_id for seat in actor.seats}, actor.office_ids()
    return any(
        officer == actor.officer_id or (officer is None and (post in posts or office in offices))
        for officer, post, office in accused
    )


def _block(
    session: Session,
    month: Period,
    unit: Unit,
    seen: units.Sight,
    excluded: Sequence[int],
    frozen: Frozen,
    book: Directory,
) -> dict[str, Any]:
    """What a letter says of a unit, as `grm/notifications/return_wording.py` reads it."""
    views, owing = frozen[unit.kind, unit.id]
    view = next(name for name, shades in VIEWS.items() if shades == seen.shades)
    sheets = views[view]
    if excluded:
        sheets = counting.sheets(session, counting.closed(unit, month, seen.within), seen.shades, excluded)
    names = [(each.name_bn, each.name_en) for each in map(book.office, owing[:MOST_NAMED])]
    return {
        "unit": f"{unit.kind}/{unit.code}",
        "name": (unit.entry.name_bn, unit.entry.name_en) if unit.entry is not None else None,
        "view": view,
        "target": TARGET_PERCENT_IN_TIME,
        "sides": {side: _figures(sheet) for side, sheet in sheets.items()},
        "is_silent": is_silent(sheets["complaint"]),
        "owing": names,
        "more": len(owing) - len(names),
    }


def _figures(sheet: Sheet) -> dict[str, Any]:
    names = ("carried", "received", "total", "disposed", "sent", "pending", "overdue", "rated", "decided", "upheld")
    shares = ("in_time_percent", "median_days", "ninetieth_days", "satisfied_percent", "upheld_percent")
    return {name: sheet[name] for name in names} | {name: getattr(sheet, name) for name in shares}
