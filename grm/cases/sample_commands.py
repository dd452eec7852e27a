"""`flask samples draw`: draws the sample of closures of a month, as the tick does by itself."""

from datetime import date

import click
from flask.cli import AppGroup

from grm.cases.samples import draw_month
from grm.kernel.errors import IllegalAction

group = AppGroup("samples", help="Samples of closed cases, to be reviewed.")


@group.command("draw")
@click.option("--month", "typed", help="As 2026-06; the month before this one unless told otherwise.")
def draw(typed: str | None) -> None:
    """Draw the sample of a month that is over; a second time only says what was drawn."""
    try:
        month = date.fromisoformat(f"{typed}-01") if typed else None
    except ValueError:
        raise click.BadParameter("write the month as 2026-06", param_hint="--month") from None
    try:
        done = draw_month(month)
    except IllegalAction:
        raise click.ClickException("this month is not over; closures are still to come") from None
    how = "" if done.is_new else " (drawn before)"
    click.echo(f"{done.month:%Y-%m}: {done.drawn} of {done.closures} closures{how}")
