"""Reading the directory: the cached snapshot, and who sits where on a day."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Date,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    case,
    exists,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from grm.accounts.models import Officer
from grm.kernel.prepared import PREPARED
from grm.offices import edition, models
from grm.offices.directory import Category, Cluster, Directory, Ministry, Office, Place, Programme
from grm.offices.edition import per_edition

__all__ = ["PostHolder", "StaffedPost", "directory", "holders", "is_on_leave", "vacant_posts"]

ANSWERING_ROLES = ("gro", "appeal_officer", "cell_officer")
"""The posts that queues and the ladder rest on: an empty one is a gap that somebody must fill."""

_PLACE_ORDER = case({"division": 0, "district": 1, "upazila": 2, "city_corporation": 3}, value=models.Place.kind)
_OFFICE_ORDER = case({"cell": 0, "ministry": 1, "district": 2, "provider": 3}, value=models.Office.kind)


@dataclass(frozen=True, slots=True)
class PostHolder:
    """An officer who holds a post, as regular holder or as alternate (বিকল্প)."""

    officer_id: int
    name_en: str
    name_bn: str
    email: str | None
    phone: str | None
    language: str
    is_alternate: bool
    is_on_leave: bool = False


@dataclass(frozen=True, slots=True)
class StaffedPost:
    """A post with those who hold it on a day. `regular` is None while it is vacant; alternates may act all the same."""

    post_id: int
    office_id: int
    code: str
    role: str
    rank: int
    name_en: str
    name_bn: str
    regular: PostHolder | None
    alternates: tuple[PostHolder, ...]

    @property
    def is_vacant(self) -> bool:
        """Whether nobody at all sits here: neither the regular holder nor an alternate."""
        return self.regular is None and not self.alternates

    @property
    def holders(self) -> tuple[PostHolder, ...]:
        """Who sits here, the regular holder first."""
        return tuple(each for each in (self.regular, *self.alternates) if each is not None)

    @property
    def present(self) -> tuple[PostHolder, ...]:
        """Who sits here and is not on leave, the regular holder first."""
        return tuple(each for each in self.holders if not each.is_on_leave)

    @property
    def acting(self) -> PostHolder | None:
        """Who answers today: the regular holder, else the first alternate, else nobody. Who is on leave does not."""
        return next(iter(self.present), None)


@per_edition
def directory(session: Session) -> Directory:
    """The whole directory as one frozen snapshot, read once per process and edition (seven statements)."""
    offices = [
        Office(
            *(o.id, o.code, o.kind, o.name_en, o.name_bn, o.ministry_id, o.district_id, o.parent_id, *_dates(o)),
            o.provider_kind,
        )
        for o in _all(session, select(models.Office).order_by(_OFFICE_ORDER, models.Office.id))
    ]
    memberships = _all(
        session,
        select(models.ClusterMinistry)
        .where(models.ClusterMinistry.valid_to.is_(None))
        .order_by(models.ClusterMinistry.is_primary.desc(), models.ClusterMinistry.id),
    )
    clusters = [
        Cluster(
            c.id,
            c.slug,
            c.name_en,
            c.name_bn,
            c.coordinator_ministry_id,
            tuple(m.ministry_id for m in memberships if m.cluster_id == c.id),
            *_dates(c),
        )
        for c in _all(session, select(models.Cluster).order_by(models.Cluster.id))
    ]
    slugs = {cluster.id: cluster.slug for cluster in clusters}
    office_ids = {office.ministry_id: office.id for office in offices if office.kind == "ministry"}
    ministries = [
        Ministry(
            m.id,
            m.slug,
            m.name_en,
            m.name_bn,
            office_ids[m.id],
            tuple(slugs[each.cluster_id] for each in memberships if each.ministry_id == m.id),
            *_dates(m),
        )
        for m in _all(session, select(models.Ministry).order_by(models.Ministry.id))
    ]
    return Directory(
        edition=edition.current(session),
        ministries=tuple(ministries),
        clusters=tuple(clusters),
        places=tuple(_places(session)),
        offices=tuple(offices),
        programmes=tuple(
            Programme(p.id, p.slug, p.name_en, p.name_bn, p.ministry_id, p.lifecycle_stage, p.kind, *_dates(p))
            for p in _all(session, select(models.Programme).order_by(models.Programme.ministry_id, models.Programme.id))
        ),
        categories=tuple(
            Category(
                c.id,
                c.slug,
                c.name_en,
                c.name_bn,
                c.description_en,
                c.description_bn,
                c.sensitivity,
                *_dates(c),
                c.priority,
                c.needs_visit,
            )
            for c in _all(session, select(models.Category).order_by(models.Category.position, models.Category.id))
        ),
        aliases=_aliases(_all(session, select(models.Alias).where(models.Alias.valid_to.is_(None)))),
    )


def holders(session: Session, office_ids: Iterable[int], on: date) -> tuple[StaffedPost, ...]:
    """Every post of the offices with its holders on a day, the highest rank first; vacant posts are among them.

    One statement for any number of offices. Deactivated officers hold nothing.
    """
    wanted = sorted(set(office_ids))
    return _read(session, _IN_OFFICES, {"on": on, "offices": wanted}) if wanted else ()


def vacant_posts(session: Session, on: date, roles: Collection[str] = ANSWERING_ROLES) -> tuple[StaffedPost, ...]:
    """The posts without a regular holder on a day in offices that hold queues (ministries and the cell); one statement.

    A post whose alternate acts is listed too (`is_vacant` tells them apart): the gap is bridged, not closed.
    """
    return _read(session, _VACANT, {"on": on, "roles": sorted(roles)})


def is_on_leave(officer_id: Any, on: date) -> ColumnElement[bool]:
    """Whether an officer (a column or an id) is on leave on a day, as a condition."""
    leave = models.Leave
    return exists().where(leave.officer_id == officer_id, leave.starts_on <= on, leave.ends_on > on)


_POST = (
    *(models.Post.id, models.Post.office_id, models.Post.code, models.Post.role, models.Post.rank),
    *(models.Post.name_en, models.Post.name_bn),
)
"""As the fields of StaffedPost."""
_OFFICER = (Officer.id, Officer.name_en, Officer.name_bn, Officer.email, Officer.phone, Officer.language)
"""As the fields of PostHolder."""


def _in_force(model: Any, on: Any) -> Any:
    return and_(model.valid_from <= on, or_(model.valid_to.is_(None), model.valid_to > on))


def _held(posting: Any, on: Any) -> Any:
    return and_(
        posting.post_id == models.Post.id,
        posting.starts_on <= on,
        or_(posting.ends_on.is_(None), posting.ends_on > on),
        posting.officer_id.in_(select(Officer.id).where(Officer.is_active)),
    )


def _staffed(on: Any) -> Any:
    posting, officer = models.Posting, Officer
    return (
        select(*_POST, *_OFFICER, posting.is_alternate, is_on_leave(posting.officer_id, on))
        .join(models.Office, models.Office.id == models.Post.office_id)
        .outerjoin(posting, _held(posting, on))
        .outerjoin(officer, officer.id == posting.officer_id)
        .where(_in_force(models.Post, on))
        .order_by(_OFFICE_ORDER, models.Post.office_id, models.Post.rank.desc(), models.Post.id)
        .order_by(posting.is_alternate, posting.starts_on, posting.id)
    )


_ON: Any = bindparam("on", type_=Date)
_REGULAR: Any = aliased(models.Posting)
_IN_OFFICES = (
    _staffed(_ON)
    .where(models.Post.office_id == any_(bindparam("offices", type_=ARRAY(BigInteger))))
    .execution_options(**PREPARED)
)
_VACANT = (
    _staffed(_ON)
    .where(
        models.Post.role == any_(bindparam("roles", type_=ARRAY(Text))),
        models.Office.kind.in_(("ministry", "cell")),
        _in_force(models.Office, _ON),
        ~exists().where(_held(_REGULAR, _ON), ~_REGULAR.is_alternate),
    )
    .execution_options(**PREPARED)
)
"""Both are built once: to build them takes longer than to run them."""


def _read(session: Session, statement: Any, values: dict[str, Any]) -> tuple[StaffedPost, ...]:
    posts: dict[int, tuple[Any, ...]] = {}
    held: dict[int, list[PostHolder]] = {}
    row: Any
    for row in session.execute(statement, values):
        post, holder = row[: len(_POST)], row[len(_POST) :]
        posts[post[0]] = post
        found = held.setdefault(post[0], [])
        if holder[0] is not None:
            found.append(PostHolder(*holder))
    staffed: list[tuple[Any, ...]] = []
    for key, post in posts.items():
        regular = next((holder for holder in held[key] if not holder.is_alternate), None)
        staffed.append((*post, regular, tuple(holder for holder in held[key] if holder.is_alternate)))
    return tuple(StaffedPost(*fields) for fields in staffed)


def _places(session: Session) -> Iterable[Place]:
    for p in _all(session, select(models.Place).order_by(_PLACE_ORDER, models.Place.name_en, models.Place.id)):
        tile = (p.tile_col, p.tile_row) if p.tile_col is not None and p.tile_row is not None else None
        yield Place(p.id, p.code, p.kind, p.name_en, p.name_bn, p.parent_id, tile, *_dates(p))


def _aliases(rows: Iterable[Any]) -> dict[tuple[str, str], tuple[str, ...]]:
    grouped: dict[tuple[str, str], list[str]] = {}
    for alias in rows:
        grouped.setdefault((alias.kind, alias.code), []).append(alias.name)
    return {key: tuple(names) for key, names in grouped.items()}


def _all(session: Session, statement: Select[Any]) -> list[Any]:
    # An import changes rows in bulk, past objects that the session may hold.
    return list(session.scalars(statement, execution_options={"populate_existing": True}))


def _dates(row: Any) -> tuple[date, date | None]:
    return row.valid_from, row.valid_to
