"""The calm page when more people come at once than can be served: who only wants to look waits, who sends something is served.

A web process has a few threads; whatever else has arrived waits in the process for one of them. When more than `WEB_BUSY_AT`
requests wait or are under way, somebody who opens a public page is at once given a page in both languages that says so and tries
again by itself: it costs next to nothing, so that the queue grows short again. Every POST is taken as ever, for it may bring a
text. So is every page for officers, and any page for whoever is in the middle of a form: they have its cookie.

The page is made once a process. It is answered before anything else is done: no session, no routing, no database.
"""

import itertools
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from flask import Flask, render_template
from markupsafe import Markup
from werkzeug.wrappers import Response

from grm.kernel.context import SETTINGS
from grm.web.locale import speaking
from grm.web.security import HEADERS

log = structlog.get_logger("grm.web")

PAGES = frozenset({"/", "/complaints/new", "/track"})
BELOW = ("/programmes", "/help")
"""What somebody opens who comes in: these pages, and those below these addresses."""

IN_THE_MIDDLE = ("grm_draft=", "grm_session=", "__Host-grm=")
"""Cookies of a form that somebody has begun, and of officers."""

WAITS = (10, 14, 18, 22)
"""Seconds after which the page tries again: not all at once."""

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
_pool: list[ThreadPoolExecutor] = []


def watch(pool: ThreadPoolExecutor) -> None:
    """Say where the requests of this process wait for a thread; the web server's configuration does."""
    _pool[:] = [pool]


def waiting() -> int:
    """Requests that have arrived in this process and wait for a thread."""
    return sum(pool._work_queue.qsize() for pool in _pool)


class Gate:
    """The outermost layer of the application: counts what is under way, and turns lookers away while there is too much."""

    def __init__(self, app: Flask, inner: Wsgi, most: int) -> None:
        self._app, self._inner, self._most = app, inner, most
        self._under_way: set[int] = set()
        self._pages: dict[int, bytes] = {}
        self._waits = itertools.cycle(WAITS)
        self._is_told = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve a request, or say that it is too much now."""
        if self.is_busy() and is_looking(environ):
            self._tell(True)
            return self._answer(next(self._waits))(environ, start_response)
        thread = threading.get_ident()  # a thread serves one request at a time
        self._under_way.add(thread)
        try:
            return self._inner(environ, start_response)
        finally:
            self._under_way.discard(thread)

    def is_busy(self) -> bool:
        """Whether more is waiting or under way than should be."""
        is_busy = waiting() + len(self._under_way) > self._most
        if not is_busy:
            self._tell(False)
        return is_busy

    def _tell(self, is_busy: bool) -> None:
        if self._is_told != is_busy:
            self._is_told = is_busy
            log.warning("busy: visitors are asked to wait" if is_busy else "no longer busy", at_most=self._most)

    def _answer(self, seconds: int) -> Response:
        if seconds not in self._pages:
            self._pages[seconds] = self._render(seconds)
        response = Response(self._pages[seconds], 503, content_type="text/html; charset=utf-8")
        response.headers.extend(HEADERS)
        response.headers["Retry-After"] = str(seconds)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    def _render(self, seconds: int) -> bytes:
        with self._app.test_request_context("/", base_url=self._app.extensions[SETTINGS].public_url):
            with speaking("en"):
                english = Markup(render_template("errors/_busy.html", level="h2", seconds=0))
            with speaking("bn"):
                return render_template("errors/busy.html", seconds=seconds, english=english).encode()


def is_looking(environ: dict[str, Any]) -> bool:
    """Whether a request only opens a public page, by somebody who is in the middle of nothing."""
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        return False
    path, cookies = environ.get("PATH_INFO", ""), environ.get("HTTP_COOKIE", "")
    is_public = path in PAGES or any(path == top or path.startswith(f"{top}/") for top in BELOW)
    return is_public and not any(cookie in cookies for cookie in IN_THE_MIDDLE)


def init_app(app: Flask, most: int) -> None:
    """Put the gate before the application; 0 leaves it open."""
    if most:
        app.wsgi_app = Gate(app, app.wsgi_app, most)  # type: ignore[method-assign]
