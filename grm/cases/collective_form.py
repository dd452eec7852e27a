"""The form by which somebody is added to a complaint."""

from wtforms.validators import Optional

from grm.cases.action_form import ActionForm
from grm.cases.closing_forms import LineField
from grm.web.locale import lazy


class AddComplainantForm(ActionForm):
    """Who joins in. Nobody is taken out again: a mistake is set right by a note."""

    name = LineField(lazy("Name"), [Optional()])
    phone = LineField(
        lazy("Mobile number"), [Optional()], description=lazy("They are told of questions and decisions there.")
    )
    email = LineField(lazy("E-mail"), [Optional()])
