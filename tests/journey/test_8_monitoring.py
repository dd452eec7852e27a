"""Stage 8: the operator's page is green while all works, and red soon after a part stops working, even if it still runs."""

from typing import Any

import pytest

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
