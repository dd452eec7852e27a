"""`flask accounts`: officers' accounts."""

import click
from flask.cli import AppGroup

from grm.accounts import passwords
from grm.kernel.actor import ROLES
from grm.kernel.errors import GrmError
from grm.kernel.transaction import transaction
from grm.offices.accounts import ADMIN, check_username, open_account
from grm.offices.directory import CELL, Directory
from grm.offices.models import Office
from grm.offices.queries import directory

SENTENCES = {
    "username-invalid": "A user name consists of at most 80 letters a-z, digits, dots, hyphens and underscores.",
    "username-taken": "There is an account {username} already.",
    "name-missing": "The names must not be blank.",
    "office-and-role": "Every role but admin needs --office, and admin has none.",
    "no-such-post": "The office {office} has no post with the role {role}.",
    "post-is-held": "The post {role} of {office} is held; end that posting first, or add --alternate.",
    "password-too-short": "The password must have at least {shortest} characters.",
    "password-too-long": "The password must have at most {longest} characters.",
    "password-too-common": "The password is too common; take several words that do not belong together.",
}
"""What the errors mean to whoever types the command; contact errors say their code, which names the fault."""

group = AppGroup("accounts", help="Officers' accounts.")


@group.command("create")
@click.argument("username")
@click.option("--name-bn", required=True, help="Name in Bangla.")
@click.option("--name-en", required=True, help="Name in English.")
@click.option("--email", help="Address for messages.")
@click.option("--phone", help="Mobile number for SMS.")
@click.option("--role", required=True, type=click.Choice((*ROLES, ADMIN)), help="The post's role; admin holds no post.")
@click.option(
    "--office", "typed", help="Code or name: cell, social-welfare, dc-3026, 'Ministry of Food'. Not for admin."
)
@click.option("--alternate", is_flag=True, help="Acts in the absence of the regular holder.")
@click.password_option(help="Asked for when not given; given here it stays in the shell's history.")
def create(
    username: str,
    name_bn: str,
    name_en: str,
    email: str | None,
    phone: str | None,
    role: str,
    typed: str | None,
    alternate: bool,
    password: str,
) -> None:
    """Make an account and post its officer, from today, to a vacant post of the office."""
    try:
        check_username(username)
        passwords.check_new(password)
        password_hash = passwords.hash_password(password)
        with transaction() as act:
            code = _office_code(directory(act.session), typed) if typed else None
            office = act.session.query(Office).filter_by(code=code).one() if code else None
            officer, post = open_account(
                act.session,
                act.now,
                username=username,
                password_hash=password_hash,
                name_bn=name_bn,
                name_en=name_en,
                role=role,
                office=office,
                email=email,
                phone=phone,
                is_alternate=alternate,
            )
            where = f"{post.name_en}, {code}" if post is not None else "administrator"
            name = officer.username
    except GrmError as error:
        raise click.ClickException(SENTENCES.get(error.code, error.code).format(**error.params)) from None
    click.echo(f"Account {name} created: {where}.")


def _office_code(known: Directory, typed: str) -> str:
    """The code of the office that was meant: by its code, its ministry's names, or its district's for a DC office."""
    codes = {office.code for office in known.offices}
    if typed.strip().lower() in codes:
        return typed.strip().lower()
    hits = [known.office_of(ministry.id).code for ministry in known.find_ministries(typed)]
    hits += [known.district_office(place.id).code for place in known.find_places(typed, "district")]
    if len(hits) == 1:
        return hits[0]
    near = tuple(dict.fromkeys((*known.near_names("office", typed), *known.near_names("ministry", typed))))[:3]
    hint = f" Did you mean {' or '.join(near)}?" if near else f" The cell's code is {CELL}, a ministry's is its slug."
    raise click.ClickException(f"There is no office {typed!r}.{hint}")
