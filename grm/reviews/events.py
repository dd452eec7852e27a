"""What happens in reviews, as far as somebody is told of it."""

from dataclasses import dataclass

from grm.kernel.events import Event


@dataclass(frozen=True, slots=True)
class FindingMade(Event):
    """A reviewer has found something wrong with how an office closed a case."""

    case_id: int
    tracking_number: str
    is_sensitive: bool
    office_id: int
    desk: str
    sample_id: int
    not_told: frozenset[int]
    """The reviewer, and who decided the case: not they are to judge what follows."""
