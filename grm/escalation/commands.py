"""`flask deadlines` and `flask calendar`: why a date is what it is, one sweep now, and the list of holidays.

They stand here because the layers below know neither cases nor the sweep.
"""

import json
from datetime import UTC, date, datetime, time
from pathlib import Path

import click
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases.models import Case
from grm.deadlines import calendar_csv, queries
from grm.deadlines.announcements import Change, announce
from grm.deadlines.calendar import COVERAGE_WORKING_DAYS, DHAKA, dhaka_date
from grm.deadlines.explain import as_text, explain_case
from grm.escalation.redating import redate_open
from grm.escalation.sweep import sweep
from grm.kernel import clock, tracking_number
from grm.kernel.actor import SYSTEM
from grm.kernel.context import settings
from grm.kernel.db import db
from grm.kernel.errors import InvalidInput
from grm.kernel.text import latin_digits
from grm.kernel.transaction import transaction

deadlines = AppGroup("deadlines", help="When each step of a case is due, and what happens when it is missed.")
calendar = AppGroup("calendar", help="The working-day calendar: holidays and working-day orders.")


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
    if not all(each.is_consistent for each in explanations):
        raise SystemExit(1)


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


@calendar.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--covers-until",
    metavar="YYYY-MM-DD",
    help="The file is the complete list up to this date: estimates it does not name are dropped.",
)
def import_days(file: Path, covers_until: str | None) -> None:
    """Announce the days of a CSV file (day,kind,name_bn,name_en,source[,estimated]) and date open cases anew.

    Kinds: holiday, working (a weekend day ordered to be worked), none (takes an announced day back). All faults of the
    file are reported together, and then nothing is changed.
    """
    parsed = calendar_csv.parse(file.read_bytes())
    for fault in parsed.faults:
        click.echo(f"line {fault.line}: {fault.message}" if fault.line else fault.message, err=True)
    until = _day(covers_until) if covers_until else None
    if parsed.faults:
        raise SystemExit(1)
    try:
        with transaction() as act:
            change = announce(act.session, parsed.days, file.name, SYSTEM, act.now, until)
    except InvalidInput as error:
        known = error.params.get("covered_until")
        raise click.ClickException(f"The calendar is announced until {known} already.") from error
    _print_change(change)
    done = redate_open()
    click.echo(f"{done.examined} running deadlines examined: {done.later} now end later, {done.earlier} earlier.")


@calendar.command("check")
@click.option("--on", "day", metavar="YYYY-MM-DD", help="Count from this day instead of today.")
def check(day: str | None) -> None:
    """Say whether the next 60 working days are announced; exit 1 if not."""
    session = db.session()
    today = _day(day) if day else dhaka_date(clock.now(session))
    known = queries.calendar(session)
    gap = known.coverage_gap(today)
    click.echo(
        f"Calendar version {known.version}, {len(known.days)} announced days, complete until {known.covered_until}."
    )
    _print_estimates(session, today)
    if gap:
        click.echo(
            f"SHORT: {gap} of the next {COVERAGE_WORKING_DAYS} working days are not announced. Deadlines after "
            f"{known.covered_until} are provisional; import the government's list with --covers-until.",
            err=True,
        )
        raise SystemExit(1)
    click.echo(f"The next {COVERAGE_WORKING_DAYS} working days are announced.")


def _print_change(change: Change) -> None:
    if change.version is None:
        click.echo("Nothing new: these days are in force already.")
        return
    click.echo(
        f"Calendar version {change.version}: {len(change.added)} added, {len(change.changed)} changed, "
        f"{len(change.removed)} removed; complete until {change.covered_until}."
    )
    beyond = [on for on in (*change.added, *change.changed) if change.covered_until and on > change.covered_until]
    if beyond:
        click.echo(
            f"Note: {beyond[-1]} lies after {change.covered_until}. If the file is the complete list, say so with "
            "--covers-until."
        )


def _print_estimates(session: Session, today: date) -> None:
    estimated = [on for on, row in queries.days_in_force(session).items() if row.is_estimated and on >= today]
    if estimated:
        click.echo(f"{len(estimated)} days from {estimated[0]} on are estimates: the moon decides.")


def _instant(typed: str) -> datetime:
    plain = latin_digits(typed.strip())
    try:
        if len(plain) == 10:
            return datetime.combine(date.fromisoformat(plain), time(), tzinfo=DHAKA).astimezone(UTC)
        instant = datetime.fromisoformat(plain)
    except ValueError as error:
        raise click.BadParameter("give a date like 2027-01-31 or an instant like 2027-01-31T09:30") from error
    return (instant if instant.tzinfo else instant.replace(tzinfo=DHAKA)).astimezone(UTC)


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(latin_digits(typed.strip()))
    except ValueError as error:
        raise click.BadParameter("give a date like 2027-01-31") from error
