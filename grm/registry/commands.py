"""`flask registry`: the beneficiary registry from a file."""

from datetime import date, datetime
from pathlib import Path

import click
from flask.cli import AppGroup

from grm.kernel.transaction import transaction
from grm.registry.csv_file import RegistryFaults
from grm.registry.loading import load

group = AppGroup("registry", help="The beneficiary registry that officers and desks look into.")


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day on which the list was drawn.")
@click.option("--replace", is_flag=True, help="Remove whoever is not in the file.")
def import_file(file: Path, as_of: datetime, replace: bool) -> None:
    """Load the beneficiaries of FILE (CSV, docs/registry.md). Nothing is written if any line has a fault."""
    day: date = as_of.date()
    try:
        with transaction() as act, file.open(encoding="utf-8-sig", newline="") as lines:
            done = load(act.session, act.now, lines, day, replaces=replace)
    except RegistryFaults as error:
        for fault in error.faults:
            click.echo(fault, err=True)
        raise click.ClickException(f"{len(error.faults)} faults; nothing was written.") from None
    except UnicodeDecodeError:
        raise click.ClickException("The file is no UTF-8 text; nothing was written.") from None
    click.echo(f"{done.read} beneficiaries read, {done.removed} removed; {done.there} in the registry.")
