"""Pages and the stylesheet travel compressed: on a slow phone network that is a third of the time to the first word.

BREACH (a page that repeats an attacker's text beside a secret betrays the secret by its length) was weighed: it needs a
victim's browser to fetch the same secret page over and over with the attacker's text in it. Our pages that hold a secret
answer only to a post with the secret itself, to a cookie that is not sent from other sites (SameSite), or to a token that
is made anew for every page. What is shown to whoever brings a cookie is left uncompressed all the same: the receipt is
small, and nothing is worth less than a doubt there. The status of a case is compressed: no cookie opens it, but a post from
our own page with the codes or a token in it, so no other page can make a browser fetch it even once; and it is the heaviest
page that a citizen loads, over and over.
"""

import gzip

from flask import Flask, request
from werkzeug.wrappers import Response

SMALLEST = 1000
LEVEL = 1
"""A page is made anew for everybody: level 1 takes a third of the time of level 6 and gives it a fifth more bytes."""
NEVER = frozenset({"intake.sent", "desk.new", "desk.receipt"})
_TYPES = frozenset({"text/html", "text/css"})
_stylesheets: dict[str, bytes] = {}


def init_app(app: Flask) -> None:
    """Compress what may be compressed, after every other handler has had its say."""
    app.after_request_funcs.setdefault(None, []).insert(0, _compress)  # run in reverse order: the first is last


def _compress(response: Response) -> Response:
    if response.mimetype not in _TYPES or response.status_code not in (200, 400, 404, 409, 422, 429, 503):
        return response
    response.vary.add("Accept-Encoding")
    if (
        request.endpoint in NEVER
        or not request.accept_encodings.quality("gzip")
        or "Content-Encoding" in response.headers
        or (not response.is_sequence and request.endpoint != "static")
    ):
        return response
    if request.endpoint == "static":
        return _compress_static(response)
    body = response.get_data()
    if len(body) >= SMALLEST:
        response.set_data(gzip.compress(body, LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _compress_static(response: Response) -> Response:
    """The stylesheet is compressed once a version; its address holds a mark of its content."""
    mark = response.get_etag()[0]
    if response.mimetype != "text/css" or mark is None or request.method != "GET":
        return response
    if mark not in _stylesheets:
        response.direct_passthrough = False
        _stylesheets[mark] = gzip.compress(response.get_data(), 9, mtime=0)
    response.direct_passthrough = False
    response.set_data(_stylesheets[mark])
    response.set_etag(mark, weak=True)
    response.headers["Content-Encoding"] = "gzip"
    return response
