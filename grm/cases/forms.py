"""The forms of the case page: one for each action, named by the fields of `docs/interface`. What is right is checked by the
service (`grm/cases/content.py`); its faults are put beside the fields here."""

from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import RadioField, SelectField, TextAreaField
from wtforms.validators import Optional

from grm.cases import wording
from grm.cases.content import LONGEST_TEXT, SHORTEST_REPLY
from grm.cases.states import CONTACTS, DECLINE_REASONS, OUTCOMES, Action
from grm.web.forms import BaseForm
from grm.web.labels import label
from grm.web.locale import gettext, lazy


class ActionForm(BaseForm):
    """An action without fields of its own. Field ids are told apart by the action, since a page holds many forms."""

    action: Action

    def __init__(self, action: Action, formdata: Any = None) -> None:
        super().__init__(formdata)
        self.action = action
        for field in self:
            field.id = f"{action.value.lower()}-{field.name}"
            field.label.field_id = field.id

    @property
    def is_bare(self) -> bool:
        """Whether there is nothing to fill in: a button will do."""
        return not self._fields

    def offer(self, **choices: Sequence[Any]) -> "ActionForm":
        """Set the choices of selects; groups of choices are given as a mapping by WTForms' rules."""
        for field in self:
            if isinstance(field, SelectField) and field.name in choices:
                field.choices = choices[field.name]
        return self

    def describe(self, name: str, text: str) -> None:
        """Set the hint under a field."""
        for field in self:
            if field.name == name:
                field.description = text

    def show_faults(self, faults: Mapping[str, str]) -> None:
        """Put what the service found beside the fields."""
        for field in self:
            if field.name in faults:
                field.errors = [wording.fault(faults[field.name], SHORTEST_REPLY, LONGEST_TEXT)]

    def typed(self) -> dict[str, str]:
        """What the fields hold, as text."""
        return {field.name: str(field.data or "") for field in self}


class AssignForm(ActionForm):
    """Give the case to an officer of the desk."""

    assignee = SelectField(lazy("Officer"), validate_choice=False)


class NoteForm(ActionForm):
    """An internal note."""

    note = TextAreaField(lazy("Internal note"), description=lazy("The complainant never sees it."))


class AskForm(ActionForm):
    """A question to the complainant."""

    question = TextAreaField(lazy("Question"))


class ReferForm(ActionForm):
    """Another office takes over."""

    office = SelectField(lazy("To which office"), validate_choice=False)
    reason = TextAreaField(lazy("Reason"), description=lazy("Number and clock go on."))


class ResolveForm(ActionForm):
    """The answer."""

    outcome = RadioField(lazy("Outcome"), validate_choice=False)
    reply = TextAreaField(
        lazy("Reply to the complainant"),
        description=lazy("In the complainant's language: what was found, what was done, and why."),
    )
    contact = RadioField(lazy("Were you in touch with the complainant?"), validate_choice=False)
    reason = TextAreaField(lazy("Why the complainant could not be reached"), [Optional()])
    root_cause = TextAreaField(lazy("Root cause"))
    prevention = TextAreaField(lazy("To prevent it from happening again"))


class DeclineForm(ActionForm):
    """Out of scope."""

    reason = RadioField(
        lazy("Reason"),
        validate_choice=False,
        description=lazy("What belongs to another office is referred, not declined."),
    )
    reply = TextAreaField(lazy("Reply to the complainant"), description=lazy("Say where they can turn instead."))


class CloseForm(ActionForm):
    """The file ends."""

    reason = TextAreaField(lazy("Reason"), [Optional()])


FORMS: dict[Action, type[ActionForm]] = {
    Action.ACKNOWLEDGE: ActionForm,
    Action.CLAIM: ActionForm,
    Action.ASSIGN: AssignForm,
    Action.NOTE: NoteForm,
    Action.ASK: AskForm,
    Action.REFER: ReferForm,
    Action.RESOLVE: ResolveForm,
    Action.DECLINE: DeclineForm,
    Action.CLOSE: CloseForm,
}


def form_for(action: Action, formdata: Any = None) -> ActionForm:
    """The form of an action, filled with what was typed, its fixed choices in place."""
    form = FORMS[action](action, formdata)
    return form.offer(
        **({"reason": _choices("decline_reason", DECLINE_REASONS)} if action is Action.DECLINE else {}),
        outcome=_choices("outcome", OUTCOMES),
        contact=_choices("contact", CONTACTS),
    )


def nothing_chosen() -> tuple[str, str]:
    """The empty first choice of a select."""
    return ("", gettext("Choose …"))


def _choices(group: str, codes: Sequence[str]) -> list[tuple[str, str]]:
    return [(code, label(group, code)) for code in codes]
