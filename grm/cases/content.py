"""What an officer or the complainant wrote, checked once: blank, too short, too long, unknown choices. Pure.

All faults are collected and raised together as `InvalidInput` with `fields`; the texts come back cleaned (NFC, no
control characters), never shortened.
"""

from collections.abc import Collection

from grm.cases.not_ours import is_only_not_ours
from grm.kernel.errors import InvalidInput
from grm.kernel.text import clean_text, has_forbidden_characters, search_key

LONGEST_TEXT = 10_000
"""Characters of any one text on a case. The complaint itself may have twice as many."""

SHORTEST_REPLY = 20
"""Characters of content in a reply: an audit of closed cases elsewhere found one reply in eight blank or unrelated."""


class Content:
    """Collects the values of one form and their faults."""

    def __init__(self) -> None:
        self.faults: dict[str, str] = {}

    def text(self, field: str, typed: str, *, is_required: bool = True, shortest: int = 1) -> str:
        """A text ready to store; empty if it may be and is."""
        if has_forbidden_characters(typed):
            self.faults[field] = "control-characters"
            return ""
        cleaned = clean_text(typed)
        length = len(search_key(cleaned))
        if length == 0 and is_required:
            self.faults[field] = "missing"
        elif 0 < length < shortest:
            self.faults[field] = "too-short"
        elif len(cleaned) > LONGEST_TEXT:
            self.faults[field] = "too-long"
        return cleaned

    def reply(self, field: str, typed: str) -> str:
        """A text to the complainant with which a case ends: never only that the matter is another office's."""
        cleaned = self.text(field, typed, shortest=SHORTEST_REPLY)
        if field not in self.faults and is_only_not_ours(cleaned):
            self.faults[field] = "refer-instead"
        return cleaned

    def choice(self, field: str, typed: str, choices: Collection[str]) -> str:
        """One of the choices."""
        if typed not in choices:
            self.faults[field] = "choose-one"
        return typed

    def check(self) -> None:
        """Raise `InvalidInput` with all faults, if there are any."""
        if self.faults:
            raise InvalidInput(fields=self.faults)
