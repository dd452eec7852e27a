"""Values are shown in the language of each visitor."""

from datetime import UTC, date, datetime

import pytest
from flask import Flask

from grm.web.locale import speaking

PAGE = (
    "{{ 0|number }} {{ 1234567|number }} {{ -98765.432|number(1) }} {{ '333'|digits }} {{ on|date }} {{ at|datetime }}"
)
BANGLA = "০ ১২,৩৪,৫৬৭ -৯৮,৭৬৫.৪ ৩৩৩ ২১ নভেম্বর ২০২৬ ১ জানুয়ারি ২০২৭, ০০:৩০"
ENGLISH = "0 12,34,567 -98,765.4 333 21 November 2026 1 January 2027, 00:30"


@pytest.mark.parametrize("languages", [("bn", "en", "bn"), ("en", "bn")])
def test_a_constant_is_shown_in_each_visitors_language(app: Flask, languages: tuple[str, ...]) -> None:
    page = app.jinja_env.from_string(PAGE)
    for language in languages:
        with app.test_request_context("/"), speaking(language):
            shown = page.render(on=date(2026, 11, 21), at=datetime(2026, 12, 31, 18, 30, tzinfo=UTC))
        assert shown == (BANGLA if language == "bn" else ENGLISH)
