"""The page and the files of open data, for everybody: nothing on them is about anybody."""

import re
from datetime import date
from typing import Any

from flask import Blueprint, Response, abort, render_template

from grm.kernel.db import db
from grm.opendata import service, wording
from grm.opendata.edition import BLOCKS, HEADER, LICENCE_URL, SHOWN, as_json, csv_rows
from grm.opendata.suppression import SMALL
from grm.web.exports import csv_lines
from grm.web.guard import public
from grm.web.indexing import indexable
from grm.web.presentation import digits

blueprint = Blueprint("opendata", __name__)
_FILE = re.compile(r"grm-(\d{4})-(0[1-9]|1[0-2])(?:-([1-9]\d{0,2}))?\.(csv|json)")
MONTHS_SHOWN = 36


@blueprint.get("/open-data")
@public("published for everybody")
@indexable
def overview() -> str:
    """Say what is published and how small counts are kept back, and list the files."""
    session = db.session()
    months: dict[date, list[tuple[int, Any]]] = {}
    for month, number, made_at in service.editions(session):
        months.setdefault(month, []).append((number, made_at))
    latest = service.edition(session, next(iter(months))) if months else None
    return render_template(
        "opendata/overview.html",
        months=list(months.items())[:MONTHS_SHOWN],
        latest=latest,
        shown=(*SHOWN, "open_at_month_end"),
        tables=wording.TABLES,
        columns={name: wording.COLUMNS[name] for name in HEADER},
        blocks=BLOCKS,
        small=SMALL,
        licence_url=LICENCE_URL,
        digits=digits,
    )


@blueprint.get("/open-data/<file>")
@public("published for everybody")
@indexable
def download(file: str) -> Response:
    """A month's file: `grm-2026-10.csv` or `.json` is its latest edition, `grm-2026-10-1.csv` that one for ever."""
    found = _FILE.fullmatch(file)
    if found is None:
        abort(404)
    year, month, number, kind = found.groups()
    if not date.min.year <= int(year):
        abort(404)
    edition = service.edition(db.session(), date(int(year), int(month), 1), int(number) if number else None)
    if edition is None:
        abort(404)
    if kind == "json":
        return Response(as_json(edition.content), mimetype="application/json")
    name = f"grm-{edition.month:%Y-%m}-{edition.number}.csv"
    return Response(
        "".join(csv_lines(HEADER, csv_rows(edition.content))),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
