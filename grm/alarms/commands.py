"""`flask alarms look`: looks for alarms as the tick does by itself."""

import click
from flask.cli import AppGroup

from grm.alarms.looking import look as look_now

group = AppGroup("alarms", help="Surges, offices that fall behind, districts that fall silent.")


@group.command("look")
def look() -> None:
    """Look for what is new this morning; a second time says only that there is nothing more to do."""
    looked = look_now()
    click.echo(f"{looked.raised} new, {looked.ended} over")
