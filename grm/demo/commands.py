"""`flask demo`: fills a development system with cases of the last twelve months."""

import gc
import time

import click
from flask.cli import with_appcontext

from grm.demo import past_returns
from grm.demo.play import play
from grm.demo.watching import watch
from grm.kernel import clock
from grm.kernel.context import settings
from grm.kernel.db import db
from grm.kernel.errors import Misconfigured
from grm.opendata.service import months_before, publish_month
from grm.tallies import folding


@click.command("demo")
@click.option("--cases", "count", default=2_000, show_default=True, type=click.IntRange(1, 100_000), help="How many.")
@click.option("--seed", default=1, show_default=True, help="The same seed on the same day makes the same cases.")
@click.option("--force", is_flag=True, help="Also outside development.")
@with_appcontext
def demo(count: int, seed: int, force: bool) -> None:
    """Add realistic cases of the last twelve months, in every state; adds nothing where they are there already."""
    if not settings().is_development and not force:
        raise click.ClickException("Demo cases are for development; --force adds them all the same.")
    started = time.monotonic()
    gc.set_threshold(
        100_000, 50, 50
    )  # many short-lived objects, little garbage: collecting often costs a sixth of the time
    today = clock.dhaka_date(clock.now(db.session()))
    click.echo(f"Demo: {count} cases of the year before {today}, seed {seed}")
    try:
        played = play(count, seed, today, click.echo)
    except Misconfigured as error:
        raise click.ClickException(f"{error.code} {error.params}: run `flask setup --demo` first.") from None
    folding.fold_all()
    if played.cases == 0:
        click.echo("They are there already; nothing was added.")
        return
    click.echo(f"  reviews written, new alarms: {watch(today, seed)}")
    returns = past_returns.hand_in(today)
    for back in (3, 2, 1):
        publish_month(months_before(today, back))
    click.echo(
        f"{played.cases} cases, {played.acts} acts, {played.climbs} rungs climbed, {played.messages} messages, none of them "
        f"sent; {returns} monthly returns submitted; {time.monotonic() - started:.0f} s"
    )
