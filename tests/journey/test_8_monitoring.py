"""Stage 8: the operator's page is green while all works, and red soon after a part stops working, even if it still runs."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grm.app import HEARTBEAT_LIMIT
from grm.kernel.places import embedded_places
from grm.schedule import Scheduler
from tests.support.rig import Rig


def test_healthz_is_green_while_everything_works(rig: Rig) -> None:
    status, answer = rig.health()
    assert status == 200, answer
    assert set(answer["parts"]) >= {"database", "broker", "worker", "beat", "sweep", "outbox"}
    assert all(part["ok"] for part in answer["parts"].values())


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


def test_it_is_red_soon_after_a_part_froze_and_the_dead_mans_watch_tells_by_itself(rig: Rig) -> None:
    """A frozen process is still there: only its work tells. One standstill for all of it, because each takes half a minute:

    the worker freezes, then beat, and /healthz names each; then web server and broker too, and nobody is left but the command.
    """

    def red(part: str) -> Any:
        status, answer = rig.health()
        return status == 503 and not answer["parts"][part]["ok"] and answer["parts"]

    def told() -> list[str]:
        return [mail.subject for mail in rig.mail_to("night@example.org")]

    def look(expect: int) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(rig.flask("watch", "--mail-to", "night@example.org", expect=expect))
        return answer

    assert look(0)["status"] == "ok" and told() == []
    with contextlib.ExitStack() as still:
        began = time.monotonic()
        still.enter_context(rig.frozen("wsgi:celery worker"))
        time.sleep(Scheduler.HEARTBEAT_SECONDS + 1)
        still.enter_context(rig.frozen("schedule:beat beat"))
        parts = rig.wait_until(lambda: red("worker"), "/healthz red for a frozen worker", 30)
        beat = parts["beat"]
        assert beat["ok"] == (beat["age_seconds"] <= HEARTBEAT_LIMIT.total_seconds()), "it is not blamed for the worker"
        with contextlib.ExitStack() as all_still:
            all_still.enter_context(stopped(broker_of(rig)))
            all_still.enter_context(rig.frozen("gunicorn"))
            time.sleep(max(0, began + 22 - time.monotonic()))  # two periods of the sweep, and what a pass may take
            answer = look(1)
            assert not answer["parts"]["sweep"]["ok"] and answer["parts"]["database"]["ok"], answer
            assert look(1)["mail"] == "nothing to tell"
        rig.wait_until(lambda: red("beat"), "/healthz red for a frozen beat", 30)
    rig.wait_until(lambda: rig.health()[0] == 200, "green again", 30)
    assert look(0)["status"] == "ok"
    assert told() == ["GRM: sweep not working", "GRM: all is well again"]
