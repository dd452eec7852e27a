"""`flask reports beneficiaries`: the numbers that complaints are measured against."""

from pathlib import Path

import click
from flask.cli import AppGroup

from grm.kernel.actor import SYSTEM
from grm.kernel.db import db
from grm.kernel.transaction import transaction
from grm.offices.queries import directory
from grm.reports.beneficiaries import Imported, adopt, loaded
from grm.reports.beneficiary_csv import parse

reports = AppGroup("reports", help="What reports are measured against.")
beneficiaries = AppGroup("beneficiaries", help="How many people each programme serves.")
reports.add_command(beneficiaries)


class _Rehearsed(Exception):
    """Ends a dry run; the transaction is rolled back."""

    def __init__(self, done: Imported) -> None:
        self.done = done


@beneficiaries.command("list")
def list_numbers() -> None:
    """Say what is loaded: for each fiscal year the programmes, the districts and the people."""
    for year in loaded(db.session()):
        programmes = {programme for programme, _ in year.people}
        districts = {district for _, district in year.people if district is not None}
        click.echo(
            f"{year.fiscal_year}  {len(programmes):4} programmes  {len(districts):3} districts"
            f"  {year.of(None, None) or 0:>12,} people"
        )


@beneficiaries.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
def import_numbers(file: Path, dry_run: bool) -> None:
    """Load how many people each programme serves, from a CSV file.

    Columns: programme (slug or name), fiscal_year (2025-26), people, source and, where the number is of one district only,
    district (code or name). A number that is there already is replaced; others stay. All faults are reported together, and
    then nothing is changed.
    """
    session = db.session()
    lines, faults = parse(file.read_bytes(), directory(session))
    session.rollback()
    if faults:
        for fault in faults:
            click.echo(f"{file}: {fault}", err=True)
        raise click.ClickException(f"{len(faults)} faults; nothing was written.")
    try:
        with transaction() as act:
            done = adopt(act.session, lines, SYSTEM, act.now, file.name)
            if dry_run:
                raise _Rehearsed(done)
    except _Rehearsed as rehearsed:
        done = rehearsed.done
        click.echo("Dry run: nothing was written.")
    click.echo(f"{done.added} new, {done.changed} changed, {done.unchanged} unchanged.")
