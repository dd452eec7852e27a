"""`flask deadlines policies` and `flask deadlines policy`: which limit holds for whom, since when, and changing it."""

from datetime import date
from pathlib import Path

import click
from flask.cli import AppGroup

from grm.deadlines import policy_csv, queries
from grm.deadlines.calendar import dhaka_date
from grm.deadlines.policies import Adopted, BadPolicies, adopt, known
from grm.deadlines.policy import Policy, PolicyFacts, decide
from grm.deadlines.policy_csv import CONDITIONS, Known, on_day
from grm.kernel import clock
from grm.kernel.actor import SYSTEM
from grm.kernel.db import db
from grm.kernel.errors import Misconfigured
from grm.kernel.text import latin_digits
from grm.kernel.transaction import transaction
from grm.offices.directory import Directory
from grm.offices.queries import directory

deadlines = AppGroup("deadlines", help="When each step of a case is due, and what happens when it is missed.")
policies = AppGroup("policies", help="All dated limits: list them, or import changes.")
policy = AppGroup("policy", help="One limit: which holds for a case, and why.")
deadlines.add_command(policies)
deadlines.add_command(policy)

_WHY_NOT = {
    "not-yet-valid": "begins on {policy.valid_from}",
    "expired": "ended on {policy.valid_to}",
    "less-specific": "fits, but another is more specific",
    "replaced-by-later": "fits, but a later rule for the same cases holds",
}


class _Rehearsed(Exception):
    """Ends the transaction of a dry run without writing."""

    def __init__(self, done: Adopted) -> None:
        self.done = done


@policies.command("list")
@click.option("--on", "day", metavar="YYYY-MM-DD", help="Only what holds on this day.")
def list_policies(day: str | None) -> None:
    """List the limits by kind, the general one first."""
    session = db.session()
    book = directory(session)
    on = _day(day) if day else None
    found = [each for each in queries.policies(session) if on is None or on_day(each, on)]
    for each in sorted(found, key=lambda one: (one.kind, _conditions(one, book), one.valid_from, one.id)):
        click.echo(f"{each.kind:14} {_as_text(each, book)}; {each.source}")


@policies.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
def import_policies(file: Path, dry_run: bool) -> None:
    """Put the limits of a CSV file in force, each from its valid_from on.

    Columns: code,kind,limit,unit,valid_from,source and, where a limit is not for all cases,
    office,programme,category,priority,tier, and valid_to (the first day on which it no longer holds). A change is a line with
    the code of the rule and a coming day. Cases already filed keep their limit. All faults are reported together, and then
    nothing is changed.
    """
    session = db.session()
    parsed = policy_csv.parse(file.read_bytes(), known(session))
    _stop_at(parsed.faults)
    session.rollback()
    try:
        with transaction() as act:
            done = adopt(act.session, parsed.lines, SYSTEM, act.now, file.name)
            if dry_run:
                raise _Rehearsed(done)
    except BadPolicies as error:
        _stop_at(error.faults)
        raise
    except _Rehearsed as dry:
        done = dry.done
    _print_adopted(done, directory(session), dry_run)


@policy.command("explain")
@click.option("--kind", required=True, help="acknowledge, resolve, investigate, inform, appeal, cell, comply, …")
@click.option("--office", help="Code of the office, like social-welfare.")
@click.option("--programme", help="Slug of the programme.")
@click.option("--category", help="Slug of the category.")
@click.option("--priority")
@click.option("--tier", help="gro, appeal or cell.")
@click.option("--on", "day", metavar="YYYY-MM-DD", help="The day on which the clock begins; today if not given.")
def explain(
    kind: str,
    office: str | None,
    programme: str | None,
    category: str | None,
    priority: str | None,
    tier: str | None,
    day: str | None,
) -> None:
    """Say which limit holds for a case, and why the others do not."""
    session = db.session()
    codes = {"office": office, "programme": programme, "category": category, "priority": priority, "tier": tier}
    choices = known(session)
    _check(kind, codes, choices)
    on = _day(day) if day else dhaka_date(clock.now(session))
    facts = PolicyFacts(kind, choices.offices[office] if office else None, programme, category, priority, tier)
    book = directory(session)
    try:
        choice = decide(queries.policies(session), facts, on)
    except Misconfigured:
        raise click.ClickException(f"No {kind} limit holds on {on}: such a case could not be filed.") from None
    why = ", ".join(name.removesuffix("_id") for name in choice.why)
    click.echo(f"On {on} holds {_as_text(choice.policy, book)}")
    click.echo(f"  source  {choice.policy.source}")
    click.echo(
        f"  why     {f'the most specific: it is for this {why}' if why else 'the general rule; none is for fewer'}"
    )
    for other, reason in choice.rejected:
        words = _WHY_NOT.get(reason, f"is for another {reason.removeprefix('other-')}").format(policy=other)
        click.echo(f"  not     {_as_text(other, book)}: {words}")


def _check(kind: str, codes: dict[str, str | None], choices: Known) -> None:
    """Refuse codes that nothing has: a slip of the finger must not look like the general rule."""
    there = {
        "kind": choices.kinds,
        "office": choices.offices,
        "programme": choices.programmes,
        "category": choices.categories,
        "priority": choices.priorities,
        "tier": choices.tiers,
    }
    for name, code in {"kind": kind, **codes}.items():
        if code is not None and code not in there[name]:
            raise click.BadParameter(f"there is no {name} {code}", param_hint=f"--{name}")


def _stop_at(faults: tuple[policy_csv.Fault, ...]) -> None:
    for fault in faults:
        click.echo(str(fault), err=True)
    if faults:
        raise SystemExit(1)


def _print_adopted(done: Adopted, book: Directory, is_dry: bool) -> None:
    for words, found in (("new", done.added), ("ends", done.ended), ("corrected", done.corrected)):
        for each in found:
            click.echo(f"{words:10} {each.kind:14} {_as_text(each, book)}")
    if not done.is_change:
        click.echo("Nothing new: these limits are known already.")
    elif is_dry:
        click.echo("Dry run: nothing was changed.")


def _as_text(each: Policy, book: Directory) -> str:
    unit = each.unit.replace("_", " ")
    until = f" until {each.valid_to}" if each.valid_to else ""
    return f"{each.code}: {each.limit} {unit} {_conditions(each, book)}, from {each.valid_from}{until}"


def _conditions(each: Policy, book: Directory) -> str:
    office = book.office(each.office_id).code if each.office_id is not None else None
    values = (office, each.programme, each.category, each.priority, each.tier)
    named = [f"{name} {value}" for name, value in zip(CONDITIONS, values, strict=True) if value]
    return f"for {', '.join(named)}" if named else "for all"


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(latin_digits(typed.strip()))
    except ValueError as error:
        raise click.BadParameter("give a date like 2027-01-31") from error
