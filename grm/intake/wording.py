"""The words of both forms: what a field is called, what helps to fill it, and how each fault is mended."""

from collections.abc import Callable

from grm.intake import facts_wording
from grm.intake.sieve import Problem
from grm.web.locale import gettext
from grm.web.presentation import number, show_date


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


LABELS: dict[str, str] = {
    **facts_wording.LABELS,
    "programme": _("Which programme is it about?"),
    "programme_words": _("Not in the list? Write the name you know"),
    "category": _("What is the complaint about?"),
    "district": _("In which district?"),
    "upazila": _("In which upazila or city?"),
    "details": _("Describe what happened"),
    "incident_on": _("When did it happen?"),
    "place": _("Where exactly?"),
    "about": _("Is the complaint against one of these?"),
    "anonymous": _("I do not want to give my name"),
    "on_behalf": _("I am filing this for somebody else"),
    "relation": _("What are you to that person?"),
    "representative_name": _("Your own name"),
    "name": _("Name of the person concerned"),
    "phone": _("Mobile number"),
    "email": _("E-mail address"),
    "others": _("Who complains with you?"),
    "sex": _("Sex"),
    "age_group": _("Age group"),
    "disability": _("Disability"),
    "language": _("Language of our messages"),
    "preferred_channel": _("How shall we tell you about it?"),
    "attachments": _("Photos or papers"),
    "declaration": _("What I have written is true to the best of my knowledge."),
    "medium": _("How did the complaint reach you?"),
    "received_on": _("Date of receipt"),
    "accused_office": _("Office complained of"),
}

HINTS: dict[str, str] = {
    **facts_wording.HINTS,
    "programme": _("If you are not sure, choose “I do not know”: we find the office."),
    "programme_words": _("A common, an old or a short name will do, such as VGD or 10-taka rice."),
    "upazila": _("Where the allowance is paid or the thing happened."),
    "details": _("Say it in your own words: what, when, who, how much. Do not write your secret code here."),
    "place": _("Village, union, ward, school, bank or office"),
    "about": _("Then it goes to the office above, and those you name cannot see it."),
    "anonymous": _(
        "We then keep no name, phone or e-mail. You follow the complaint with your two codes; if you lose them, "
        "nobody can find them for you."
    ),
    "phone": _("Eleven digits, for example 01712345678. It may belong to somebody you trust."),
    "name": _("The person who should get the allowance or service"),
    "others": _(
        "One person a line: name, then mobile number if there is one. At most 50. They hear of questions and decisions; "
        "the codes stay with you."
    ),
    "received_on": _("The time limits count from this day. Leave it empty for today."),
    "accused_office": _("Nobody in this office will see the case."),
}

_PHONE = _("Give a Bangladeshi mobile number of 11 digits (013 to 019), or leave it empty")
_DATE = _("Write the day, month and year, for example 25/03/2026, or leave it empty")
_AGAIN = _("Choose one from the list")

SENTENCES: dict[str, str] = {
    **facts_wording.SENTENCES,
    "programme-missing": _("Choose the programme or write its name; else choose “I do not know”"),
    "programme-unknown": _("Choose the programme from the list, or “I do not know”"),
    "programme-several": _("Several programmes go by this name: choose the one you mean"),
    "programme-perhaps": _("Do you mean this programme? Choose it, or “None of these”"),
    "category-missing": _("Choose what the complaint is about"),
    "category-unknown": _("Choose what the complaint is about"),
    "district-missing": _("Choose the district, or “I do not know”"),
    "district-unknown": _("Choose the district from the list, or “I do not know”"),
    "upazila-unknown": _("Choose the upazila or city from the list, or leave it open"),
    "upazila-elsewhere": _("This upazila or city is in another district: choose again"),
    "details-missing": _("Please describe the problem"),
    "declaration-missing": _("Tick the box to confirm that it is true"),
    "date-unreadable": _DATE,
    "date-in-future": _("This day has not come yet: check the date"),
    "control-characters": _("There are characters in it that cannot be read: type it again"),
    "email-invalid": _("Write the address like name@example.org, or leave it empty"),
    "email-too-long": _("Write the address like name@example.org, or leave it empty"),
    "channel-needs-phone": _("Give a mobile number for the SMS, or choose another way to be told"),
    "channel-needs-email": _("Give an e-mail address, or choose another way to be told"),
    "medium-missing": _("Choose how the complaint reached you"),
}


def label(name: str) -> str:
    """What a field is called, in the page's language."""
    return gettext(LABELS[name])


def hint(name: str) -> str:
    """What helps to fill a field; empty for most."""
    return gettext(HINTS[name]) if name in HINTS else ""


def sentence(problem: Problem) -> str:
    """How to mend a fault, in the page's language; every code has its sentence."""
    if problem.code in _WITH_FIGURES:
        return _WITH_FIGURES[problem.code](problem)
    if problem.code in SENTENCES:
        return gettext(SENTENCES[problem.code])
    if problem.code.startswith("phone-"):
        return gettext(_PHONE)
    return gettext(_AGAIN)


def _too_long(problem: Problem) -> str:
    return gettext(
        "These are %(count)s characters; at most %(limit)s fit. Please shorten by %(over)s.",
        count=number(problem.params["count"]),
        limit=number(problem.params["limit"]),
        over=number(problem.params["over"]),
    )


def _too_early(problem: Problem) -> str:
    return gettext("Check the year: the date must not be before %(day)s", day=show_date(problem.params["earliest"]))


def _in_lines(problem: Problem) -> str:
    return ", ".join(number(each) for each in problem.params["lines"])


def _others_phone(problem: Problem) -> str:
    return gettext(
        "Check the number in line %(lines)s: 11 digits (013 to 019). Without a number the name alone will do.",
        lines=_in_lines(problem),
    )


def _others_name(problem: Problem) -> str:
    return gettext(
        "The name in line %(lines)s is too long: at most %(limit)s characters, and each person on a line of their own.",
        lines=_in_lines(problem),
        limit=number(problem.params["limit"]),
    )


def _others_many(problem: Problem) -> str:
    return gettext(
        "These are %(count)s people; at most %(limit)s fit. Keep %(limit)s lines here: the office can add the others.",
        count=number(problem.params["count"]),
        limit=number(problem.params["limit"]),
    )


_WITH_FIGURES: dict[str, Callable[[Problem], str]] = {
    "too-long": _too_long,
    "date-too-early": _too_early,
    "others-phone": _others_phone,
    "others-name": _others_name,
    "others-many": _others_many,
    **facts_wording.WITH_FIGURES,
}
