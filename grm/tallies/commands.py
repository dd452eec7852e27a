"""`flask tallies`: makes the tallies anew, and proves them."""

import click
from flask.cli import AppGroup

from grm.tallies import folding, rebuilding

group = AppGroup("tallies", help="What the figures of the reports are read from.")


@group.command("rebuild")
def rebuild() -> None:
    """Make all tallies anew from the ledger, while everything goes on: after an upgrade that says so, or whenever in doubt."""
    made = rebuilding.rebuild(lambda line: click.echo(line, err=True))
    click.echo(f"Rebuilt; {made.corrected} cases counted otherwise than before")


@group.command("verify")
def verify() -> None:
    """Compare the tallies with the ledger as of one instant; exit 1 with the differences."""
    count = 0
    for line in rebuilding.verify(lambda line: click.echo(line, err=True)):
        click.echo(line)
        count += 1
    if count:
        click.echo("The tallies differ from the ledger; `flask tallies rebuild` makes them anew")
        raise SystemExit(1)
    click.echo("The tallies are what the ledger says")


@group.command("fold")
def fold() -> None:
    """Fold what is due now, without waiting for the worker."""
    click.echo(f"Folded {folding.fold_all()} cases")
