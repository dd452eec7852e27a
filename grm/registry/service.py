"""Looking a beneficiary up: by officers and desks only, each time on record, from the registry that is connected.

With `REGISTRY_URL` another system is asked, otherwise the file that was loaded (`flask registry import`). The record is
committed before anybody is asked, so a look-up whose answer was never shown is on record too; it names the officer and what
was looked up by a keyed hash, so that "who asked for this person?" can be answered by whoever knows the number.
"""

from dataclasses import dataclass

from grm.kernel import audit, context
from grm.kernel.actor import Actor
from grm.kernel.db import db
from grm.kernel.errors import Forbidden, InvalidInput, Unavailable
from grm.kernel.transaction import transaction
from grm.registry import loaded
from grm.registry.beneficiary import Beneficiary, parse_key
from grm.registry.remote import registry_at

ROLES = ("gro", "case_officer", "appeal_officer", "cell_officer", "desk_officer")
"""Who may look somebody up: whoever handles cases or files them for others. Not a payment provider's desk: it has its own."""
STREAM = "registry"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a look-up has brought: nobody, or those who go by the key; `key` as it was understood."""

    key: str
    people: tuple[Beneficiary, ...]


def may_look_up(actor: Actor) -> bool:
    """Whether an officer may ask the registry: by a seat of his that is no payment provider's."""
    return any(seat.office_kind != "provider" for seat in actor.seats_as(*ROLES))


def look_up(actor: Actor, typed: str, tracking_number: str | None = None) -> Answer:
    """Whoever goes by a beneficiary id or an NID; `tracking_number` is the case it is for, which the caller has checked.

    Call it outside any act: it commits its record, and asks another system with no transaction open. Raises `Forbidden`,
    `InvalidInput` with field `key`, `Unavailable` `registry-away` or `no-registry`.
    """
    if not may_look_up(actor):
        raise Forbidden
    try:
        key = parse_key(typed)
    except InvalidInput as error:
        raise InvalidInput(error.code, fields={"key": error.code}) from None
    with transaction() as act:
        data = {"key": context.keyring().blind_index("registry-key", key).hex(), "for": tracking_number}
        audit.record(act.session, STREAM, "looked-up", actor, act.now, **data)
    settings = context.settings()
    if settings.registry_url:
        return Answer(key, registry_at(settings.registry_url, settings.registry_token).find(key))
    session = db.session()
    people = loaded.find(session, key)
    if not people and not loaded.is_loaded(session):
        raise Unavailable("no-registry")
    return Answer(key, people)
