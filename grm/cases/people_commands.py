"""`flask postings` and `flask accounts`: ending postings and closing accounts by an operator's hand, with the same refusals as
the pages. Nothing of a case is printed, only how much there is."""

from collections import Counter

import click
from flask.cli import AppGroup
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from grm.accounts import passwords
from grm.accounts.models import Officer
from grm.accounts.service import find_officer
from grm.cases.handover import Wanted, WorkLeft, hand_over
from grm.cases.handover_ground import DESK, Choices
from grm.kernel import clock
from grm.kernel.actor import SYSTEM
from grm.kernel.clock import dhaka_date
from grm.kernel.db import db
from grm.kernel.errors import GrmError
from grm.kernel.transaction import transaction
from grm.offices import account_changes
from grm.offices.models import Office, Post, Posting

postings = AppGroup("postings", help="Who sits in which post.")
accounts = AppGroup("accounts", help="Officers' accounts.")

TO = "Who takes the work over: a user name, or 'desk' for back to the desk. For one office of several: OFFICE=WHO."
SENTENCES = {
    "posting-has-ended": "This posting has ended already.",
    "account-closed": "The account is closed already.",
    "account-open": "The account is open already.",
}


@postings.command("end")
@click.argument("username")
@click.option("--office", required=True, help="Code of the office.")
@click.option("--post", help="Code of the post, where the officer has several there.")
@click.option("--to", "targets", multiple=True, help=TO)
@click.option("--work-only", is_flag=True, help="Hand the work over, and leave the officer in the post.")
def end(username: str, office: str, post: str | None, targets: tuple[str, ...], work_only: bool) -> None:
    """End an officer's posting today, with everything handed over in the same act."""
    session = db.session()
    officer = _officer(session, username)
    posting_id = _posting(session, officer.id, office, post)
    _run(Wanted(posting_id=posting_id, is_work_only=work_only), _choices(session, officer.id, targets))


@accounts.command("deactivate")
@click.argument("username")
@click.option("--to", "targets", multiple=True, help=TO)
def deactivate(username: str, targets: tuple[str, ...]) -> None:
    """Close an account: all its posts end, everything is handed over, and its sessions end at once."""
    session = db.session()
    officer = _officer(session, username)
    _run(Wanted(officer_id=officer.id), _choices(session, officer.id, targets))


@accounts.command("reactivate")
@click.argument("username")
def reactivate(username: str) -> None:
    """Open a closed account again and print a password that is good for three days; posts are not given back."""
    password = passwords.one_time_password()
    given_hash = passwords.hash_password(password)
    officer_id = _officer(db.session(), username).id
    db.session().rollback()
    try:
        with transaction() as act:
            account_changes.reopen_account(act.session, act.now, officer_id, given_hash, actor=SYSTEM)
    except GrmError as error:
        raise click.ClickException(SENTENCES.get(error.code, error.code)) from None
    click.echo(f"Account {username} is open again. Password until changed: {password}")


def _run(wanted: Wanted, choices: Choices) -> None:
    db.session().rollback()
    try:
        number = hand_over(SYSTEM, wanted, choices)
    except WorkLeft as error:
        lines = [f"  {count:5} {kind}" for kind, count in Counter(duty.kind for duty in error.left).items()]
        raise click.ClickException(
            "Nothing was changed. These are not handed over; say who takes them with --to:\n" + "\n".join(lines)
        ) from None
    except GrmError as error:
        raise click.ClickException(SENTENCES.get(error.code, error.code)) from None
    click.echo("Done." if number is None else f"Done, handover {number}.")


def _officer(session: Session, username: str) -> Officer:
    officer = find_officer(session, username)
    if officer is None:
        raise click.ClickException(f"There is no account {username!r}.")
    return officer


def _posting(session: Session, officer_id: int, office: str, post: str | None) -> int:
    today = dhaka_date(clock.now(session))
    held = (
        select(Posting.id, Post.code)
        .join(Post, Post.id == Posting.post_id)
        .join(Office, Office.id == Post.office_id)
        .where(Posting.officer_id == officer_id, Office.code == office.strip().lower())
        .where(or_(Posting.ends_on.is_(None), Posting.ends_on > today))
    )
    rows = [row for row in session.execute(held) if post is None or row.code == post]
    if len(rows) != 1:
        codes = ", ".join(sorted(row.code for row in rows))
        raise click.ClickException(f"Say which post with --post: {codes}." if rows else "There is no such posting.")
    return int(rows[0].id)


def _choices(session: Session, officer_id: int, targets: tuple[str, ...]) -> Choices:
    """The successor for each office; one without an office is for all of them."""
    by_office: dict[int, int] = {}
    offices = {row.code: row.id for row in session.execute(select(Office.code, Office.id))}
    for target in sorted(targets, key=lambda typed: "=" in typed):
        code, _, who = target.rpartition("=")
        chosen = DESK if who == "desk" else _officer(session, who).id
        if code and code not in offices:
            raise click.ClickException(f"There is no office {code!r}.")
        by_office |= dict.fromkeys([offices[code]] if code else offices.values(), chosen)
    return Choices(by_office, {}, {})
