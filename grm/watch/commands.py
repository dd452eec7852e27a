"""What operators do by hand: `flask watch`, `flask messages …`, `flask deadlines set-aside` and `take-up`.

`flask restore-finish` stands in `restore_commands.py`.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import TypeVar, cast

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select

from grm.cases.models import Case
from grm.deadlines.models import Deadline
from grm.escalation import setting_aside
from grm.kernel import audit, tracking_number
from grm.kernel.actor import SYSTEM
from grm.kernel.context import settings
from grm.kernel.db import db
from grm.kernel.errors import GrmError
from grm.kernel.transaction import Act, transaction
from grm.notifications import held, stops
from grm.notifications.catalogue import CHANNELS, Channel
from grm.notifications.delivery import deliver_due, post_for
from grm.notifications.models import FINAL_STATES, OPEN_STATES, Message
from grm.watch import deadman

Done = TypeVar("Done")
deadlines = AppGroup("deadlines", help="When each step of a case is due, and what happens when it is missed.")
messages = AppGroup("messages", help="Messages that wait for a person, and stopping a channel.")

SENTENCES = {
    "no-such-deadline": "There is no such clock that has not ended. Kinds stand in `flask deadlines explain`.",
    "already-set-aside": "It is set aside already.",
    "not-set-aside": "It is not set aside.",
    "no-such-message": "There is no message with this number.",
    "not-held": "It is not held.",
    "forgotten": "Its text is forgotten, 30 days after its end.",
    "never-twice": "This kind is never sent again where nobody knows whether it was.",
    "under-way": "It is under way: its provider has it, or may have it.",
    "ended": "It has ended.",
}


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


@deadlines.command("set-aside")
@click.argument("tracking")
@click.argument("kind")
@click.option("--reason", required=True, help="Kept in the case's history and shown in the report.")
def set_aside(tracking: str, kind: str, reason: str) -> None:
    """Keep the sweep from a clock that cannot climb, until `take-up`."""
    _do(lambda act: setting_aside.set_aside(act, _number(tracking), kind, reason))
    click.echo("Set aside. It climbs no more and is counted in the report until it is taken up.")


@deadlines.command("take-up")
@click.argument("tracking")
@click.argument("kind")
def take_up(tracking: str, kind: str) -> None:
    """Give a clock back to the sweep, which climbs what has come due meanwhile."""
    _do(lambda act: setting_aside.take_up(act, _number(tracking), kind))
    click.echo("Taken up.")


@deadlines.command("aside")
def aside() -> None:
    """List the clocks that are set aside."""
    rows = db.session.execute(
        select(Case.tracking_number, Deadline.kind, Deadline.due_on, Deadline.set_aside_at, Deadline.set_aside_why)
        .join(Case, Case.id == Deadline.case_id)
        .where(Deadline.set_aside_at.is_not(None), Deadline.state != "met")
        .order_by(Deadline.set_aside_at)
    )
    for row in rows:
        number = tracking_number.display(row.tracking_number)
        click.echo(
            f"{number}  {row.kind}  due {row.due_on}  since {row.set_aside_at:%Y-%m-%d %H:%M}Z  {row.set_aside_why}"
        )


@messages.command("list")
@click.option("--state", type=click.Choice((*OPEN_STATES, *FINAL_STATES)), default="held", show_default=True)
@click.option("--channel", type=click.Choice(CHANNELS))
@click.option("--error", help="Only those whose error begins so, as in: restored-from-backup")
@click.option("--limit", type=click.IntRange(1, 100_000), default=held.PAGE, show_default=True)
def list_messages(state: str, channel: str | None, error: str | None, limit: int) -> None:
    """List messages in a state, one JSON object a line; neither text nor address."""
    for message in held.messages(db.session(), state, channel, error, limit):
        click.echo(json.dumps(_line(message)))


@messages.command("release")
@click.argument("message_id", type=int, required=False)
@click.option("--all", "every", is_flag=True, help="All held messages.")
@click.option("--error", help="With --all: only those whose error begins so.")
def release(message_id: int | None, every: bool, error: str | None) -> None:
    """Send a held message all the same. It may then come twice, for which you answer."""
    if (message_id is None) == (not every):
        raise click.UsageError("Give one number, or --all.")
    if message_id is not None:
        _do(lambda act: held.release(act, message_id))
        click.echo("1 released, 0 refused")
        return
    done, refused, last = 0, 0, 0
    while batch := db.session.scalars(
        select(Message.id).where(Message.state == "held", Message.id > last).order_by(Message.id).limit(held.PAGE)
    ).all():
        for each in batch:
            last = each
            try:
                with transaction() as act:
                    message = act.session.get_one(Message, each)
                    if error and not (message.error or "").startswith(error):
                        continue
                    held.release(act, each)
                    done += 1
            except GrmError:
                refused += 1
    click.echo(f"{done} released, {refused} refused")


@messages.command("cancel")
@click.argument("message_id", type=int)
@click.option("--reason", required=True, help="Kept in the audit trail.")
def cancel(message_id: int, reason: str) -> None:
    """End a message that waits or is held, for good."""
    _do(lambda act: held.cancel(act, message_id, reason))
    click.echo("Cancelled.")


@messages.command("deliver")
@click.option("--seconds", type=click.FloatRange(1, 3600), default=30, show_default=True, help="How long at most.")
def deliver(seconds: float) -> None:
    """Hand over what is due, by hand: what a worker's tick does, for when no worker can run. Prints JSON."""
    for channel in CHANNELS:
        post = post_for(channel, settings())
        tally = deliver_due(post, tick_seconds=seconds) if post is not None else None
        click.echo(json.dumps({"channel": channel, "configured": post is not None, **(tally or {})}))


