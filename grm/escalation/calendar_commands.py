"""`flask calendar`: the list of holidays, whether it reaches far enough, and the clocks it moves."""

from datetime import date
from pathlib import Path

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from grm.deadlines import calendar_csv, queries
from grm.deadlines.announcements import Change, announce
from grm.deadlines.calendar import COVERAGE_WORKING_DAYS, dhaka_date
from grm.escalation.redating import Redated, forecast, redate_open, source_of
from grm.kernel import clock
from grm.kernel.actor import SYSTEM
from grm.kernel.db import db
from grm.kernel.errors import InvalidInput
from grm.kernel.text import latin_digits
from grm.kernel.transaction import transaction

calendar = AppGroup("calendar", help="The working-day calendar: holidays and working-day orders.")


@calendar.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--covers-until",
    metavar="YYYY-MM-DD",
    help="The file is the complete list up to this date: estimates it does not name are dropped.",
)
@click.option("--allow-fewer", is_flag=True, help="Take the list although most holidays of a year are gone.")
@click.option("--dry-run", is_flag=True, help="Only say what would change and how many deadlines would move.")
def import_days(file: Path, covers_until: str | None, allow_fewer: bool, dry_run: bool) -> None:
    """Announce the days of a CSV file (day,kind,name_bn,name_en,source[,estimated]) and date open cases anew.

    Kinds: holiday, working (a weekend day ordered to be worked), none (takes an announced day back). All faults of the
    file are reported together, and then nothing is changed. A list that would take away most holidays of a year is refused.
    """
    parsed = calendar_csv.parse(file.read_bytes())
    for fault in parsed.faults:
        click.echo(f"line {fault.line}: {fault.message}" if fault.line else fault.message, err=True)
    until = _day(covers_until) if covers_until else None
    if parsed.faults:
        raise SystemExit(1)
    try:
        with transaction() as act:
            change = announce(act.session, parsed.days, file.name, SYSTEM, act.now, until, allow_fewer)
            source = source_of(act.session, change.version) if dry_run and change.version else None
            if dry_run:
                raise _OnlyLooking
    except _OnlyLooking:
        _print_change(change)
        session = db.session()
        _print_forecast(forecast(session, source, clock.now(session)) if source else Redated())
        return
    except InvalidInput as error:
        raise click.ClickException(_refusal(error)) from error
    _print_change(change)
    _print_redated(redate_open())


@calendar.command("redate")
def redate() -> None:
    """Go on with dating clocks anew where an import was cut off. The worker does so by itself within a minute."""
    _print_redated(redate_open())


class _OnlyLooking(Exception):
    """Takes back what a dry run has announced."""


def _refusal(error: InvalidInput) -> str:
    if error.code == "most-holidays-gone":
        years = "; ".join(f"{year}: {left} of {before} left" for year, (before, left) in error.params["years"].items())
        return (
            f"Most holidays would be gone ({years}). Is the list whole? If they really are worked, say so with "
            "--allow-fewer. Nothing was changed."
        )
    return f"The calendar is announced until {error.params.get('covered_until')} already."


def _print_redated(done: Redated) -> None:
    click.echo(f"{done.examined} running deadlines examined: {done.later} now end later, {done.earlier} earlier.")
    if done.by_kind:
        click.echo("Moved: " + ", ".join(f"{count} {kind}" for kind, count in sorted(done.by_kind.items())) + ".")
    if done.kept:
        click.echo(f"{done.kept} kept their date: nobody becomes late by an announcement.")
    if done.withdrawn_escalations or done.withdrawn_messages:
        click.echo(
            f"{done.withdrawn_escalations} escalations nobody was told of and {done.withdrawn_messages} messages that were "
            "not sent are withdrawn."
        )
    if done.failed:
        raise click.ClickException(
            f"{done.failed} clocks could not be dated; see the log. The worker tries them again."
        )


def _print_forecast(found: Redated) -> None:
    click.echo(f"Dry run: {found.later} deadlines would end later, {found.earlier} earlier. Nothing was changed.")
    if found.by_kind:
        click.echo("Would move: " + ", ".join(f"{count} {kind}" for kind, count in sorted(found.by_kind.items())) + ".")


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


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(latin_digits(typed.strip()))
    except ValueError as error:
        raise click.BadParameter("give a date like 2027-01-31") from error
