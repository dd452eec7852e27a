"""What the guide says: every fact has a source with a date, in both languages, and belongs to a programme that exists."""

import csv
import re
from datetime import date
from pathlib import Path

import pytest

from grm.guide.content import ABOUT, DATA, TOPICS, Source, content, is_of_an_earlier_budget, read
from grm.kernel.errors import Misconfigured

BANGLA = re.compile("[ঀ-৿]")


def column(file: str, name: str) -> list[str]:
    with (DATA / file).open(encoding="utf-8", newline="") as opened:
        return [row[name] for row in csv.DictReader(opened)]


def test_every_fact_belongs_to_a_programme_and_has_a_dated_source() -> None:
    programmes = set(column("programmes.csv", "slug"))
    facts = [(slug, fact) for slug, known in content().facts.items() for fact in known]
    assert len(facts) > 30 and {slug for slug, _ in facts} <= programmes
    for slug, fact in facts:
        assert fact.source.url and fact.source.read_on >= date(2026, 11, 22), slug
        assert fact.source.published_on is None or fact.source.published_on <= fact.source.read_on
        assert BANGLA.search(fact.text_bn) and not BANGLA.search(fact.text_en), slug
        assert not re.search("[0-9]", fact.text_bn.replace("www.welfaregrant.gov.bd", "")), "Bangla digits in Bangla"


def test_every_programme_has_somebody_to_ask() -> None:
    ministries = set(column("programmes.csv", "ministry_slug"))
    assert set(content().contacts) == ministries


def test_the_amounts_of_the_largest_allowances_are_there() -> None:
    """A page without an amount is honest; all pages without one would be no guide."""
    known = {slug for slug in content().facts if content().facts_of(slug, "gives")}
    assert {"old-age-allowance", "widow-allowance", "disability-allowance", "mother-child-benefit", "vwb"} <= known


def test_every_question_is_shown_somewhere() -> None:
    programmes, kinds = set(column("programmes.csv", "slug")), set(column("programmes.csv", "kind"))
    places = {*TOPICS, *programmes, *(f"kind:{kind}" for kind in kinds)}
    codes = [question.code for question in content().questions]
    assert len(codes) == len(set(codes)) and {question.topic for question in content().questions} <= places
    for kind in kinds:
        assert content().questions_of(f"kind:{kind}"), kind


def test_sources_that_nobody_names_are_not_kept() -> None:
    named = {name for file in ("facts", "contacts", "questions") for name in column(f"programme_{file}.csv", "source")}
    assert named == set(column("programme_sources.csv", "code"))


@pytest.mark.parametrize(
    ("file", "before", "after", "says"),
    [
        ("facts", "budget-2025-26", "hearsay", "programme_facts.csv:2: no source 'hearsay'"),
        ("facts", ",gives,", ",promises,", "programme_facts.csv:2: about 'promises'"),
        ("facts", "650 taka a month.", " ", "programme_facts.csv:2: text_en is empty"),
        ("facts", ",budget-2025-26", "", "programme_facts.csv:2: not as many cells"),
        ("sources", ",2026-11-22\n", ",\n", "programme_sources.csv:2: read_on is empty"),
        ("sources", "2025-06-02", "2 June 2025", "programme_sources.csv:2: Invalid isoformat string"),
    ],
)
def test_a_fault_in_the_files_is_named(tmp_path: Path, file: str, before: str, after: str, says: str) -> None:
    for path in DATA.glob("programme_*.csv"):
        text = path.read_text(encoding="utf-8")
        if path.name == f"programme_{file}.csv":
            assert before in text
            text = text.replace(before, after, 1)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    with pytest.raises(Misconfigured) as caught:
        read(tmp_path)
    assert says in f"{caught.value.params['place']}: {caught.value.params['fault']}"


@pytest.mark.parametrize(
    ("published", "today", "earlier"),
    [
        (date(2025, 6, 2), date(2026, 6, 30), False),  # of the budget in force until June
        (date(2025, 6, 2), date(2026, 7, 1), True),
        (date(2026, 6, 4), date(2026, 7, 1), False),  # the speech for the year that has just begun
        (date(2026, 3, 1), date(2026, 11, 22), True),
        (None, date(2026, 11, 22), True),
    ],
)
def test_an_amount_ages_with_the_budget(published: date | None, today: date, earlier: bool) -> None:
    source = Source("s", "সূত্র", "Source", "", published, today)
    assert is_of_an_earlier_budget(source, today) is earlier


def test_what_a_fact_may_be_about_is_what_the_page_shows() -> None:
    page = (Path(__file__).parents[3] / "templates/guide/programme.html").read_text()
    assert all(f"facts.{about}" in page or f"{{% if {about} %}}" in page for about in ABOUT)
