"""The launcher's own look at /healthz: ready without waiting for what it cannot mend, and one line for each change."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from grm import up


class Page:
    """A /healthz that says what it is told, over real HTTP."""

    def __init__(self) -> None:
        self.parts: dict[str, Any] = {}
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps({"parts": page.parts}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def page() -> Iterator[Page]:
    found = Page()
    yield found
    found.stop()


@pytest.fixture
def launcher(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> up.Launcher:
    monkeypatch.setattr(up, "WATCH_SECONDS", 0)
    return up.Launcher({"GRM_HOME": str(tmp_path / "home"), "PORT": str(page.port)})


WELL = {"database": {"ok": True}, "broker": {"ok": True}}
WELL |= {name: {"ok": True, "age_seconds": 0.0} for name in ("worker", "beat", "sweep")}


def test_one_line_for_each_change(launcher: up.Launcher, page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    page.parts = {**WELL, "outbox": {"ok": True}}
    launcher.watch()
    page.parts["outbox"] = {"ok": False}
    launcher.watch()
    launcher.watch()
    page.parts["beat"] = {"ok": False, "age_seconds": 99}
    launcher.watch()
    page.parts = WELL
    launcher.watch()
    launcher.watch()
    page.stop()
    launcher.watch()
    assert capsys.readouterr().out.splitlines() == [
        "Not well: outbox (see /healthz)",
        "Not well: beat, outbox (see /healthz)",
        "All is well again.",
        "Not well: web (see /healthz)",
    ]


def test_it_asks_only_now_and_then(launcher: up.Launcher, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "WATCH_SECONDS", 30)
    page.stop()
    launcher.watch()
    assert launcher.unwell == "", "half a minute has not passed"


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        ({}, ""),
        ({"outbox": {"ok": False}, "calendar": {"ok": False}}, ""),
        ({"sweep": {"ok": False, "age_seconds": 0.0, "oldest_due_seconds": 9e5}}, ""),
        ({"sweep": {"ok": False, "age_seconds": None}}, "sweep"),
        ({"sweep": {"ok": True, "age_seconds": 9e5}}, "sweep"),
        ({"worker": {"ok": False, "age_seconds": 0.0}}, "worker"),
        ({"beat": {"ok": True, "age_seconds": 9e5}}, "beat"),
        ({"broker": {"ok": False}}, "broker"),
    ],
)
def test_ready_means_that_everything_runs_not_that_all_is_caught_up(
    launcher: up.Launcher, page: Page, changed: dict[str, Any], left: str
) -> None:
    page.parts = {**WELL, **changed}
    assert launcher._unwell(is_start=True) == left
