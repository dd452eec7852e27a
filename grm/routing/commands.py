"""`flask routing`: proves that every grievance finds its queue, and explains how one does."""

import time
from collections import Counter
from datetime import date
from typing import TypeVar

import click
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.kernel import clock
from grm.kernel.db import db
from grm.kernel.text import parse_date
from grm.offices.directory import Category, Directory, Place, Programme
from grm.offices.models import Post
from grm.offices.queries import directory, holders
from grm.routing.proof import Proof, prove
from grm.routing.queries import facts_of, rule_book
from grm.routing.rules import ABOUT, SPECIFICITY, Decision, Facts, Rule, RuleBook, decide, mismatch

T = TypeVar("T")

SHOWN = 20
ROLE_OF_DESK = {"gro": "gro", "appeal": "appeal_officer", "cell": "cell_officer"}
"""Whose post makes a desk: without such a post an office has no queue of that kind."""

group = AppGroup("routing", help="Which office's queue answers for which grievance.")


@group.command("check")
@click.option("--on", "day", help="Date of filing (yyyy-mm-dd); today by default.")
def check(day: str | None) -> None:
    """Prove that every programme, category and district resolves to exactly one queue."""
    session = db.session()
    started = time.perf_counter()
    on = _day(session, day)
    desks = {role: desk for desk, role in ROLE_OF_DESK.items()}
    posts = session.execute(select(Post.office_id, Post.role).where(Post.role.in_(desks), Post.valid_to.is_(None)))
    proof = prove(rule_book(session), directory(session), {(office, desks[role]) for office, role in posts}, on)
    _print_proof(proof, time.perf_counter() - started)
    if not proof.is_complete:
        raise SystemExit(1)


@group.command("explain")
@click.option("--programme", required=True, help="Slug, name or popular name; 'unknown' for one that nobody can name.")
@click.option("--category", required=True, help="Slug or name.")
@click.option("--district", required=True, help="Code, name or former name.")
@click.option("--upazila", help="Code or name of an upazila or city corporation of the district.")
@click.option("--about", type=click.Choice(ABOUT), default="none", show_default=True, help="Whom it accuses.")
@click.option("--on", "day", help="Date of filing (yyyy-mm-dd); today by default.")
def explain(programme: str, category: str, district: str, upazila: str | None, about: str, day: str | None) -> None:
    """Show the office chosen for a grievance, which rule decided, and why the others did not."""
    session = db.session()
    known = directory(session)
    chosen = None if programme == "unknown" else _programme(known, programme)
    kind = _category(known, category)
    place = _place(known, district, "district")
    inner = _place(known, upazila, "upazila", "city_corporation", within=place) if upazila else place
    on = _day(session, day)
    facts = facts_of(
        known,
        programme=chosen.slug if chosen else None,
        category=kind.slug,
        place=inner.code,
        about=about,
        filed_on=on,
    )
    _print_facts(known, facts, chosen, kind, inner)
    book = rule_book(session)
    decision = decide(book, facts)
    _print_decision(session, known, decision, on)
    _print_others(book, decision, facts)


def _print_proof(proof: Proof, seconds: float) -> None:
    desks = ", ".join(f"{desk} {count}" for desk, count in sorted(proof.by_desk.items()))
    click.echo(
        f"{proof.combinations} combinations on {proof.on.isoformat()}: {proof.programmes} programmes × "
        f"{proof.categories} categories × {proof.districts} districts × {len(ABOUT)} kinds of accused"
    )
    click.echo(f"Queues: {proof.offices} offices; by desk: {desks}")
    for gap in proof.gaps[:SHOWN]:
        click.echo(f"GAP      {gap}")
    for one, other in proof.overlapping[:SHOWN]:
        click.echo(f"OVERLAP  {one.code} and {other.code} ask the same and are in force together")
    hidden = max(0, len(proof.gaps) - SHOWN) + max(0, len(proof.overlapping) - SHOWN)
    if hidden:
        click.echo(f"… and {hidden} more")
    verdict = "Each resolves to exactly one queue." if proof.is_complete else "The rules are at fault."
    click.echo(f"{verdict} ({len(proof.gaps)} gaps, {len(proof.overlapping)} overlaps, {seconds:.1f} s)")