@messages.command("stop")
@click.argument("channels", type=click.Choice(CHANNELS), nargs=-1, required=True)
def stop(channels: tuple[str, ...]) -> None:
    """Stop a channel: nothing more is handed over until `go`. What is being handed over this moment is finished."""
    for channel in channels:
        _do(partial(_stop, channel=cast(Channel, channel)))
        click.echo(f"{channel} is stopped.")


@messages.command("go")
@click.argument("channels", type=click.Choice(CHANNELS), nargs=-1, required=True)
def go(channels: tuple[str, ...]) -> None:
    """Let a channel go on that was stopped by hand."""
    for channel in channels:
        if _do(partial(_go, channel=cast(Channel, channel))):
            click.echo(f"{channel} goes on.")
        elif channel in stops.stops(db.session()):
            raise click.ClickException(
                f"{channel} is stopped because the database was restored from a backup: see `flask restore-finish --help`."
            )
        else:
            click.echo(f"{channel} was not stopped.")


def _stop(act: Act, channel: Channel) -> None:
    stops.stop(act.session, channel, stops.OPERATOR, act.now)
    audit.record(act.session, held.STREAM, "sending-stopped", SYSTEM, act.now, channel=channel)


def _go(act: Act, channel: Channel) -> bool:
    was_stopped = stops.let_go(act.session, channel, stops.OPERATOR)
    if was_stopped:
        audit.record(act.session, held.STREAM, "sending-resumed", SYSTEM, act.now, channel=channel)
    return was_stopped


def _do(step: Callable[[Act], Done]) -> Done:
    """Do one step in a transaction of its own, and say in a sentence why it cannot be done."""
    try:
        with transaction() as act:
            return step(act)
    except GrmError as error:
        raise click.ClickException(SENTENCES.get(error.code, error.code)) from error


def _number(typed: str) -> str:
    number = tracking_number.parse(typed)
    if number is None:
        raise click.ClickException("This is no tracking number.")
    return number


def _line(message: Message) -> dict[str, object]:
    return {
        "id": message.id,
        "state": message.state,
        "channel": message.channel,
        "template": message.template,
        "to": "officer" if message.officer_id is not None else "complainant",
        "attempts": message.attempts,
        "error": message.error,
        "created_at": message.created_at.isoformat(),
        "ended_at": message.ended_at.isoformat() if message.ended_at else None,
    }
