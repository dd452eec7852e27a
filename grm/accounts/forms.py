"""The sign-in form."""

from collections.abc import Mapping

from wtforms import PasswordField, StringField

from grm.kernel.text import has_forbidden_characters
from grm.web.forms import BaseForm
from grm.web.locale import gettext, lazy


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


LONGEST_PASSWORD = 256


class LoginForm(BaseForm):
    """User name and password; the second factor is asked for where an account has one."""

    username = StringField(lazy("User name"))
    password = PasswordField(lazy("Password"))

    def is_filled(self) -> bool:
        """Check that both are there before a costly hash is computed; errors are put beside the fields."""
        self.validate()
        if not (self.username.data or "").strip():
            self.username.errors = [gettext("Enter your user name")]
        elif has_forbidden_characters(self.username.data or ""):
            self.username.errors = [gettext("The user name or the password is not right")]
        if not self.password.data:
            self.password.errors = [gettext("Enter your password")]
        elif len(self.password.data) > LONGEST_PASSWORD or has_forbidden_characters(self.password.data):
            self.password.errors = [gettext("The user name or the password is not right")]
        return not (self.username.errors or self.password.errors)


class OwnPasswordForm(BaseForm):
    """Choosing another password."""

    present = PasswordField(lazy("Present password"))
    new = PasswordField(
        lazy("New password"),
        description=lazy("At least 12 characters; best several words that do not belong together."),
    )
    again = PasswordField(lazy("New password, once more"))

    def is_filled(self) -> bool:
        """Check what needs no database; errors are put beside the fields."""
        self.validate()
        for field in (self.present, self.new):
            if not field.data or has_forbidden_characters(field.data):
                field.errors = [gettext("Fill this in")]
        if self.new.data and self.new.data != self.again.data:
            self.again.errors = [gettext("The two are not the same")]
        return not (self.present.errors or self.new.errors or self.again.errors)

    def show_faults(self, codes: Mapping[str, str]) -> None:
        """Put what the service found beside the fields."""
        for name, code in codes.items():
            self[name].errors = [gettext(OWN_PASSWORD_FAULTS[code])]


OWN_PASSWORD_FAULTS: dict[str, str] = {
    "wrong-password": _("This is not your present password"),
    "password-same": _("Choose another one than before"),
    "password-too-short": _("Take at least 12 characters"),
    "password-too-long": _("Take at most 256 characters"),
    "password-too-common": _("This is too common; take several words that do not belong together"),
}
