"""`flask watch`: the dead-man's watch, once."""

import click
from flask.cli import with_appcontext

from grm.kernel.context import settings
from grm.watch import deadman


@click.command("watch")
@click.option("--mail-to", multiple=True, metavar="ADDRESS", help="Whom to tell, instead of WATCH_MAIL_TO.")
@with_appcontext
def watch(mail_to: tuple[str, ...]) -> None:
    """Ask PostgreSQL alone whether duties are met; print JSON, e-mail each change of what is wrong, exit 1 if anything is."""
    found = settings()
    report = deadman.watch(found, mail_to or found.watch_mail_to)
    click.echo(report.as_json())
    if report.wrong:
        raise SystemExit(1)
