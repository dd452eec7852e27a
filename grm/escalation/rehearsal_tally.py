"""What a rehearsal has found so far, as figures that can be put away and taken up again. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LEVELS = (0, 1, 2, 3)
CELL = "cell"
"""The key of the Cabinet Division cell among the ministries."""


@dataclass
class Line:
    """Figures of one ministry (or one kind of clock): clocks by what changes for them, and rungs by level."""

    changes: dict[str, int] = field(default_factory=dict)
    would: list[int] = field(default_factory=lambda: [0] * len(LEVELS))
    did: list[int] = field(default_factory=lambda: [0] * len(LEVELS))
    gaps: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON can hold them."""
        return {"changes": self.changes, "would": self.would, "did": self.did, "gaps": self.gaps}


@dataclass(frozen=True, slots=True, order=True)
class Told:
    """A post and who sat in it: to be told of a rung. No officer: an empty chair."""

    office_id: int
    role: str
    officer_id: int | None


@dataclass
class Tally:
    """The figures of a rehearsal. Only clocks that the proposal touches are counted in the lines; `unlike` says of how many
    of them the play under their own rules is not what really happened."""

    cases: int = 0
    clocks: int = 0
    touched: int = 0
    unlike: int = 0
    ministries: dict[str, Line] = field(default_factory=dict)
    kinds: dict[str, Line] = field(default_factory=dict)
    told: dict[Told, list[int]] = field(default_factory=dict)

    @property
    def total(self) -> Line:
        """The sum over all ministries."""
        total = Line()
        for line in self.ministries.values():
            for change, count in line.changes.items():
                total.changes[change] = total.changes.get(change, 0) + count
            total.would = [a + b for a, b in zip(total.would, line.would, strict=True)]
            total.did = [a + b for a, b in zip(total.did, line.did, strict=True)]
            total.gaps += line.gaps
        return total

    def count_change(self, ministry: str, kind: str, change: str) -> None:
        """A clock that the proposal touches."""
        self.touched += 1
        for line in self._lines(ministry, kind):
            line.changes[change] = line.changes.get(change, 0) + 1

    def count_would(self, ministry: str, kind: str, level: int, told: Told, is_gap: bool) -> None:
        """A rung that would have been climbed; a gap is one that meets an empty chair."""
        for line in self._lines(ministry, kind):
            line.would[level] += 1
            line.gaps += is_gap
        self.told.setdefault(told, [0] * len(LEVELS))[level] += 1

    def count_did(self, ministry: str, kind: str, level: int) -> None:
        """A rung that really was climbed."""
        for line in self._lines(ministry, kind):
            line.did[level] += 1

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON can hold them."""
        told = sorted(self.told.items(), key=lambda item: (item[0].office_id, item[0].role, item[0].officer_id or 0))
        return {
            "cases": self.cases,
            "clocks": self.clocks,
            "touched": self.touched,
            "unlike": self.unlike,
            "ministries": {key: line.as_dict() for key, line in sorted(self.ministries.items())},
            "kinds": {key: line.as_dict() for key, line in sorted(self.kinds.items())},
            "told": [[key.office_id, key.role, key.officer_id, levels] for key, levels in told],
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any] | None) -> "Tally":
        """Take stored figures up again; none: begin."""
        if stored is None:
            return cls()
        return cls(
            cases=stored["cases"],
            clocks=stored["clocks"],
            touched=stored["touched"],
            unlike=stored["unlike"],
            ministries={key: Line(**line) for key, line in stored["ministries"].items()},
            kinds={key: Line(**line) for key, line in stored["kinds"].items()},
            told={Told(office, role, officer): levels for office, role, officer, levels in stored["told"]},
        )

    def _lines(self, ministry: str, kind: str) -> tuple[Line, Line]:
        return self.ministries.setdefault(ministry, Line()), self.kinds.setdefault(kind, Line())