def _print_facts(known: Directory, facts: Facts, programme: Programme | None, category: Category, place: Place) -> None:
    click.echo(f"Programme  {f'{programme.slug} ({programme.name_en})' if programme else 'unknown'}")
    click.echo(f"Category   {category.slug} ({category.name_en}; {category.sensitivity})")
    click.echo(f"Place      {', '.join(f'{each.name_en} ({each.code})' for each in known.within(place))}")
    click.echo(f"About      {facts.about}")
    click.echo(f"Filed on   {facts.filed_on.isoformat()}")


def _print_decision(session: Session, known: Directory, decision: Decision, on: date) -> None:
    office = known.office(decision.office_id)
    click.echo(f"\nQueue      {office.code}, desk {decision.desk}: {office.name_en} / {office.name_bn}")
    for post in holders(session, [office.id], on):
        if post.role == ROLE_OF_DESK[decision.desk]:
            click.echo(
                f"Held by    {post.acting.name_en if post.acting else 'nobody: the post is vacant'}, {post.name_en}"
            )
    rule = decision.rule
    click.echo(f"Decided by {rule.code}: {_conditions(rule)}")
    click.echo(f"           source: {rule.source}; in force {_period(rule.valid_from, rule.valid_to)}")


def _print_others(book: RuleBook, decision: Decision, facts: Facts) -> None:
    words = {
        "less-specific": "fits, but is less specific",
        "later-in-order": "fits as well, but comes later in order (an overlap)",
        "not-yet-valid": "fits, but is not in force yet",
        "expired": "fits, but has ended",
    }
    click.echo("\nOther rules")
    for rule, why in decision.why[1:]:
        period = f" ({_period(rule.valid_from, rule.valid_to)})" if why in ("not-yet-valid", "expired") else ""
        click.echo(f"  {rule.code}: {words[why]}{period}: {_conditions(rule)}")
    fitting = {rule.id for rule, _ in decision.why}
    others = [rule for rule in book.rules if rule.id not in fitting]
    same = [rule for rule in others if facts.programme and rule.programme == facts.programme]
    for rule in same:
        click.echo(f"  {rule.code}: does not fit, {_mismatch(rule, facts)}")
    reasons = Counter(_mismatch(rule, facts) for rule in others if rule not in same)
    for reason, count in reasons.most_common():
        click.echo(f"  {count} more: do not fit, {reason}")


def _mismatch(rule: Rule, facts: Facts) -> str:
    name = mismatch(rule, facts).removeprefix("other-")
    return "another kind of accused" if name == "about" else f"another {name}"


def _conditions(rule: Rule) -> str:
    given = [f"{name} = {value}" for name in SPECIFICITY if (value := getattr(rule, name)) is not None]
    return ", ".join(given) or "takes what no other rule takes"


def _period(start: date, end: date | None) -> str:
    return f"from {start.isoformat()}" + (f" until before {end.isoformat()}" if end else "")


def _day(session: Session, typed: str | None) -> date:
    if typed is None:
        return clock.dhaka_date(clock.now(session))
    day = parse_date(typed)
    if day is None:
        raise click.ClickException(f"{typed!r} is no date; write it as yyyy-mm-dd.")
    return day


def _programme(known: Directory, typed: str) -> Programme:
    return _only(known.find_programmes(typed), "programme", typed, known.near_names("programme", typed))


def _category(known: Directory, typed: str) -> Category:
    return _only(known.find_categories(typed), "category", typed, known.near_names("category", typed))


def _place(known: Directory, typed: str, *kinds: str, within: Place | None = None) -> Place:
    hits = known.find_places(typed, *kinds, within=within)
    return _only(hits, kinds[0], typed, known.near_names("place", typed, *kinds, within=within))


def _only(hits: tuple[T, ...], what: str, typed: str, near: tuple[str, ...]) -> T:
    """The one entry that was meant; otherwise a message that helps to name it."""
    if len(hits) == 1:
        return hits[0]
    if hits:
        codes = ", ".join(str(getattr(hit, "code", getattr(hit, "slug", ""))) for hit in hits)
        raise click.ClickException(f"{typed!r} may mean several: {codes}. Give the code.")
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise click.ClickException(f"There is no {what} {typed!r}.{hint}")
