"""The base of all forms: plain WTForms with our own messages, and no validation of a post whose token is stale."""

from typing import Any

from flask import request
from wtforms import Form

from grm.web import locale
from grm.web.security import form_is_stale


class _Translations:
    def gettext(self, string: str) -> str:
        return locale.gettext(string)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return locale.ngettext(singular, plural, n)


class BaseForm(Form):
    """A form whose built-in messages are translated by our own catalogue."""

    class Meta:
        """WTForms' hook for translations."""

        def get_translations(self, form: Any) -> _Translations:
            """Return the catalogue of the page's language."""
            return _Translations()

    def is_submitted_safely(self) -> bool:
        """True when this is a post with a valid token and every field is right; otherwise show the form again.

        A stale token never loses what was typed: the form comes back filled, with a fresh token and a word of explanation.
        """
        if request.method != "POST":
            return False
        if form_is_stale():
            self.form_errors.append(
                locale.gettext("This page was open for too long. Nothing is lost: check it and press the button again.")
            )
            return False
        return bool(self.validate())

    @property
    def status_code(self) -> int:
        """The HTTP status for showing this form again: 200 first, 400 for a stale token, 422 for wrong input."""
        if request.method != "POST":
            return 200
        return 400 if form_is_stale() else 422
