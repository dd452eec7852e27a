"""A tiny application behind the gate of busy hours, for a real web server: each POST takes 0.15 seconds."""

import time
from collections.abc import Iterable
from typing import Any

from flask import Flask

from grm.web import busy


def slow(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer what was asked, a POST after a while."""
    if environ["REQUEST_METHOD"] == "POST":
        time.sleep(0.15)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"served"]


class _PlainGate(busy.Gate):
    def _render(self, seconds: int) -> bytes:
        return b"busy"


app = _PlainGate(Flask("busy"), slow, 3)
