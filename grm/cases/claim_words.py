"""The facts of a payment or a correction, and what they point to, in words."""

from datetime import date

from grm.cases.claims import Told
from grm.cases.sides import Facts, Hint, Known, Side, hint
from grm.kernel.errors import NotFound
from grm.offices.directory import Directory
from grm.web.labels import label
from grm.web.locale import gettext
from grm.web.presentation import digits, name, number, show_month

ABOUT_ACCOUNT = frozenset({"payment-account"})
"""Categories about a wallet or an account that does not work, whatever was or was not sent."""


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


SIDES: dict[Side, str] = {
    Side.MINISTRY: _("Points to the ministry"),
    Side.PROVIDER: _("Points to the payment provider"),
    Side.IDENTITY: _("Points to the identity side"),
    Side.OPEN: _("First find out whether it was sent"),
}
WHY: dict[str, str] = {
    "identity-data": _(
        "Name, NID and date of birth come from the identity card. Compare them with the card; if the card is wrong, the "
        "Election Commission's NID wing corrects it, and the list follows."
    ),
    "account-data": _(
        "The number must be in the person's own name with the provider. Ask the provider's desk whether it is, then "
        "change the list."
    ),
    "list-data": _("This stands in the ministry's own list: the ministry can change it."),
    "handed-over": _("The money is handed over by an office or a person: there is no provider to ask."),
    "account-trouble": _("The wallet or account does not work: the provider's desk can see why."),
    "part-came": _("A part has come, so it was sent. What is missing was kept back, or taken as a charge, on the way."),
    "sent-or-not": _(
        "Look in the registry, or ask the programme: if it was sent and has not arrived, ask the provider; if it was not "
        "sent, the ministry must say why; if name and NID do not match, the identity side."
    ),
    "never-enrolled": _("The registry does not know this person in this programme: nothing could be sent."),
    "came-back-identity": _("It came back because name or NID of the account and of the list differ."),
    "came-back": _(
        "It came back from the account: the provider's desk can see why, then the account is to be changed."
    ),
    "not-sent": _("The registry has no payment for these months: the ministry must say why."),
    "sent-less": _("Less was sent than should have come: the ministry must say why."),
    "sent-not-received": _("It was sent in full. Ask the provider's desk where it is."),
}


def heading(told: Told | None) -> str:
    """What the part of the page with the facts is called."""
    return (
        gettext("About the correction")
        if told is not None and told.kind == "correction"
        else gettext("About the money")
    )


def lines(told: Told, book: Directory) -> tuple[tuple[str, str], ...]:
    """What was told, as (what, answer) pairs; what was not told is left out."""
    found: list[tuple[str, str]] = []
    if period := _period(told.period_from, told.period_to):
        found.append((gettext("Months"), period))
    if told.taka_expected is not None:
        found.append((gettext("Should have come"), _taka(told.taka_expected)))
    if told.taka_received is not None:
        found.append((gettext("Has come"), _taka(told.taka_received)))
    if told.provider_kind:
        found.append((gettext("Comes by"), label("provider_kind", told.provider_kind)))
    if told.provider_id is not None:
        found.append((gettext("Provider"), _provider(book, told.provider_id)))
    if told.account_note:
        found.append((gettext("Account number"), digits(told.account_note)))
    if told.correct_what:
        found.append((gettext("What is wrong"), label("correct_what", told.correct_what)))
    if told.correct_from:
        found.append((gettext("Is written there"), told.correct_from))
    if told.correct_to:
        found.append((gettext("Should be"), told.correct_to))
    return tuple(found)


def hint_of(told: Told, category: str, known: Known | None = None) -> Hint | None:
    """What the facts of a case of a category (slug) point to."""
    facts = Facts(
        kind=told.kind,
        is_about_account=category in ABOUT_ACCOUNT,
        correct_what=told.correct_what,
        provider_kind=told.provider_kind,
        period_from=told.period_from,
        period_to=told.period_to,
        taka_expected=told.taka_expected,
        taka_received=told.taka_received,
    )
    return hint(facts, known)


def side(found: Hint) -> str:
    """Whom a hint points to, as a heading."""
    return gettext(SIDES[found.side])


def why(found: Hint) -> str:
    """Why, in a sentence."""
    return gettext(WHY[found.why])


def _period(start: date | None, end: date | None) -> str:
    if start is None or end is None:
        return ""
    return show_month(start) if start == end else f"{show_month(start)} – {show_month(end)}"


def _taka(amount: int) -> str:
    return gettext("%(amount)s taka", amount=number(amount))


def _provider(book: Directory, office_id: int) -> str:
    try:
        return name(book.office(office_id))
    except NotFound:
        return "–"
