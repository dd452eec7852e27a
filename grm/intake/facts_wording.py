"""The words of the fields of a payment or a correction, on both forms; `grm/intake/wording.py` takes them up."""

from grm.intake.sieve import Problem
from grm.web.locale import gettext
from grm.web.presentation import number


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


LABELS: dict[str, str] = {
    "period_from": _("From which month?"),
    "period_to": _("Until which month?"),
    "taka_expected": _("How much taka should have come?"),
    "taka_received": _("How much has come?"),
    "provider_kind": _("How does the money come?"),
    "provider": _("Through whom?"),
    "account_note": _("Into which mobile or account number?"),
    "correct_what": _("What is wrong?"),
    "correct_from": _("What is written there now?"),
    "correct_to": _("What should it be?"),
}

HINTS: dict[str, str] = {
    "period_from": _("If it is older, write it above."),
    "period_to": _("The same month, if it is about one only."),
    "taka_expected": _("For these months together. Leave it empty if you do not know."),
    "taka_received": _("Write 0 if nothing has come."),
    "account_note": _("And in whose name it is. Never write a PIN or a password, here or anywhere."),
    "correct_from": _("As on the list, the card or the phone. Leave it empty if you do not know."),
    "correct_to": _("As on your identity card or your SIM. Never write a PIN or a password."),
}

SENTENCES: dict[str, str] = {
    "period-unreadable": _("Choose the month from the list, or leave it open"),
    "period-in-future": _("This month has not come yet: choose again"),
    "period-too-early": _("Check the year of the month, or leave it open"),
    "period-reversed": _("The last month lies before the first: choose again"),
    "taka-unreadable": _("Write the amount in figures, for example 1500, or leave it empty"),
    "provider_kind-unknown": _("Choose how the money comes, or leave it open"),
    "provider-unknown": _("Choose the provider from the list, or leave it open"),
    "correct_what-unknown": _("Choose what is wrong"),
}


def too_much(problem: Problem) -> str:
    """The sentence for an amount that nobody is owed."""
    return gettext("Check the amount: more than %(most)s taka cannot be right", most=number(problem.params["most"]))


WITH_FIGURES = {"taka-too-much": too_much}
