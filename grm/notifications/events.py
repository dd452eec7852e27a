"""What the outbox has found out, for the layers beside it; `grm/reactions.py` lists what follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grm.kernel.events import Event


@dataclass(frozen=True, slots=True)
class RungsUntold(Event):
    """Of these rungs of `moved` nothing has left the outbox, and nothing will; `withdrawn_messages` were taken back."""

    moved: Any
    rungs: Sequence[Any]
    withdrawn_messages: int
