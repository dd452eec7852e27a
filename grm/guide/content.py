"""What the guide says of each programme, read from `grm/data/programme_*.csv`. Pure but for reading the files once.

Every fact names its source, and the source a date: when it was published, or else when it was read. A fact without one is
refused. Amounts are written down only where a source gives them; for all others the page says whom to ask. Who answers a
complaint and how long it takes is not content at all: it is reckoned from the rules in force (`grm/guide/promises.py`).
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from grm.kernel.errors import Misconfigured
from grm.kernel.text import nfc

DATA = Path(__file__).parent.parent / "data"
ABOUT = ("gives", "who", "how", "papers")
"""What a fact is about: what one gets, who gets it, how it is applied for and paid, what papers are asked for."""
TOPICS = ("complain", "fear", "follow")
"""The general questions; those of a kind of programme have the topic `kind:cash`, those of one programme its slug."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where something is known from. `published_on` is None where the source has no date; `url` may be empty."""

    code: str
    name_bn: str
    name_en: str
    url: str
    published_on: date | None
    read_on: date


@dataclass(frozen=True, slots=True)
class Fact:
    """One sentence about a programme."""

    about: str
    text_bn: str
    text_en: str
    source: Source


@dataclass(frozen=True, slots=True)
class Contact:
    """The office near the citizen that knows a ministry's programmes."""

    ask_bn: str
    ask_en: str
    source: Source


@dataclass(frozen=True, slots=True)
class Question:
    """A question often asked, with its answer."""

    code: str
    topic: str
    question_bn: str
    question_en: str
    answer_bn: str
    answer_en: str
    source: Source


@dataclass(frozen=True)
class Content:
    """All of it. Facts by programme, contacts by ministry, questions in the order of the file."""

    facts: Mapping[str, tuple[Fact, ...]]
    contacts: Mapping[str, Contact]
    questions: tuple[Question, ...]

    def facts_of(self, programme: str, about: str) -> tuple[Fact, ...]:
        """What is known of a programme in one respect; empty where nothing is."""
        return tuple(fact for fact in self.facts.get(programme, ()) if fact.about == about)

    def questions_of(self, *topics: str) -> tuple[Question, ...]:
        """The questions of some topics."""
        return tuple(question for question in self.questions if question.topic in topics)


@cache
def content() -> Content:
    """The content that ships with the program, read once per process."""
    return read(DATA)


def read(folder: Path) -> Content:
    """Read the four files of a folder. Raises `Misconfigured` `bad-guide` naming file and line of the first fault."""
    sources = {row["code"]: _source(row) for row in _rows(folder / "programme_sources.csv")}

    def source(row: Mapping[str, str]) -> Source:
        found = sources.get(row["source"])
        if found is None:
            raise _fault(row, f"no source {row['source']!r}")
        return found

    facts: dict[str, tuple[Fact, ...]] = {}
    for row in _rows(folder / "programme_facts.csv"):
        if row["about"] not in ABOUT:
            raise _fault(row, f"about {row['about']!r}")
        fact = Fact(row["about"], row["text_bn"], row["text_en"], source(row))
        facts[row["programme"]] = (*facts.get(row["programme"], ()), fact)
    contacts = {
        row["ministry"]: Contact(row["ask_bn"], row["ask_en"], source(row))
        for row in _rows(folder / "programme_contacts.csv")
    }
    words = ("code", "topic", "question_bn", "question_en", "answer_bn", "answer_en")
    questions = tuple(
        Question(**{name: row[name] for name in words}, source=source(row))
        for row in _rows(folder / "programme_questions.csv")
    )
    return Content(facts, contacts, questions)


def is_of_an_earlier_budget(source: Source, today: date) -> bool:
    """Whether an amount may have changed since: budgets begin in July. What has no date of its own may have."""
    budget = date(today.year if today.month >= 7 else today.year - 1, 7, 1)
    # A budget speech of June is about the year that begins in July.
    return source.published_on is None or source.published_on < date(budget.year, 6, 1)


_MAY_BE_EMPTY = {"url", "published_on"}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        rows = []
        for row in reader:
            place = {"*place": f"{path.name}:{reader.line_num}"}
            if None in row or None in row.values():
                raise _fault(place, "not as many cells as the header")
            if empty := [name for name, text in row.items() if not text.strip() and name not in _MAY_BE_EMPTY]:
                raise _fault(place, f"{empty[0]} is empty")
            rows.append({name: nfc(text.strip()) for name, text in row.items()} | place)
    return rows


def _source(row: Mapping[str, str]) -> Source:
    try:
        published_on = date.fromisoformat(row["published_on"]) if row["published_on"] else None
        return Source(
            row["code"], row["name_bn"], row["name_en"], row["url"], published_on, date.fromisoformat(row["read_on"])
        )
    except ValueError as error:
        raise _fault(row, str(error)) from None


def _fault(row: Mapping[str, str], text: str) -> Misconfigured:
    return Misconfigured("bad-guide", place=row["*place"], fault=text)
