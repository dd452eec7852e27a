"""Stage 8: the operator's page is green while all works, and red soon after a part stops working, even if it still runs."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grm.kernel.places import embedded_places
from tests.support.rig import Rig


def test_healthz_is_green_while_everything_works(rig: Rig) -> None:
    status, answer = rig.health()
    assert status == 200, answer
    assert set(answer["parts"]) >= {"database", "broker", "worker", "beat", "sweep", "outbox"}
    assert all(part["ok"] for part in answer["parts"].values())


@pytest.mark.parametrize(("part", "process"), [("worker", "wsgi:celery worker"), ("beat", "schedule:beat beat")])
def test_healthz_is_red_soon_after_a_part_froze_and_green_when_it_works_again(
    rig: Rig, part: str, process: str
) -> None:
    """A frozen process is still there: only its work tells."""

    def is_red() -> Any:
        status, answer = rig.health()
        return status == 503 and not answer["parts"][part]["ok"] and answer

    with rig.frozen(process):
        answer = rig.wait_until(is_red, f"/healthz red for a frozen {part}", 30)
    if part == "worker":
        assert answer["parts"]["beat"]["ok"], "beat is not blamed for the worker"
    rig.wait_until(lambda: rig.health()[0] == 200, "green again", 30)


def broker_of(rig: Rig) -> int:
    """Valkey writes its title over its environment, so it is found by its socket."""
    socket = str(embedded_places(rig.home).valkey).encode()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if socket in (entry / "cmdline").read_bytes():
                return int(entry.name)
    raise AssertionError("no broker")


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Freeze one process."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_the_dead_mans_watch_tells_by_itself_while_everything_but_postgresql_stands_still(rig: Rig) -> None:
    """Worker, beat, web server and broker are frozen; nobody is left to look but the command."""

    def told() -> list[str]:
        return [mail.subject for mail in rig.mail_to("night@example.org")]

    def look(expect: int) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(rig.flask("watch", "--mail-to", "night@example.org", expect=expect))
        return answer

    assert look(0)["status"] == "ok" and told() == []
    with contextlib.ExitStack() as still:
        still.enter_context(stopped(broker_of(rig)))
        for process in ("gunicorn", "wsgi:celery worker", "schedule:beat beat"):
            still.enter_context(rig.frozen(process))
        time.sleep(22)  # two periods of the sweep, and what a pass may take
        answer = look(1)
        assert not answer["parts"]["sweep"]["ok"] and answer["parts"]["database"]["ok"], answer
        assert look(1)["mail"] == "nothing to tell"
    rig.wait_until(lambda: rig.health()[0] == 200, "green again", 30)
    assert look(0)["status"] == "ok"
    assert told() == ["GRM: sweep not working", "GRM: all is well again"]
