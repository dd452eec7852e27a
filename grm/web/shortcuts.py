"""Keyboard shortcuts of the officers' pages: what they are, and whether this browser wants them.

Shortcuts of single characters get in the way of who speaks to the machine or hits a key by accident, so they can be turned
off (WCAG 2.1.4): then the script is not even sent. Everything they do is done by links and buttons too.
"""

from flask import Flask, Response, request

from grm.web.locale import gettext

COOKIE = "grm_keys"


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


SHORTCUTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("j",), _("Next case of the list")),
    (("k",), _("Previous case of the list")),
    (("o", "Enter"), _("Open the case")),
    (("x",), _("Tick the case, or take the tick away")),
    (("/",), _("Go to the search field")),
    (("g", "q"), _("Go to the queue")),
    (("?",), _("Show these shortcuts")),
)
"""Keys and what they do; `grm/static/keys.js` does it. Two letters are typed one after the other."""
SEQUENCES = frozenset({("g", "q")})


def in_words() -> list[tuple[tuple[str, ...], bool, str]]:
    """The shortcuts for the page: keys, whether they are typed one after the other, and what they do."""
    return [(keys, keys in SEQUENCES, gettext(words)) for keys, words in SHORTCUTS]


def are_on() -> bool:
    """Whether this browser wants shortcuts: it does until they are turned off."""
    return request.cookies.get(COOKIE) != "off"


def switch(response: Response, *, is_on: bool) -> None:
    """Remember the choice for a year, or forget that they were off."""
    if is_on:
        response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=request.is_secure)
        return
    response.set_cookie(COOKIE, "off", max_age=365 * 24 * 3600, httponly=True, samesite="Lax", secure=request.is_secure)


def init_app(app: Flask) -> None:
    """Tell the templates whether to send the script."""
    app.jinja_env.globals["shortcuts_are_on"] = are_on
