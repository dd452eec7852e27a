"""`flask deadlines rehearse`: proposed limits and holidays over past cases, from the command line."""

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import click
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.escalation.rehearsal import CHANGES
from grm.escalation.rehearsal_facts import Window
from grm.escalation.rehearsal_tally import LEVELS, Line, Tally
from grm.escalation.rehearsing import Finding, Proposal, Stage, play_batch, read_proposal, snapshot, window_of
from grm.kernel.text import latin_digits
from grm.offices.queries import directory
from grm.reports import rehearsal_lines
from grm.web.exports import csv_lines
from grm.web.locale import speaking

deadlines = AppGroup("deadlines", help="When each step of a case is due, and what happens when it is missed.")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@deadlines.command("rehearse")
@click.option("--policies", type=FILE, help="Proposed limits, as for `deadlines policies import`.")
@click.option("--calendar", type=FILE, help="Proposed holidays and working days, as for `calendar import`.")
@click.option("--since", metavar="YYYY-MM-DD", help="Cases filed or open from this day on; a year before --until.")
@click.option("--until", metavar="YYYY-MM-DD", help="Through this day; today.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="The single cases, as CSV.")
def rehearse(
    policies: Path | None, calendar: Path | None, since: str | None, until: str | None, output: Path | None
) -> None:
    """See whom proposed limits and holidays would have made late: who would have been warned and escalated, when, to whom.

    Limits count as if they had been in force all the time. Nothing is written to the database and nothing is sent. Sensitive
    cases are counted, never listed.
    """
    if policies is None and calendar is None:
        raise click.UsageError("give --policies, --calendar or both")
    tally = Tally()
    with snapshot() as session:
        proposal = _proposal(session, policies, calendar)
        window = window_of(session, _day(since), _day(until))
        if window.since_at >= window.until_at:
            raise click.UsageError("--since must not lie after --until")
        stage = Stage(session, proposal, window.horizon)
        findings = _findings(session, stage, window, tally)
        if output is not None:
            _write(session, output, findings)
        else:
            for _ in findings:
                pass
    _print(tally)


def _findings(session: Session, stage: Stage, window: Window, tally: Tally) -> Iterator[Finding]:
    """All that is found, batch by batch."""
    after_id, is_last = 0, False
    while not is_last:
        batch = play_batch(session, stage, window, after_id, tally)
        after_id, is_last = batch.last_id, batch.is_last
        yield from batch.findings


def _proposal(session: Session, policies: Path | None, calendar: Path | None) -> Proposal:
    contents = [file.read_bytes() if file else None for file in (policies, calendar)]
    proposal, *faults = read_proposal(session, *contents)
    for file, found in zip((policies, calendar), faults, strict=True):
        for fault in found:
            click.echo(f"{file}: {fault}", err=True)
    if any(faults):
        raise SystemExit(1)
    return proposal


def _write(session: Session, output: Path, findings: Iterable[Finding]) -> None:
    """The single cases in English, while they are found; sensitive ones are left out."""
    known = directory(session)
    names = {row.id: row.name_en for row in session.execute(select(Officer.id, Officer.name_en))}
    with speaking("en"), output.open("w", encoding="utf-8", newline="") as file:
        rows = (
            rehearsal_lines.row(
                known,
                tracking_number=finding.tracking_number,
                case_office_id=finding.office_id,
                kind=finding.kind,
                change=finding.change,
                old_due_on=finding.old_due_on,
                new_due_on=finding.new_due_on,
                level=rung.level,
                at=rung.at,
                role=rung.role,
                office_id=rung.office_id,
                officer=names.get(rung.officer_id or 0),
                is_vacant=rung.is_vacant,
                really_at=rung.really_at,
            )
            for finding in findings
            if not finding.is_sensitive
            for rung in finding.rungs
        )
        file.writelines(csv_lines(rehearsal_lines.header(), rows))


def _print(tally: Tally) -> None:
    click.echo(f"{tally.cases} cases with {tally.clocks} clocks played; {tally.touched} clocks would change.")
    if not tally.touched:
        return
    head = [*(change.replace("_", " ") for change in CHANGES), *(f"level {level}" for level in LEVELS), "gaps"]
    click.echo(f"{'':24}" + "".join(f"{words:>16}" for words in head))
    for key, line in (*sorted(tally.ministries.items()), ("total", tally.total)):
        click.echo(f"{key:24}" + "".join(f"{cell:>16}" for cell in _cells(line)))
    if tally.unlike:
        click.echo(f"Of {tally.unlike} of these clocks the play by their own rules is not what really happened.")
    click.echo("Rungs by level: as proposed / as it really was. Level 0 is a warning.")


def _cells(line: Line) -> list[str]:
    changes = [str(line.changes.get(change, 0)) for change in CHANGES]
    return [*changes, *(f"{a} / {b}" for a, b in zip(line.would, line.did, strict=True)), str(line.gaps)]


def _day(typed: str | None) -> date | None:
    if typed is None:
        return None
    try:
        return date.fromisoformat(latin_digits(typed.strip()))
    except ValueError as error:
        raise click.BadParameter("give a date like 2027-01-31") from error
