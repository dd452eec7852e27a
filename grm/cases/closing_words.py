"""The words of questions about a reply, and of hearings."""

from grm.cases.hearings import HearingLine
from grm.cases.quality import Question
from grm.web.locale import gettext


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


QUESTIONS: dict[str, str] = {
    "empty": _(
        "This reply seems to say nothing of the matter itself. Write what was found, what was done and when, and why."
    ),
    "unfilled": _("A blank is left open. Fill in what stands in brackets, or take it out."),
    "canned": _("This is a canned text as it came. Add what was found and done in this very case."),
    "repeated": _("Your office has sent the same reply in another case. Write what was found in this one."),
    "language": _("This is hardly in the complainant's language. Write it in the language of the complaint."),
    "language-bn": _("This is hardly in Bangla, the complainant's language. Write it in Bangla."),
    "language-en": _("This is hardly in English, the complainant's language. Write it in English."),
}

CONFIRM: dict[str, str] = {
    "empty": _("I have looked again: it says all that there is to say."),
    "unfilled": _("I have looked again: nothing is left open."),
    "canned": _("I have looked again: these words are enough here."),
    "repeated": _("I have looked again: the same words are right here too."),
    "language": _("I have looked again: the complainant can read it."),
}
"""What an officer ticks who finds that it is right as it is."""

OUTCOMES_OF_HEARINGS: dict[str, str] = {
    "planned": _("To come"),
    "passed": _("Not recorded yet"),
    "held": _("Held"),
    "cancelled": _("Called off"),
    "complainant": _("The complainant did not come"),
    "office": _("The office did not come"),
}


def question(asked: Question) -> str:
    """What is asked, and what to do about it."""
    return gettext(QUESTIONS[f"{asked.code}-{asked.language}" if asked.language else asked.code])


def confirmation(asked: Question) -> str:
    """What is ticked to send it as it is."""
    return gettext(CONFIRM[asked.code])


def hearing_state(line: HearingLine, has_passed: bool) -> str:
    """What has become of a hearing."""
    state = line.missed_by or line.state
    if state == "planned" and has_passed:
        state = "passed"
    return gettext(OUTCOMES_OF_HEARINGS[state])
