"""The base of the forms of the case page; `grm/cases/forms.py` has most of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import SelectField

from grm.cases import wording
from grm.cases.content import LONGEST_TEXT, SHORTEST_REPLY
from grm.cases.states import Action
from grm.web.forms import BaseForm


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

    def preset(self, name: str, value: str) -> None:
        """Fill in a field of a form that was not sent yet."""
        for field in self:
            if field.name == name and field.data is None:
                field.data = value

    def drop(self, *names: str) -> None:
        """Leave fields out that do not apply to this case."""
        for name in names:
            if name in self._fields:
                del self[name]

    def show_faults(self, faults: Mapping[str, str]) -> None:
        """Put what the service found beside the fields."""
        for field in self:
            if field.name in faults:
                field.errors = [wording.fault(faults[field.name], SHORTEST_REPLY, LONGEST_TEXT)]

    def kept(self) -> dict[str, str]:
        """What somebody wrote, to be shown where the form is gone."""
        return {field.name: str(field.data or "") for field in self}

    def typed(self) -> dict[str, str]:
        """What the fields hold, as text."""
        return {field.name: str(field.data or "") for field in self}
