"""Where a case may be sent: offices with a desk for it, past those it accuses."""

from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from grm.cases.permissions import DESK_ROLE, CaseFacts
from grm.offices.directory import Office, in_force
from grm.offices.edition import per_edition
from grm.offices.models import Post, Posting
from grm.offices.queries import directory

__all__ = ["accused_roles_at", "desk_at", "desks", "targets"]

_DESK_OF_ROLE = {role: desk for desk, role in DESK_ROLE.items()}


@per_edition
def desks(session: Session) -> Mapping[int, tuple[tuple[str, date, date | None], ...]]:
    """The desks of each office with the dates from and until (exclusive) which they exist; read once per edition."""
    found: dict[int, list[tuple[str, date, date | None]]] = {}
    for office_id, role, valid_from, valid_to in session.execute(
        select(Post.office_id, Post.role, Post.valid_from, Post.valid_to).where(Post.role.in_(_DESK_OF_ROLE))
    ):
        found.setdefault(office_id, []).append((_DESK_OF_ROLE[role], valid_from, valid_to))
    return {office_id: tuple(rows) for office_id, rows in found.items()}


def desk_at(case: CaseFacts, office_id: int, has_desks: Collection[str], accused_roles: Collection[str]) -> str | None:
    """The desk of an office that would take the case; None if there is none.

    A sensitive case, or one that accuses the office's GRO, goes to the appeal desk; at the cell there is one desk.
    Nobody handles what accuses himself or his superior, so an accused appeal officer or head leaves no desk.
    """
    if any(a.officer_id is None and a.post_id is None and a.office_id == office_id for a in case.accusations):
        return None
    if "head" in accused_roles:
        return None
    if "cell" in has_desks:
        wanted = "cell"
    else:
        wanted = "appeal" if case.is_sensitive or "gro" in accused_roles else "gro"
    return wanted if wanted in has_desks and DESK_ROLE[wanted] not in accused_roles else None


def accused_roles_at(session: Session, case: CaseFacts, on: date) -> dict[int, set[str]]:
    """The roles that the accused hold on a day, by office; no statement for a case that accuses nobody."""
    officers = [a.officer_id for a in case.accusations if a.officer_id is not None]
    posts = [a.post_id for a in case.accusations if a.officer_id is None and a.post_id is not None]
    found: dict[int, set[str]] = {}
    if not officers and not posts:
        return found
    rows = session.execute(
        select(Post.office_id, Post.role)
        .outerjoin(Posting, Posting.post_id == Post.id)
        .where(
            or_(
                Post.id.in_(posts),
                Posting.officer_id.in_(officers)
                & (Posting.starts_on <= on)
                & or_(Posting.ends_on.is_(None), Posting.ends_on > on),
            )
        )
    )
    for office_id, role in rows:
        found.setdefault(office_id, set()).add(role)
    return found


def targets(session: Session, case: CaseFacts, on: date) -> tuple[tuple[Office, str], ...]:
    """The offices the case may be referred to on a day, with the desk that would take it, in the directory's order."""
    accused = accused_roles_at(session, case, on)
    known = desks(session)
    found: list[tuple[Office, str]] = []
    for office in in_force(directory(session).offices, on):
        there = {desk for desk, start, end in known.get(office.id, ()) if start <= on and (end is None or on < end)}
        desk = desk_at(case, office.id, there, accused.get(office.id, ()))
        if desk is not None and office.id != case.office_id:
            found.append((office, desk))
    return tuple(found)
