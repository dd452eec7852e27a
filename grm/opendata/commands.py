"""`flask opendata publish`: publishes a month, as the tick does by itself from the 5th on."""

from datetime import date

import click
from flask.cli import AppGroup

from grm.kernel.errors import IllegalAction
from grm.opendata.service import publish_due, publish_month

group = AppGroup("opendata", help="The monthly files for everybody.")


@group.command("publish")
@click.option("--month", "typed", help="As 2026-06; without it, what is due.")
def publish(typed: str | None) -> None:
    """Publish a month that is over, or a new edition of it where its figures have changed enough."""
    try:
        month = date.fromisoformat(f"{typed}-01") if typed else None
    except ValueError:
        raise click.BadParameter("write the month as 2026-06", param_hint="--month") from None
    try:
        made = [publish_month(month)] if month else publish_due()
    except IllegalAction:
        raise click.ClickException("this month is not over; complaints are still to come") from None
    for edition in made:
        if edition is not None:
            click.echo(f"{edition.month:%Y-%m}: edition {edition.number}")
    if not any(made):
        click.echo("nothing to publish")
