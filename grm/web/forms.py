"""The base of all forms: plain WTForms with our own messages, and no validation of a post whose token is stale."""

from typing import Any

from flask import request
from markupsafe import Markup, escape
from wtforms import Form
from wtforms.meta import DefaultMeta
from wtforms.widgets import Select

from grm.web import locale
from grm.web.security import form_is_stale


class _Translations:
    def gettext(self, string: str) -> str:
        return locale.gettext(string)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return locale.ngettext(singular, plural, n)


class _QuickSelect(Select):
    """Writes what WTForms' own widget writes, in a fifth of the time: a case page has some hundred choices in its forms."""

    @classmethod
    def render_option(cls, choice: Any, **attributes: Any) -> Markup:  # type: ignore[override]  # stubs of WTForms 3.2
        """One choice; `choice.render_kw` and `attributes` become its attributes."""
        if choice.render_kw or attributes:
            return Markup(super().render_option(choice, **attributes))
        chosen = "selected " if choice.selected else ""
        label = choice.label or choice.value
        return Markup(f'<option {chosen}value="{escape(str(choice.value))}">{escape(label)}</option>')

    @classmethod
    def _dispatch_render_option(cls) -> Any:
        return cls.render_option  # WTForms would inspect the signature each time, to tell widgets of old from new ones


_QUICK = {False: _QuickSelect(), True: _QuickSelect(multiple=True)}


class BaseForm(Form):
    """A form whose built-in messages are translated by our own catalogue."""

    class Meta:
        """WTForms' hooks: for translations, and for how a field is written."""

        def render_field(self, field: Any, render_kw: dict[str, Any]) -> Any:
            """Write a field; lists of choices by the quick widget."""
            if type(field.widget) is Select:
                field.widget = _QUICK[field.widget.multiple]
            return DefaultMeta.render_field(self, field, render_kw)  # type: ignore[arg-type]

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
