"""`flask audit verify`: proves every hash chain, or names the first bad row."""

import click
from flask.cli import AppGroup
from sqlalchemy import text

from grm.cases.verification import Tally, faults
from grm.kernel.db import db

group = AppGroup("audit", help="The append-only history of cases, and the audit trail.")


@group.command("verify")
@click.option("--all", "show_all", is_flag=True, help="Name the first bad row of every chain, not only of the first.")
def verify(show_all: bool) -> None:
    """Check every hash chain; exit 1 naming the first bad row.

    Reads one snapshot, so it may run beside the working system; memory does not grow with the number of rows.
    """
    tally, found = Tally(), 0
    with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        for fault in faults(connection, tally):
            found += 1
            click.echo(f"BAD  {fault.where}: {fault.why}", err=True)
            if not show_all:
                break
    if found:
        raise SystemExit(1)
    click.echo(
        f"OK   {tally.cases} cases with {tally.events} events and {tally.texts} texts; {tally.entries} audit entries"
    )
