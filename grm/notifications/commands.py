"""`flask delivery …`: how the providers stand, and calling one again after its account was paid."""

import json

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import func, select

from grm.kernel import clock, context
from grm.kernel.db import db
from grm.kernel.transaction import transaction
from grm.notifications import breaker
from grm.notifications.models import Message
from grm.notifications.posts import gateway_names
from grm.notifications.standing import delivery_state

group = AppGroup("delivery", help="Messages on their way out: providers and the day's budget.")


@group.command("state")
@with_appcontext
def show_state() -> None:
    """Print as JSON how each provider stands, what of the day's budget is spent, and what is bound to which gateway."""
    session = db.session()
    state = delivery_state(session, clock.now(session))
    bound = (
        select(Message.gateway, func.count())
        .where(Message.channel == "sms", Message.ended_at.is_(None), Message.state != "pending")
        .group_by(Message.gateway)
    )
    state["bound"] = {name or "": count for name, count in session.execute(bound)}
    click.echo(json.dumps(state, indent=2))


@group.command("resume")
@click.argument("gateway")
@with_appcontext
def resume(gateway: str) -> None:
    """Let the next tick try GATEWAY at once instead of waiting for its breaker, as after paying the account."""
    channels = [channel for channel, names in gateway_names(context.settings()).items() if gateway in names]
    if not channels:
        raise click.ClickException(f"there is no gateway {gateway}")
    with transaction() as act:
        was_open = [breaker.resume(act.session, channel, gateway, act.now) for channel in channels]
    click.echo("It is tried again with the next message." if any(was_open) else "It is not being left alone.")
