"""The forms of referrals, parts of cases, directions and own-motion take-ups."""

from wtforms import BooleanField, SelectField, TextAreaField
from wtforms.validators import Optional

from grm.cases.action_form import ActionForm
from grm.cases.states import Action
from grm.cases.subcases import PASSED_ON
from grm.web.locale import lazy


class ReturnForm(ActionForm):
    """What was referred goes back."""

    reason = TextAreaField(
        lazy("Why it is returned"),
        description=lazy("The office that sent it reads this. If you know who is responsible, name the office."),
    )


class SplitForm(ActionForm):
    """A part of the case for another office."""

    office = SelectField(lazy("To which office"), validate_choice=False)
    part = TextAreaField(
        lazy("What that office is to do or answer"),
        description=lazy(
            "In your own words. That office sees this and what you tick below, and nothing else of the case."
        ),
    )
    pass_place = BooleanField(lazy("Tell the place"))
    pass_incident_on = BooleanField(lazy("Tell when it happened"))
    pass_claim = BooleanField(lazy("Tell the payment or correction facts"))
    pass_details = BooleanField(lazy("Tell the words of the complaint"))

    def passed_on(self) -> tuple[str, ...]:
        """What was ticked."""
        return tuple(each for each in PASSED_ON if f"pass_{each}" in self and self[f"pass_{each}"].data)


class TakeUpForm(ActionForm):
    """A superior takes a late case."""

    reason = TextAreaField(
        lazy("Reason"),
        description=lazy("You decide it from now on, under a new date. Who had it and the complainant are told."),
    )


class DirectForm(ActionForm):
    """A direction of the Cabinet Division."""

    direction = TextAreaField(
        lazy("Direction to the office"),
        description=lazy("What is to be done and reported. The office cannot end the case before it has answered."),
    )


class RemindForm(ActionForm):
    """A reminder (তাগিদ) to who has the case."""

    reminder = TextAreaField(
        lazy("What you want to remind of"),
        [Optional()],
        description=lazy("It stands in the history of the case. The complainant does not see it."),
    )


class AnswerDirectionForm(ActionForm):
    """What was done on a direction."""

    report = TextAreaField(
        lazy("Answer to the Cabinet Division"),
        description=lazy("What was done, when, and what remains. The complainant does not see it."),
    )


FORMS: dict[Action, type[ActionForm]] = {
    Action.ACCEPT: ActionForm,
    Action.RETURN: ReturnForm,
    Action.SPLIT: SplitForm,
    Action.TAKE_UP: TakeUpForm,
    Action.DIRECT: DirectForm,
    Action.REMIND: RemindForm,
    Action.ANSWER_DIRECTION: AnswerDirectionForm,
}
