"""Lists of choices are written by a widget of our own: what it writes is what WTForms would write."""

from typing import Any

import pytest
from wtforms import SelectField, SelectMultipleField
from wtforms.widgets import Select

from grm.web.forms import BaseForm
from grm.web.locale import lazy

NASTY = [("", "Choose …"), (1, "<b>'Dhaka' & \"Co\"</b>"), ('"><script>', lazy("Dhaka")), (2.5, ""), ("ঢাকা", "ঢাকা")]
CHOICES: dict[str, Any] = {
    "flat": NASTY,
    "groups": {"One & <two>": NASTY[:2], "Other": NASTY[2:]},
    "styled": [("a", "A", {"class": "x", "disabled": True}), ("b", "B", {})],
    "plain": ["a", "<b>"],
}


@pytest.mark.filterwarnings("ignore:Passing SelectField choices:DeprecationWarning")
@pytest.mark.parametrize("kind", [SelectField, SelectMultipleField])
@pytest.mark.parametrize("name", CHOICES)
def test_choices_are_written_as_wtforms_writes_them(kind: Any, name: str) -> None:
    class Form(BaseForm):
        pick = kind(choices=CHOICES[name], coerce=str)

    data = {"pick": ["1", "ঢাকা", "b"] if kind is SelectMultipleField else "1"}
    attributes: dict[str, Any] = {"aria_describedby": "hint", "class": "w-m", "required": False}
    ours = str(Form(data=data).pick(**attributes))
    theirs_form = Form(data=data)
    theirs_form.pick.widget = _Own(multiple=kind is SelectMultipleField)
    assert ours == str(theirs_form.pick(**attributes))
    choices = CHOICES[name]
    assert ours.count("<option") == (sum(map(len, choices.values())) if name == "groups" else len(choices))
    assert ("selected" in ours) == (name != "plain" and (name != "styled" or kind is SelectMultipleField))


class _Own(Select):
    """WTForms' own, by another name, so that the form leaves it alone."""
