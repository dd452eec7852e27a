"""`flask offices`: the directory from files."""

from itertools import groupby
from pathlib import Path

import click
from flask.cli import AppGroup

from grm.kernel.transaction import transaction
from grm.offices.reference_files import BadFiles
from grm.offices.service import import_reference_data

SHOWN = 10

group = AppGroup("offices", help="Ministries, offices, places, programmes and categories.")


@group.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def import_folder(folder: Path) -> None:
    """Bring the directory to what the CSV files of FOLDER say.

    The folder may hold some of the files only; grm/data shows them all. Nothing is written if any line has a fault. What is
    in force but no longer named is listed, never removed: end it with a valid_to column.
    """
    try:
        with transaction() as act:
            report = import_reference_data(act.session, act.now, folder)
    except BadFiles as error:
        for fault in error.faults:
            click.echo(str(fault), err=True)
        raise click.ClickException(f"{len(error.faults)} faults; nothing was written.") from None
    for table, tally in report.tallies.items():
        click.echo(f"{table:18} {tally.created:4} new  {tally.changed:4} changed  {tally.unchanged:4} unchanged")
    for table, codes in groupby(report.unlisted, key=lambda pair: pair[0]):
        names = [code for _, code in codes]
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        click.echo(f"{table}: in force, but not in the files, and left as it is: {', '.join(names[:SHOWN])}{more}")
    click.echo(f"Edition {report.edition}" if report.is_change else "Nothing has changed.")
