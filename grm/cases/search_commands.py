"""`flask search`: makes cases findable by hand, and anew."""

import click
from flask.cli import AppGroup

from grm.cases import search_index

group = AppGroup("search", help="What cases are found by.")


@group.command("index")
def index() -> None:
    """Index every case that is due; may run beside the workers. After an upgrade it is faster than waiting for them."""
    total = 0
    while count := search_index.index_due(batches=20):
        total += count
        click.echo(f"{total} cases", err=True)
    click.echo(f"Indexed {total} cases")


@group.command("rebuild")
def rebuild() -> None:
    """Put every case on the list of what is due, the newest first: after a change of INDEX_KEY, or of how words are read.

    The search goes on working by what it has; the workers, or `flask search index`, renew it.
    """
    click.echo(f"{search_index.put_all_down()} cases are due")
