"""`flask attachments reconcile`: rows and stored files agree, or it says which do not."""

import click
from flask.cli import AppGroup

from grm.cases import attachment_care
from grm.files.store import StoreAway

group = AppGroup("attachments", help="Files that belong to cases.")


@group.command("reconcile")
@click.option(
    "--delete-unknown", is_flag=True, help="Delete files whose row is gone. Be sure that this is the right database."
)
def reconcile(delete_unknown: bool) -> None:
    """Compare every row with its file; exit 1 naming each that is missing or changed.

    Deletes what acts left behind that never came to their end. What is missing or changed is no longer served; once the
    file is back (from a backup) the next run serves it again.
    """
    try:
        found = attachment_care.reconcile(lambda line: click.echo(line, err=True), delete_unknown=delete_unknown)
    except StoreAway:
        click.echo("BAD  the store of files does not answer; nothing was marked")
        raise SystemExit(1) from None
    summary = f"{found.rows} files, {found.orphans} of no row deleted, {found.restored} found again"
    if found.unknown:
        summary += f", {found.unknown} whose row is gone (deleted with --delete-unknown)"
    if found.faults:
        click.echo(f"BAD  {summary}, {len(found.faults)} missing or changed")
        raise SystemExit(1)
    click.echo(f"OK   {summary}")


@group.command("scan")
def scan() -> None:
    """Scan the files that wait for the virus scanner now, instead of with the next ticks."""
    total = 0
    while count := attachment_care.scan_waiting():
        total += count
    click.echo(f"{total} files scanned")
