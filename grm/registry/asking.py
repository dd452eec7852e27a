"""A look-up as pages ask for it: what was typed, a limit for each officer, and what to say where there is no answer."""

from dataclasses import dataclass
from datetime import timedelta

from flask import request
from werkzeug.wrappers import Request
from wtforms import StringField

from grm.kernel.actor import Actor
from grm.kernel.errors import InvalidInput, TooMany, Unavailable
from grm.kernel.transaction import transaction
from grm.registry import service
from grm.registry.service import Answer
from grm.web import throttle
from grm.web.forms import BaseForm
from grm.web.locale import gettext, lazy
from grm.web.security import form_is_stale, keyed_hash

MOST_IN_AN_HOUR = 120
"""A desk files two hundred complaints on a busy day. Who asks more often in an hour copies the list."""
_HOUR = timedelta(hours=1)


class LookUpForm(BaseForm):
    """The one field: a number that is typed, never kept."""

    key = StringField(
        lazy("Beneficiary number or NID"),
        description=lazy("Each look-up is on record with your name."),
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """How a look-up went: the form to show again, the answer if there is one, and the status of the page."""

    form: LookUpForm
    answer: Answer | None = None
    status: int = 200
    problem: str = ""


def ask(actor: Actor, tracking_number: str | None = None) -> Asked:
    """Look up what was posted. Commits its record: call it outside any act, and read again what you had read before.

    Raises `Forbidden` and `TooMany`.
    """
    form = LookUpForm(request.form)
    if form_is_stale():
        form.form_errors.append(
            gettext("This page was open for too long. Nothing is lost: check it and press the button again.")
        )
        return Asked(form, status=400)
    _count(actor)
    try:
        return Asked(form, service.look_up(actor, form.key.data or "", tracking_number))
    except InvalidInput as error:
        form.key.errors = [_fault(error.code)]
        return Asked(form, status=422)
    except Unavailable as error:
        if error.code == "no-registry":
            return Asked(form, problem=gettext("No registry is connected to this system yet."))
        problem = gettext("The registry does not answer now. Go on without it, and try again in a minute.")
        return Asked(form, status=503, problem=problem)


def wants_fragment(of: Request) -> bool:
    """Whether a script asks, which puts the answer into the page it is on."""
    return of.headers.get("X-Fragment") == "registry"


def _count(actor: Actor) -> None:
    if not service.may_look_up(actor):
        return  # the service refuses
    with transaction() as act:
        key = keyed_hash("registry", str(actor.officer_id))
        if throttle.count(act.session, key, act.now, _HOUR) > MOST_IN_AN_HOUR:
            raise TooMany("too-many-look-ups", retry_after_seconds=600)


def _fault(code: str) -> str:
    return {
        "key-missing": gettext("Type the beneficiary number or the NID"),
        "key-unreadable": gettext("Letters and figures only, 4 to 30 of them: check the number"),
    }[code]
