"""One story through the real thing: the files of this folder run in order and build on one another.

A complaint is filed in Bangla, found in the right queue, left unanswered, escalated rung by rung, answered, and read on the
Cabinet Division's report. `story` is what the people in it have written down so far.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.rig import Rig


@dataclass
class Story:
    """What the complainant and the officers know. A stage that needs what an earlier one left undone is skipped."""

    known: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self.known:
            pytest.skip(f"an earlier stage of the journey did not get as far as the {name.replace('_', ' ')}")
        return self.known[name]

    def note(self, **facts: Any) -> None:
        """Write something down for the later stages."""
        self.known |= facts


@pytest.fixture(scope="package")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """The running system, started once for the whole story."""
    rig = Rig(tmp_path_factory.mktemp("journey"))
    try:
        rig.start()
        yield rig
    finally:
        rig.stop()


@pytest.fixture(scope="package")
def story() -> Story:
    """What is known so far."""
    return Story()
