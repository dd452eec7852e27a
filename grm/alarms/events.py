"""What happens with alarms, as far as somebody is told of it."""

from dataclasses import dataclass
from datetime import date

from grm.kernel.events import Event


@dataclass(frozen=True, slots=True)
class AlarmsRaised(Event):
    """A morning has raised alarms that were not there before."""

    day: date
    total: int
