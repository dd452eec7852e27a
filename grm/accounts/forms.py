"""The sign-in form."""

from wtforms import PasswordField, StringField

from grm.kernel.text import has_forbidden_characters
from grm.web.forms import BaseForm
from grm.web.locale import gettext, lazy

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
