"""How the rows of the reference files become rows of tables, the referred-to before the referring."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.kernel.text import search_key
from grm.offices import layouts
from grm.offices.directory import CELL
from grm.offices.models import (
    Alias,
    Category,
    Cluster,
    ClusterMinistry,
    Ministry,
    Office,
    Place,
    Post,
    Programme,
)
from grm.offices.reference_files import DATED, BadFiles, Fault, Layout, Row
from grm.offices.upsert import Tally, ids, upsert

Files = Mapping[str, list[Row]]


def known(session: Session) -> dict[str, set[str]]:
    """What files may refer to because the database has it: kind → codes or slugs."""
    found: dict[str, set[str]] = {
        "cluster": set(session.scalars(select(Cluster.slug))),
        "ministry": set(session.scalars(select(Ministry.slug))),
        "programme": set(session.scalars(select(Programme.slug))),
        "category": set(session.scalars(select(Category.slug))),
        "place": set(),
    }
    for kind, code in session.execute(select(Place.kind, Place.code)):
        found.setdefault(kind, set()).add(code)
        found["place"].add(code)
    return found


def import_tables(session: Session, files: Files, patterns: Files) -> dict[str, Tally]:
    """Write every table for which there is a file, then the offices and posts that follow from them.

    `patterns` are the pattern files to use where the folder has none.
    """
    tallies: dict[str, Tally] = {}
    if rows := _rows(files, layouts.MINISTRIES):
        tallies["ministry"] = upsert(session, Ministry, ["slug"], map(_named, rows))
    ministries = ids(session, Ministry, "slug")
    if rows := _rows(files, layouts.CLUSTERS):
        coordinators = {row.text("slug"): ministries.get(row.values["coordinator_slug"]) for row in rows}
        values = [{**_named(row), "coordinator_ministry_id": coordinators[row.text("slug")]} for row in rows]
        tallies["cluster"] = upsert(session, Cluster, ["slug"], values)
    tallies |= _memberships(session, files, ministries)
    for layout in layouts.PLACES:
        if rows := _rows(files, layout):
            tallies[layout.defines] = _places(session, layout.defines, rows)
    if rows := _rows(files, layouts.PROGRAMMES):
        values = [
            {
                **_named(row),
                "ministry_id": ministries[row.text("ministry_slug")],
                **_only(row, "lifecycle_stage", "kind"),
            }
            for row in rows
        ]
        tallies["programme"] = upsert(session, Programme, ["slug"], values)
    if rows := _rows(files, layouts.CATEGORIES):
        values = [
            {
                **_named(row),
                **_only(row, "description_en", "description_bn", "sensitivity"),
                **_only(row, "priority", "needs_visit"),
                "position": position,
            }
            for position, row in enumerate(rows, 1)
        ]
        tallies["category"] = upsert(session, Category, ["slug"], values)
    if rows := _rows(files, layouts.ALIASES):
        values = [{**row.values, "search_key": search_key(row.text("name"))} for row in rows]
        tallies["alias"] = upsert(session, Alias, ["kind", "code", "search_key"], values)
    return tallies | _offices_and_posts(session, {**patterns, **files})


def _memberships(session: Session, files: Files, ministries: Mapping[Any, int]) -> dict[str, Tally]:
    """A ministry's primary cluster is in its own file, further ones in another; either may come alone."""
    clusters = ids(session, Cluster, "slug")
    values = [
        (row.text("cluster"), row.text("slug"), {"is_primary": True, **_only(row, *DATED)})
        for row in _rows(files, layouts.MINISTRIES)
    ]
    primary = {(cluster, ministry) for cluster, ministry, _ in values}
    values += [
        (*pair, {"is_primary": False, **_only(row, *DATED)})
        for row in _rows(files, layouts.CLUSTER_MINISTRIES)
        if (pair := (row.text("cluster_slug"), row.text("ministry_slug"))) not in primary
    ]
    if not values:
        return {}
    rows = [
        {"cluster_id": clusters[cluster], "ministry_id": ministries[ministry], **rest}
        for cluster, ministry, rest in values
    ]
    tally = upsert(session, ClusterMinistry, ["cluster_id", "ministry_id"], rows)
    cluster_slugs, slugs = _inverse(clusters), _inverse(ministries)
    unlisted = tuple((cluster_slugs[cluster], slugs[ministry]) for cluster, ministry in tally.unlisted)
    is_whole = bool(_rows(files, layouts.MINISTRIES) and _rows(files, layouts.CLUSTER_MINISTRIES))
    return {"cluster_ministry": Tally(tally.created, tally.changed, tally.unchanged, unlisted if is_whole else ())}


