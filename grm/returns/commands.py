"""`flask returns`: prepare and close a month's returns by hand, and check what was frozen."""

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select, text

from grm.kernel import clock
from grm.kernel.db import db
from grm.kernel.errors import IllegalAction
from grm.returns import closing, service
from grm.returns.models import ReturnClosing, ReturnSubmission
from grm.returns.months import month_in

group = AppGroup("returns", help="Monthly returns.")


@group.command("prepare")
@click.option("--month", required=True, help="As 2026-06.")
@with_appcontext
def prepare(month: str) -> None:
    """Prepare the returns of a month that is over; those that are there stay as they are, and nobody is told."""
    span = month_in(month)
    if span is None:
        raise click.BadParameter("a month is written as 2026-06", param_hint="--month")
    now = clock.now(db.session())
    db.session.rollback()
    try:
        click.echo(f"{month}: {service.prepare_month(span, now, is_told=False)} returns prepared")
    except IllegalAction:
        raise click.ClickException(f"{month} is not over yet.") from None


@group.command("close")
@click.option("--month", required=True, help="As 2026-06.")
@with_appcontext
def close(month: str) -> None:
    """Close a month that was prepared, before its day; who owes a return then is named in it."""
    span = month_in(month)
    if span is None:
        raise click.BadParameter("a month is written as 2026-06", param_hint="--month")
    is_new = closing.close_month(span)
    click.echo(f"{month}: {'closed' if is_new else 'not closed: it was before, or its cases are not counted yet'}")


@group.command("verify")
@with_appcontext
def verify() -> None:
    """Reckon the hashes of every submitted return and of every closed month again; ends with 1 where one does not fit."""
    session = db.session()
    bad = count = 0
    ids = session.scalars(select(ReturnSubmission.return_id).order_by(ReturnSubmission.return_id)).all()
    for return_id in ids:  # one at a time: each holds all that it counts
        row = session.get_one(ReturnSubmission, return_id)
        count += 1
        if bytes(row.hash) != service.digest(row.figures, row.counted):
            bad += 1
            click.echo(f"return {return_id}: was changed after it was submitted", err=True)
        session.expunge(row)
    click.echo(f"{count} submitted returns, {bad} of them changed")
    months = session.scalars(select(ReturnClosing.month).order_by(ReturnClosing.month)).all()
    session.execute(text("SET LOCAL statement_timeout = 0"))
    found = [line for month in months for line in closing.changed(session, month)]
    for line in found:
        click.echo(line, err=True)
    click.echo(f"{len(months)} closed months, {len(found)} changes")
    if bad or found:
        raise SystemExit(1)
