"""The flask commands: every package's own groups and `setup`.

A package with commands has a module `commands` whose AppGroups and top-level commands are found here; groups of the same
name are merged, because `deadlines explain` and `deadlines sweep` belong to different packages. The modules are imported at
the first command only: the web server never needs them.
"""

from collections.abc import Callable, Iterator
from importlib import import_module

import click
from flask import Flask
from flask.cli import AppGroup, ScriptInfo

COMMAND_MODULES = (
    "grm.setup",
    "grm.kernel.commands",
    "grm.offices.commands",
    "grm.offices.account_commands",
    "grm.registry.commands",
    "grm.routing.commands",
    "grm.deadlines.commands",
    "grm.cases.commands",
    "grm.cases.people_commands",
    "grm.cases.attachment_commands",
    "grm.cases.search_commands",
    "grm.cases.sample_commands",
    "grm.escalation.commands",
    "grm.escalation.calendar_commands",
    "grm.notifications.commands",
    "grm.notifications.bounce_commands",
    "grm.intake.commands",
    "grm.reports.commands",
    "grm.reports.beneficiary_commands",
    "grm.exports.commands",
    "grm.opendata.commands",
    "grm.alarms.commands",
    "grm.returns.commands",
    "grm.tallies.commands",
    "grm.watch.commands",
    "grm.watch.restore_commands",
    "grm.demo.commands",
)
"""Where commands are looked for; a module need not exist."""

Say = Callable[[str], None]


class Commands(AppGroup):
    """All commands of the application, those of the packages imported when first asked for."""

    _is_loaded = False

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        self._load()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, None where there is none."""
        self._load()
        return super().get_command(ctx, cmd_name)

    def _load(self) -> None:
        if self._is_loaded:
            return
        self._is_loaded = True
        for module in COMMAND_MODULES:
            for command in _commands_of(module):
                self._merge(command)

    def _merge(self, command: click.Command) -> None:
        there = self.commands.get(command.name or "")
        if isinstance(there, click.Group) and isinstance(command, click.Group):
            for part in command.commands.values():
                there.add_command(part)
        else:
            self.add_command(command)


def register(app: Flask) -> Flask:
    """Give an application its commands: `flask --app wsgi …` and `app.test_cli_runner()` then know them."""
    app.cli = Commands(app.name, commands=dict(app.cli.commands))
    command = click.get_current_context(silent=True)
    if command and command.find_object(ScriptInfo):  # flask's command line, which also has Flask-Migrate's `db`
        from grm.setup import prepare_migrations

        prepare_migrations(app)
    return app


def set_up(app: Flask, demo: bool, say: Say = lambda line: None) -> None:
    """Bring the database to what this release needs, see `grm.setup.set_up`."""
    from grm import setup  # here, because wsgi.py imports this module and the web server needs no migrations

    setup.set_up(app, demo, say)


def _commands_of(module: str) -> Iterator[click.Command]:
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise  # the module exists, what it needs does not
        return
    commands = [value for value in vars(found).values() if isinstance(value, click.Command)]
    parts = {id(part) for group in commands if isinstance(group, click.Group) for part in group.commands.values()}
    yield from (command for command in commands if id(command) not in parts)
