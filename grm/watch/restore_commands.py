"""`flask restore-finish`: what is decided after a restore, before anything is sent again."""

import json
from datetime import UTC, datetime

import click
from flask.cli import with_appcontext

from grm.kernel.clock import DHAKA
from grm.kernel.context import settings
from grm.kernel.errors import GrmError
from grm.kernel.transaction import transaction
from grm.notifications.delivery import post_for
from grm.watch.restoring import finish

SENTENCES = {
    "still-sending": "Both channels must be stopped: run `flask messages stop sms email` first, before worker and beat.",
    "after-the-stop": "The backup must be older than the end of sending, and neither may lie in the future.",
}


class _Undone(Exception):
    """Takes everything back that --dry-run did."""


@click.command("restore-finish")
@click.option(
    "--backup-taken-at",
    "taken_at",
    required=True,
    metavar="ISO8601",
    help="When the backup was begun (a time without zone is Dhaka's). Of what happened later this database knows nothing.",
)
@click.option(
    "--sending-ended-at",
    "ended_at",
    metavar="ISO8601",
    help="From when on nobody was sending any more; by default since the restore was noticed or sending was stopped.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@with_appcontext
def restore_finish(taken_at: str, ended_at: str | None, dry_run: bool) -> None:
    """After a restore: hold what may have been sent, tell officers once, and let sending go on. Prints JSON."""
    post = post_for("sms", settings())
    witness = post.name if post is not None and not post.others and post.can_ask else None
    try:
        with transaction() as act:
            done = finish(act, _instant(taken_at), _instant(ended_at) if ended_at else None, witness)
            click.echo(json.dumps(done.as_dict()))
            if dry_run:
                raise _Undone
    except _Undone:
        click.echo("Nothing was changed.", err=True)
    except GrmError as error:
        raise click.ClickException(SENTENCES.get(error.code, error.code)) from error


def _instant(typed: str) -> datetime:
    try:
        instant = datetime.fromisoformat(typed.strip())
    except ValueError as error:
        raise click.BadParameter("give an instant like 2027-01-31T02:00 or 2027-01-30T20:00Z") from error
    return (instant if instant.tzinfo else instant.replace(tzinfo=DHAKA)).astimezone(UTC)