def _places(session: Session, kind: str, rows: Iterable[Row]) -> Tally:
    places = ids(session, Place, "code")
    values = [
        {
            **_named(row, "code"),
            "kind": kind,
            "parent_id": places.get(row.values.get("parent_code")),
            **_only(row, "tile_col", "tile_row"),
        }
        for row in rows
    ]
    tally = upsert(session, Place, ["code"], values)
    of_kind = set(session.scalars(select(Place.code).where(Place.kind == kind)))
    unlisted = tuple(key for key in tally.unlisted if key[0] in of_kind)
    return Tally(tally.created, tally.changed, tally.unchanged, unlisted)


def _offices_and_posts(session: Session, files: Files) -> dict[str, Tally]:
    offices = Tally()
    codes: dict[str, list[str]] = {}
    for pattern in _rows(files, layouts.OFFICE_PATTERNS):
        values = list(_offices_by(session, pattern))
        codes[pattern.text("kind")] = [office["code"] for office in values]
        offices = _sum(offices, upsert(session, Office, ["code"], values))
    offices = _sum(offices, upsert(session, Office, ["code"], _providers(session, files)))
    codes["provider"] = list(session.scalars(select(Office.code).where(Office.kind == "provider").order_by(Office.id)))
    office_ids = ids(session, Office, "code")
    posts = [
        {"office_id": office_ids[code], **_only(row, "code", "role", "rank", "name_en", "name_bn", *DATED)}
        for row in _rows(files, layouts.POST_PATTERNS)
        for code in codes.get(row.text("office_kind"), ())
    ]
    return {"office": offices, "post": _sum(Tally(), upsert(session, Post, ["office_id", "code"], posts))}


def _offices_by(session: Session, pattern: Row) -> Iterator[dict[str, Any]]:
    """The offices of one kind: one for each ministry or district, by the pattern's code and names."""
    parent = pattern.values["parent_code"]
    office_ids = ids(session, Office, "code")
    if parent is not None and parent not in office_ids:
        fault = f"parent_code names no office of a row above: {parent}"
        raise BadFiles([Fault(layouts.OFFICE_PATTERNS.file, pattern.line, fault)])
    fixed = {"kind": pattern.text("kind"), "parent_id": office_ids.get(parent), **_only(pattern, *DATED)}
    if pattern.text("kind") == "cell":
        yield {**fixed, **_only(pattern, "code", "name_en", "name_bn")}
        return
    model: Any = Ministry if pattern.text("kind") == "ministry" else Place
    statement = select(model.id, model.slug if model is Ministry else model.code, model.name_en, model.name_bn)
    if model is Place:
        statement = statement.where(Place.kind == "district")
    for id_, key, name_en, name_bn in session.execute(statement.order_by(model.id)):
        yield {
            **fixed,
            "code": pattern.text("code").replace("{key}", key),
            "name_en": pattern.text("name_en").replace("{name}", name_en),
            "name_bn": pattern.text("name_bn").replace("{name}", name_bn),
            "ministry_id": id_ if model is Ministry else None,
            "district_id": id_ if model is Place else None,
        }


def _providers(session: Session, files: Files) -> list[dict[str, Any]]:
    """The payment providers' desks, below the Cabinet Division cell, which hears what lies there too long."""
    rows_of_others = session.execute(select(Office.code, Office.id).where(Office.kind != "provider"))
    others: dict[str, int] = {row.code: row.id for row in rows_of_others}
    rows = _rows(files, layouts.PROVIDERS)
    if faults := [
        Fault(layouts.PROVIDERS.file, row.line, f"{row.text('code')} is the code of another office")
        for row in rows
        if row.text("code") in others
    ]:
        raise BadFiles(faults)
    fixed = {"kind": "provider", "ministry_id": None, "district_id": None, "parent_id": others.get(CELL)}
    return [{**_named(row, "code"), **fixed, "provider_kind": row.text("kind")} for row in rows]


def _rows(files: Files, layout: Layout) -> list[Row]:
    return files.get(layout.file, [])


def _named(row: Row, key: str = "slug") -> dict[str, Any]:
    return _only(row, key, "name_en", "name_bn", *DATED)


def _only(row: Row, *columns: str) -> dict[str, Any]:
    """The columns that the row has; a file without dates leaves the dates of the table alone."""
    return {name: row.values[name] for name in columns if name in row.values}


def _inverse(mapping: Mapping[Any, int]) -> dict[int, str]:
    return {id_: str(key) for key, id_ in mapping.items()}


def _sum(one: Tally, other: Tally) -> Tally:
    return Tally(one.created + other.created, one.changed + other.changed, one.unchanged + other.unchanged)
