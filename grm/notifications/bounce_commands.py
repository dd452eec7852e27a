"""`flask messages bounce`: what the mail server hands a returned mail to; `clear-bounce`: an address works again."""

import sys

import click
from flask.cli import AppGroup, with_appcontext

from grm.kernel import context
from grm.kernel.transaction import transaction
from grm.notifications import bounces, dsn

group = AppGroup("messages", help="Messages, and what became of them.")


@group.command("bounce")
@click.option("--to", "came_to", default="", help="The envelope's recipient, where the mail server tells it.")
@with_appcontext
def bounce(came_to: str) -> None:
    """Take one returned mail from standard input.

    For a pipe of the mail server, as in Postfix's master.cf:
    `flags=R user=grm argv=/srv/grm/bin/flask --app wsgi messages bounce --to ${recipient}`. Exits 0 whatever arrives, also for
    what is no delivery status notification: a mail server must not return a returned mail.
    """
    mail = sys.stdin.buffer.read(dsn.LARGEST_READ_BYTES)
    settings = context.settings()
    with transaction() as act:
        taken = bounces.take(act, mail, came_to, (settings.secret_key, *settings.secret_key_fallbacks))
    click.echo(f"{taken.verdict}{f' message={taken.message_id}' if taken.message_id else ''}")


@group.command("clear-bounce")
@click.argument("username")
@with_appcontext
def clear_bounce(username: str) -> None:
    """Let mail go again to the address of USERNAME, from which it came back."""
    with transaction() as act:
        if not bounces.clear(act.session, username):
            raise click.ClickException("No mail has come back from this officer's address.")
    click.echo("Mail goes there again.")
