"""The shared stylesheet, macros and base pages: promises that every page built on them inherits."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract_from_file
from flask import Flask, render_template, render_template_string
from flask_login import LoginManager
from jinja2 import StrictUndefined
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Form, RadioField, StringField, TextAreaField, validators

from grm.kernel.text import bangla_digits
from grm.web import locale, presentation

ROOT = Path(__file__).parents[3]
CSS = (ROOT / "grm" / "static" / "grm.css").read_text(encoding="utf-8")
OURS = [
    ROOT / "templates" / name
    for name in ("layout.html", "public.html", "staff.html", "public/home.html", "accounts/login.html")
]
OURS += sorted((ROOT / "templates" / "macros").glob("*.html")) + sorted((ROOT / "templates" / "errors").glob("*.html"))
ERRORS = (400, 404, 405, 409, 413, 422, 429, 500, 503)
FIELDS = """
{% from "macros/forms.html" import error_summary, radios, textarea, text_field, date_field, checkbox %}
{{ error_summary(form) }}{{ radios(form.category, hints={'b': 'hint'}) }}{{ textarea(form.details, max=5) }}
{{ text_field(form.phone) }}{{ date_field(form.incident_on) }}{{ checkbox(form.declaration) }}
"""


class Complaint(Form):
    """One field of each kind."""

    category = RadioField("Category", [validators.InputRequired("choose")], choices=[("a", "A"), ("b", "B")])
    details = TextAreaField(
        "Details", [validators.InputRequired("write"), validators.Length(max=5)], description="own words"
    )
    phone = StringField("Phone", [validators.Optional(), validators.Length(min=11, message="eleven")])
    incident_on = StringField("When", [validators.Optional()])
    declaration = BooleanField("True", [validators.InputRequired("tick")])


@pytest.fixture
def app() -> Flask:
    """An application with templates and texts only, which refuses undefined names."""
    made = Flask("grm", root_path=str(ROOT / "grm"), template_folder=str(ROOT / "templates"))
    made.secret_key = "test"
    made.jinja_env.undefined = StrictUndefined
    LoginManager(made).user_loader(lambda _id: None)
    locale.init_app(made)
    presentation.init_app(made)
    made.jinja_env.globals["csrf_token"] = lambda: "token"
    return made


def fields(app: Flask, **typed: str) -> str:
    """The page of the form after these values were posted."""
    with app.test_request_context("/?lang=en"):
        form = Complaint(MultiDict(typed))
        form.validate()
        return render_template_string(FIELDS, form=form)


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.2."""
    text = colour.lstrip("#")
    text = "".join(letter * 2 for letter in text) if len(text) == 3 else text
    parts = [int(text[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio by WCAG 2.2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def colours() -> dict[str, str]:
    """The named colours of the stylesheet."""
    return dict(re.findall(r"--([a-z]+): (#[0-9a-f]{3,6});", CSS))


def test_stylesheet_is_small_on_the_wire() -> None:
    """One file of at most 8 KB, and nothing fetched from elsewhere."""
    assert len(gzip.compress(CSS.encode(), 9)) <= 8 * 1024
    assert "url(" not in CSS and "@import" not in CSS


@pytest.mark.parametrize(
    ("text", "ground"),
    [("ink", "paper"), ("soft", "paper"), ("soft", "mist"), ("soft", "ground"), ("deep", "paper"), ("deep", "mist"),
     ("night", "leaf"), ("paper", "deep"), ("paper", "red"), ("red", "rose"), ("red", "paper"),
     ("amber", "sand"), ("blue", "sky")],
)  # fmt: skip
def test_text_keeps_seven_to_one(text: str, ground: str) -> None:
    """Every pair of text and ground that the stylesheet uses reaches WCAG AAA."""
    named = colours()
    assert contrast(named[text], named[ground]) >= 7


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_templates_obey_the_content_security_policy(path: Path) -> None:
    """No style attributes, no inline styles, no scripts but files of our own: the policy would refuse them."""
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|<style|<script(?! src=\"\{\{ static_url\()|\son[a-z]+=", source)
    assert source.count("<script") == len(re.findall(r"<script[^>]*></script>", source)), (
        "a script has no text of its own"
    )


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_every_text_has_bangla_with_the_same_placeholders(path: Path) -> None:
    """No English is left on a Bangla page."""
    bangla = locale.catalogue("bn")
    for _line, message, _comments, _context in extract_from_file(
        "jinja2.ext:babel_extract", str(path), options={"silent": "false"}
    ):
        text = str(message)
        translated = bangla.gettext(text)
        assert translated != text or not re.search("[a-z]", text), text
        assert sorted(re.findall(r"%\(\w+\)s", translated)) == sorted(re.findall(r"%\(\w+\)s", text))


def test_each_error_is_told_twice_and_tied_to_its_field(app: Flask) -> None:
    """In the summary with a link that lands on the input, and beside the field through aria-describedby."""
    page = fields(app, phone="12")
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert re.findall(r'<a href="#([^"]+)">', page) == ["category", "details", "phone", "declaration"]
    assert set(re.findall(r'<a href="#([^"]+)">', page)) <= set(ids)
    described = [name for names in re.findall(r'aria-describedby="([^"]+)"', page) for name in names.split()]
    assert {
        "category-error",
        "details-error",
        "phone-error",
        "declaration-error",
        "details-hint",
        "details-count",
    } <= set(described)
    assert set(described) <= set(ids)
    assert page.count('aria-invalid="true"') == 3
    assert 'tabindex="-1" autofocus' in page


def test_right_input_shows_no_error(app: Flask) -> None:
    """And the browser is told of no limits of its own, which would cut text or speak another language."""
    page = fields(app, category="b", details="abc", declaration="y")
    assert "error" not in page and "aria-invalid" not in page
    assert "maxlength" not in page and " required" not in page
    assert re.search(r'value="b" checked', page)
    assert "You can write 2 more characters." in page


def test_typed_text_is_escaped(app: Flask) -> None:
    """What came in goes out as text."""
    page = fields(app, details='</textarea><b id="x">')
    assert '<b id="x">' not in page and "&lt;b id=" in page


@pytest.mark.parametrize("language", ["bn", "en"])
@pytest.mark.parametrize("status", ERRORS)
def test_error_pages_help_and_tell_nothing(app: Flask, status: int, language: str) -> None:
    """They show the number to quote and what was typed, in the page's language, without any further context."""
    with app.test_request_context(f"/?lang={language}"):
        page = render_template(
            f"errors/{status}.html", request_id="abc123", status=status, typed={"details": "ভাতা <পাইনি>"}
        )
    assert f'<html lang="{language}">' in page
    assert "abc123" in page and "ভাতা &lt;পাইনি&gt;" in page
    assert ("প্রথম পাতায় যান" in page) == (language == "bn")


@pytest.mark.parametrize("language", ["en", "bn"])
def test_front_page_offers_both_ways_and_the_help_lines(app: Flask, language: str) -> None:
    """Also when it was first made in the other language: digits follow the page."""
    for made_in in ("en", "bn", language):
        with app.test_request_context(f"/?lang={made_in}"):
            page = render_template("public/home.html")
    assert 'href="/complaints/new"' in page and 'href="/track"' in page
    for number in ("999", "109", "1098", "333"):
        shown = number if language == "en" else bangla_digits(number)
        assert page.count(f'href="tel:{number}">{shown}</a>') == (
            2 if number == "333" else 1
        )  # once more in the footer


def test_public_pages_ask_for_no_session(app: Flask) -> None:
    """A token in the header would start a session for every visitor; signed-in officers get their sign-out form."""
    officer: Any = type("Officer", (), {"name_bn": "রাবেয়া", "name_en": "Rabeya"})()
    with app.test_request_context("/"):
        assert "csrf_token" not in render_template("public/home.html")
        page = render_template("public/home.html", current_officer=officer)
    assert 'action="/logout"' in page and "রাবেয়া" in page and 'value="token"' in page


def test_a_folded_table_shows_each_row_once_and_the_first_ten_at_once(app: Flask) -> None:
    text = (
        '{% from "reports/_folded.html" import folded with context %}'
        '{% call(row, key) folded("T", [("a", "A", "main"), ("b", "B", "n"), ("c", "C", "n wide")], rows) %}'
        "{{ row }}{{ key }}.{% endcall %}"
    )
    with app.test_request_context("/?lang=en"):
        for count, shown in ((13, 13), (14, 10)):
            page = render_template_string(text, rows=range(100, 100 + count))
            at_once, _, folded = page.partition("<details")
            assert [f"{row}b." in at_once for row in range(100, 100 + count)] == [True] * shown + [False] * (
                count - shown
            )
            assert all(page.count(f">{row}b.<") == 1 for row in range(100, 100 + count))
            assert ("the other 4" in folded) == (count == 14)
        assert 'class="table tight"' in page and 'class="n wide"' in page and "data-label" not in page
