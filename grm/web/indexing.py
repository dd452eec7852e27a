"""Which pages search engines may list and caches may keep: those marked `@indexable`, as a stranger sees them; no other.

A marked page says nothing about anybody: no form token, no draft, no case. It is kept for ten minutes by whoever keeps pages
(the browser of a shared phone, a proxy), apart for each cookie, since the language is one; and where it has not changed it is
not sent again. Everything else is `no-store` and `noindex`: an address that nobody links to is still found by those who look.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Flask, current_app, g, request
from werkzeug.wrappers import Response

from grm.kernel import context
from grm.web.locale import DEFAULT, LANGUAGES, language

View = TypeVar("View", bound=Callable[..., Any])
KEEP_SECONDS = 600
_MARK = "_grm_indexable"


@dataclass(frozen=True, slots=True)
class SearchLinks:
    """The addresses of a page for search engines: its own, and (language, address) of each language; `x-default` for neither."""

    canonical: str
    alternates: tuple[tuple[str, str], ...]


def indexable(view: View) -> View:
    """Mark a view whose page holds nothing about anybody: it may be listed by search engines and kept by caches."""
    setattr(view, _MARK, True)
    return view


def is_marked(endpoint: str | None) -> bool:
    """Whether the view of an endpoint is marked so."""
    return bool(getattr(current_app.view_functions.get(endpoint or ""), _MARK, False))


def address(path: str, chosen: str = DEFAULT) -> str:
    """The one public address of a page in a language: Bangla stands without a word about it."""
    query = "" if chosen == DEFAULT else f"?{urlencode({'lang': chosen})}"
    return f"{context.settings().public_url}{path}{query}"


def search_links() -> SearchLinks | None:
    """What the head of this page tells search engines; None for a page that they are not to list."""
    if not _may_be_listed():
        return None
    alternates = [(chosen, address(request.path, chosen)) for chosen in LANGUAGES]
    return SearchLinks(address(request.path, language()), (*alternates, ("x-default", address(request.path))))


def set_headers(response: Response) -> None:
    """Say who may keep and list this answer; called for every answer that is not a file of the program."""
    if response.status_code in (200, 304) and _may_be_listed() and not _is_signed_in():
        sharing = "private" if "Set-Cookie" in response.headers else "public"
        response.headers["Cache-Control"] = f"{sharing}, max-age={KEEP_SECONDS}"
        response.vary.add("Cookie")
        if response.status_code == 200 and response.is_sequence:
            # Weak: the same page may travel compressed.
            response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:20], weak=True)
            response.make_conditional(request)
        return
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"


def init_app(app: Flask) -> None:
    """Give the templates `search_links`."""
    app.jinja_env.globals["search_links"] = search_links


def _may_be_listed() -> bool:
    """A marked page, with nothing in its address but the language: a search for a word is nobody else's page."""
    return request.method in ("GET", "HEAD") and is_marked(request.endpoint) and set(request.args) <= {"lang"}


def _is_signed_in() -> bool:
    user = g.get("_login_user")  # only whom somebody has looked up; nobody else can be on the page
    return user is not None and bool(user.is_authenticated)
