"""Lines of a result table: what was measured beside its floor, and the ratio that is the promise."""

import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).with_name("README.md")


@dataclass(frozen=True, slots=True)
class Line:
    """One measurement. `ratio` is GRM's figure by the floor's; `target` says in words what it should be."""

    section: str
    what: str
    grm: str
    floor: str = ""
    ratio: str = ""
    target: str = ""


def median(values: Sequence[float]) -> float:
    """The median; nan of nothing."""
    return statistics.median(values) if values else float("nan")


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Median and range, as in `512 (489-565)`."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def markdown(lines: Iterable[Line]) -> str:
    """The lines as one table a section."""
    text, section = [], None
    for line in lines:
        if line.section != section:
            section = line.section
            text += [f"\n### {section}\n", "| measured | GRM | floor | ratio | target |", "|---|---|---|---|---|"]
        text.append(f"| {line.what} | {line.grm} | {line.floor} | {line.ratio} | {line.target} |")
    return "\n".join(text).strip() + "\n"


def write(name: str, text: str) -> None:
    """Put a text between the marks of this name in the README."""
    page = README.read_text()
    marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
    if not marks.search(page):
        raise ValueError(f"bench/README.md has no place for {name}")
    README.write_text(marks.sub(lambda found: found[1] + text + found[2], page))
