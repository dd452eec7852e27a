"""Language: Bangla first, English beside it, chosen by `?lang=`, remembered in a cookie.

Texts are marked with gettext; the Bangla lives in plain `.po` files, one a package, read and merged at start-up, so no
compiled catalogue is committed or built.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, has_request_context, request
from flask_login import current_user
from markupsafe import Markup
from werkzeug.wrappers import Response

LANGUAGES = ("bn", "en")
DEFAULT = "bn"
COOKIE = "grm_lang"
FOLDER = Path(__file__).parent.parent / "translations"
_forced: ContextVar[str | None] = ContextVar("grm_language", default=None)
_of_page: ContextVar[str | None] = ContextVar("grm_language_of_page", default=None)
"""Of the request under way; a thread's context outlives it, so that it is forgotten where a request begins and ends."""


def language() -> str:
    """Return the language of the page or message being written: 'bn' or 'en'."""
    known = _forced.get() or _of_page.get()  # asked for hundreds of times a page
    if known:
        return known
    if not has_request_context():
        return DEFAULT
    chosen = _chosen() or DEFAULT
    _of_page.set(chosen)
    return chosen


@contextmanager
def speaking(chosen: str) -> Iterator[None]:
    """Write in a given language, whatever the page's own: for messages to somebody else."""
    token = _forced.set(chosen)
    try:
        yield
    finally:
        _forced.reset(token)


@cache
def catalogue(chosen: str) -> NullTranslations:
    """Return the merged texts of a language; English is the language of the message ids."""
    merged = Catalog(locale=chosen)
    for path in sorted((FOLDER / chosen).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=chosen):
                if message.id and message.string:
                    merged.add(message.id, message.string, context=message.context)
    if not len(merged):
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return GNUTranslations(compiled)


def gettext(text: str, **values: Any) -> str:
    """Return a text in the present language, with ``%(name)s`` placeholders filled."""
    found = _found(text)
    return found % values if values else found


def _found(text: str) -> str:
    """Look a text up. Under the empty text gettext keeps the head of the catalogue, which is nobody's word."""
    return catalogue(language()).gettext(text) if text else ""


def _shown(text: object, **values: Any) -> Markup:
    """What `_('…')` writes into a page: the text is ours, the values are escaped.

    Jinja's own does the same with three times the work, hundreds of times a page.
    """
    found = _as_markup(str(text), language())
    return found % values if values else found


@lru_cache(8192)
def _as_markup(text: str, chosen: str) -> Markup:
    return Markup(catalogue(chosen).gettext(text) if text else "")


def ngettext(singular: str, plural: str, n: int, **values: Any) -> str:
    """Return the form of a text that fits a number; ``%(num)s`` is the number."""
    found = catalogue(language()).ngettext(singular, plural, n)
    return found % {"num": n, **values}


class LazyText:
    """A text that is translated when shown: for module-level tables and form labels."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return gettext(self.text)

    def __html__(self) -> str:
        from markupsafe import escape

        return str(escape(str(self)))


def lazy(text: str) -> Any:
    """Mark a text for translation at the time it is shown."""
    return LazyText(text)


def lang_url(chosen: str) -> str:
    """Return this page's address in the other language."""
    from urllib.parse import urlencode

    values = [(key, value) for key, value in request.args.items(multi=True) if key != "lang"]
    return f"{request.path}?{urlencode([*values, ('lang', chosen)])}"


def init_app(app: Flask) -> None:
    """Install gettext in templates and remember the chosen language."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    install = app.jinja_env.install_gettext_callables  # type: ignore[attr-defined]
    install(
        gettext=_found,
        ngettext=lambda one, many, n: catalogue(language()).ngettext(one, many, n),
        newstyle=True,
    )
    app.jinja_env.globals.update(_=_shown, lang_url=lang_url)
    app.context_processor(lambda: {"locale": language()})
    app.before_request(_forget)
    app.teardown_request(_forget)
    app.after_request(_remember)


def _forget(_error: BaseException | None = None) -> None:
    _of_page.set(None)


def _chosen() -> str | None:
    for value in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if value in LANGUAGES:
            return value
    if getattr(current_user, "is_authenticated", False):
        return str(current_user.language)
    return None


def _remember(response: Response) -> Response:
    asked = request.args.get("lang")
    if asked in LANGUAGES:
        response.set_cookie(
            COOKIE, asked, max_age=365 * 24 * 3600, httponly=True, samesite="Lax", secure=request.is_secure
        )
    return response
