"""The forms of the pages on posts and officers. What is right is checked by the services; their faults are put beside the
fields here."""

from collections.abc import Mapping

from wtforms import RadioField, StringField
from wtforms.validators import Optional

from grm.kernel.errors import InvalidInput
from grm.web.forms import BaseForm
from grm.web.labels import choices
from grm.web.locale import gettext, lazy


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


FAULTS: dict[str, str] = {
    "name-missing": _("Write the name"),
    "too-long": _("This is too long"),
    "choose-one": _("Choose one"),
    "day-missing": _("Write the day as day, month and year, for example 25/03/2026"),
    "day-past": _("Choose today or a day to come"),
    "no-such-username": _("There is no open account with this user name"),
    "username-invalid": _("Take small letters a to z, digits, dots, hyphens and underscores"),
    "username-taken": _("There is an account with this user name already"),
    "leave-out-of-order": _("The last day lies before the first"),
    "leave-too-long": _("At most three years at a time"),
    "email-missing": _("This is not an e-mail address"),
    "phone-not-mobile": _("This is not a mobile number of Bangladesh"),
}
"""What is wrong with a field, by the service's code."""

PROBLEMS: dict[str, str] = {
    "post-is-held": _("Somebody sits in this post then. End that posting first, or announce its end."),
    "own-appointment": _("Nobody appoints himself. The administrator, or the head of the office above, does it."),
    "administrator-holds-no-post": _("An administrator holds no post: administrators see no cases."),
    "own-posting": _("Nobody ends the own posting or closes the own account. The head, or the administrator, does it."),
    "posting-has-ended": _("This posting has ended already."),
    "account-closed": _("This account is closed already."),
    "account-open": _("This account is open already."),
    "not-your-account": _(
        "This account is not yours to change: the officer also sits elsewhere. The administrator changes it."
    ),
    "leave-overlaps": _("There is a leave on some of these days already."),
    "leave-is-over": _("This leave is over by then anyway."),
    "leaving-day-past": _("Choose a day to come, or end the posting now."),
    "head-hands-over": _(
        "The head of the office chooses who takes the work over: administrators see no cases. Ask the head to end the posting."
    ),
    "no-such-leave": _("There is no such leave any more."),
    "username-taken": _("There is an account with this user name already"),
}
"""Why something could not be done."""


def fault(code: str) -> str:
    """The words for what is wrong with a field; any fault of an address reads alike."""
    key = code if code in FAULTS else "email-missing" if code.startswith("email") else "phone-not-mobile"
    return gettext(FAULTS[key])


class PeopleForm(BaseForm):
    """A form whose faults come from a service."""

    def typed(self) -> dict[str, str]:
        """What the fields hold, as text."""
        return {field.name: str(field.data or "") for field in self}

    def show_faults(self, faults: Mapping[str, str]) -> None:
        """Put what the service found beside the fields."""
        for field in self:
            if field.name in faults:
                field.errors = [fault(faults[field.name])]

    def take(self, error: InvalidInput) -> None:
        """Show an error of a service: beside its fields, or beside the user name."""
        self.show_faults(error.fields or {"username": error.code})


class AppointForm(PeopleForm):
    """Put an officer with an account into a post."""

    username = StringField(lazy("User name of the officer"))
    starts_on = StringField(lazy("From"))
    kind = RadioField(lazy("Sits there"), choices=(), default="regular", validate_choice=False)

    def offer(self) -> None:
        """Set the choices in the page's language."""
        self.kind.choices = [
            ("regular", gettext("As the regular holder")),
            ("alternate", gettext("As an alternate, who acts in the holder's absence")),
        ]


class ParticularsForm(PeopleForm):
    """Who an officer is and how they are told."""

    name_bn = StringField(lazy("Name in Bangla"))
    name_en = StringField(lazy("Name in English"))
    email = StringField(lazy("E-mail"), validators=[Optional()])
    phone = StringField(lazy("Mobile phone"), validators=[Optional()])
    language = RadioField(lazy("Language of messages"), choices=(), default="bn", validate_choice=False)

    def offer(self) -> None:
        """Set the choices in the page's language."""
        self.language.choices = choices("language")


class NewAccountForm(AppointForm, ParticularsForm):
    """A new account, together with the first post."""

    username = StringField(
        lazy("User name"), description=lazy("To sign in with: small letters, digits, dots. It does not change later.")
    )

    def offer(self) -> None:
        """Set the choices in the page's language."""
        AppointForm.offer(self)
        ParticularsForm.offer(self)


class LeaveForm(PeopleForm):
    """Days of absence."""

    starts_on = StringField(lazy("First day of leave"))
    last_on = StringField(lazy("Last day of leave"))
