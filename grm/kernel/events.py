"""The base of all events: past-tense facts recorded inside a transaction and handed to the reactions before it commits."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened in this transaction; `grm/reactions.py` lists what follows from it."""
