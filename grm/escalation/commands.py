"""`flask deadlines`: why a date is what it is, with whom the days lay, and one sweep now.

They stand here because the layers below know neither cases nor the sweep.
"""

import json
from datetime import UTC, date, datetime, time

import click
from flask.cli import AppGroup
from sqlalchemy import select

from grm.cases import why
from grm.cases.models import Case
from grm.deadlines.calendar import DHAKA
from grm.deadlines.explain import as_text, explain_case
from grm.escalation.sweep import sweep
from grm.kernel import clock, tracking_number
from grm.kernel.context import settings
from grm.kernel.db import db
from grm.kernel.text import latin_digits
from grm.offices.directory import Directory
from grm.offices.queries import directory
from grm.web.locale import speaking

deadlines = AppGroup("deadlines", help="When each step of a case is due, and what happens when it is missed.")


@deadlines.command("explain")
@click.argument("tracking")
def explain(tracking: str) -> None:
    """Show each counted, skipped and paused day of a case's deadlines; exit 1 if the sum is not the stored date."""
    session = db.session()
    number = tracking_number.parse(tracking)
    case_id = session.scalar(select(Case.id).where(Case.tracking_number == number)) if number else None
    if case_id is None:
        raise click.ClickException("There is no case with this tracking number.")
    explanations = explain_case(session, case_id)
    click.echo("\n\n".join(as_text(each) for each in explanations) or "This case has no deadline.")
    reasons = why.load(session, session.get_one(Case, case_id), clock.now(session))
    click.echo("\n" + charged_as_text(reasons, directory(session)))
    if not all(each.is_consistent for each in explanations):
        raise SystemExit(1)


def charged_as_text(reasons: why.Why, book: Directory) -> str:
    """The days charged, for a terminal, in English."""
    charged = reasons.charged
    end = "the decision" if charged.is_ended else "today"
    lines = [f"days from the filing on {charged.filed_on} to {end}, {charged.until_on}: with whom they lay"]
    with speaking("en"):
        lines += [
            f"  {each.days:5} ({each.working_days} working)  {why.holder_in_words(each.holder, reasons.officers, book)}"
            for each in charged.charges
        ]
    total = sum(each.days for each in charged.charges)
    lines.append(f"  {charged.days:5} ({charged.working_days} working)  together")
    return "\n".join([*lines, *(["  !!! THE PARTS DO NOT SUM TO THE WHOLE"] if total != charged.days else [])])


@deadlines.command("sweep")
@click.option(
    "--as-of",
    "as_of",
    metavar="ISO8601",
    help="Look ahead to this instant (a date is its beginning in Dhaka; a time without zone is Dhaka's). "
    "In development only: messages are sent now.",
)
def sweep_now(as_of: str | None) -> None:
    """Climb the ladder once for everything that is due, and print what was done as JSON."""
    if as_of is not None and settings().is_production:
        raise click.ClickException("--as-of is for development: here only the database's clock decides what is due.")
    result = sweep(_instant(as_of) if as_of is not None else None)
    click.echo(json.dumps(result.as_dict()))
    if result.failed:
        raise SystemExit(1)


def _instant(typed: str) -> datetime:
    plain = latin_digits(typed.strip())
    try:
        if len(plain) == 10:
            return datetime.combine(date.fromisoformat(plain), time(), tzinfo=DHAKA).astimezone(UTC)
        instant = datetime.fromisoformat(plain)
    except ValueError as error:
        raise click.BadParameter("give a date like 2027-01-31 or an instant like 2027-01-31T09:30") from error
    return (instant if instant.tzinfo else instant.replace(tzinfo=DHAKA)).astimezone(UTC)
