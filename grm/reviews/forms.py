"""The form of a review."""

from typing import Any

from wtforms import RadioField, TextAreaField

from grm.reviews.findings import ANSWERS, LONGEST_REMARK, Written
from grm.web.forms import BaseForm
from grm.web.labels import label
from grm.web.locale import gettext, lazy
from grm.web.presentation import digits


class ReviewForm(BaseForm):
    """One answer to each question, and a remark. What is right is checked by the service."""

    contacted = RadioField(lazy("Was the complainant spoken to before it was closed?"), validate_choice=False)
    to_the_point = RadioField(lazy("Is the reply to the point of the complaint?"), validate_choice=False)
    passed_on = RadioField(
        lazy("Was it closed by passing it on, to a junior or to another office?"), validate_choice=False
    )
    evidence = RadioField(lazy("Is there evidence of what was done, where it is needed?"), validate_choice=False)
    reopen = RadioField(
        lazy("Would an appeal likely succeed, so that it should be opened again?"), validate_choice=False
    )
    remark = TextAreaField(lazy("What was found"))

    def offer(self, *, needs_evidence: bool = False) -> "ReviewForm":
        """Put the choices in place; where the matter needs evidence, "none is needed" is none of them."""
        for question, known in ANSWERS.items():
            answers = [each for each in known if not (needs_evidence and each == "not_needed")]
            field: Any = self[question]
            field.choices = [(answer, label("review_answer", answer)) for answer in answers]
        return self

    def written(self) -> Written:
        """What was filled in."""
        values = {field.name: str(field.data or "") for field in self if field.name in (*ANSWERS, "remark")}
        return Written(**values)

    def show_faults(self, faults: dict[str, str]) -> None:
        """Put what the service found beside the fields."""
        for name, code in faults.items():
            self[name].errors = [_fault(code)]


def _fault(code: str) -> str:
    known: dict[str, Any] = {
        "choose-one": gettext("Choose one of the answers"),
        "evidence-is-needed": gettext("In this matter somebody has to go and see: answer yes or no"),
        "say-what-was-found": gettext("Say in a sentence what was found: the office must be able to mend it"),
        "too-long": gettext("Please shorten it to %(count)s characters", count=digits(LONGEST_REMARK)),
    }
    return str(known[code])
