"""Texts by language: Bangla where there is some, the English message id where there is none."""

import pytest
from flask import Flask, render_template_string

from grm.web import locale


@pytest.mark.parametrize("language", ["bn", "en"])
def test_the_empty_text_stays_empty(language: str) -> None:
    """gettext keeps the head of the catalogue (Project-Id-Version …) under it."""
    app = Flask(__name__)
    app.secret_key = "x"
    locale.init_app(app)
    with app.test_request_context("/"), locale.speaking(language):
        assert locale.gettext("") == ""
        assert str(locale.lazy("")) == ""
        assert render_template_string("{{ _('') }}{{ gettext('') }}") == ""


def test_a_text_without_bangla_is_shown_as_written() -> None:
    with locale.speaking("bn"):
        assert locale.gettext("a sentence nobody has translated") == "a sentence nobody has translated"
        assert locale.gettext("Track a complaint") != "Track a complaint"
