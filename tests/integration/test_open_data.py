"""Open data: the page and the files, equal to the internal figures where shown, published once, never changed."""

import csv
import io
import json
import re
import threading
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from grm.cases.models import Case
from grm.kernel.errors import IllegalAction
from grm.opendata import counting, service
from grm.opendata.edition import HEADER, WITHHELD
from grm.opendata.models import OpenDataEdition
from tests.support import build

OCTOBER = date(2026, 10, 1)
FIFTH = build.dhaka(2026, 11, 5, 0, 30)


def filed(session: Session, count: int, day: int, month: int = 10, **columns: Any) -> list[Case]:
    """Cases received on a day, open unless told otherwise."""
    at = build.dhaka(2026, month, day)
    return [build.case(session, filed_at=at, received_on=at.date(), **columns) for _ in range(count)]


def month_of_complaints(session: Session) -> None:
    """31 received, of them 9 at the food ministry and 2 at another; 12 resolved, 6 of September still open."""
    food = build.office_id(session, "food")
    ended = {"status": "resolved", "outcome": "service_given", "acknowledged_at": build.dhaka(2026, 10, 20)}
    filed(session, 12, 3, ended_at=build.dhaka(2026, 10, 31, 23, 59), **ended)
    filed(session, 8, 5)
    at = build.dhaka(2026, 10, 31, 23, 59)
    for office, programme, count in ((food, "oms", 9), (build.office_id(session, "women-children-affairs"), "vwb", 2)):
        for _ in range(count):
            build.case(session, office, filed_at=at, received_on=at.date(), programme=programme)
    filed(session, 6, 30, month=9, ended_at=build.dhaka(2026, 11, 1, 0), **ended)
    filed(session, 7, 1, month=11)
    session.commit()


def rows_of(content: Any, dimension: str) -> dict[str, Any]:
    return {row["code"]: row for row in content["tables"][dimension]}


def test_a_month_is_published_on_the_fifth_once_and_as_the_reports_count(app: Flask, session: Session) -> None:
    month_of_complaints(session)
    assert service.publish_due(build.dhaka(2026, 11, 4, 23, 59)) == []
    with pytest.raises(IllegalAction, match="month-not-over"):
        service.publish_month(date(2026, 11, 1), FIFTH)
    made: list[Any] = []

    def run() -> None:
        with app.app_context():
            made.extend(service.publish_due(FIFTH))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(each.month, each.number) for each in made] == [(OCTOBER, 1)]
    content = made[0].content
    assert (content["total"]["received"], content["total"]["resolved"], content["total"]["open_at_month_end"]) == (
        31,
        12,
        25,
    )
    ministries = rows_of(content, "ministry")
    assert ministries["social-welfare"]["received"] == 20 and ministries["social-welfare"]["resolved"] == 12
    assert [ministries[slug]["received"] for slug in ("food", "women-children-affairs", "health-services")] == [
        None,
        None,
        0,
    ]
    assert rows_of(content, "programme")["oms"]["received"] is None, "it would tell what its ministry has"
    assert rows_of(content, "channel")["web"]["received"] == 31

    with pytest.raises(DBAPIError, match="append-only"):
        session.execute(delete(OpenDataEdition))
    session.rollback()


def test_nothing_is_published_before_the_tallies_are_made(session: Session) -> None:
    month_of_complaints(session)
    session.execute(text("INSERT INTO tally_rebuild VALUES (1, 'test')"))
    session.commit()
    assert service.publish_due(FIFTH) == [], "an edition can never be taken back"
    session.execute(text("DELETE FROM tally_rebuild"))
    session.commit()
    assert len(service.publish_due(FIFTH)) == 1


def test_acts_while_a_month_is_counted_come_in_the_next_edition(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    month_of_complaints(session)
    lines = counting._lines

    def late_paper(*of: Any) -> Any:
        filed(session, 1, 9)
        session.commit()
        return lines(*of)

    monkeypatch.setattr(counting, "_lines", late_paper)
    made = service.publish_month(OCTOBER, FIFTH)
    assert made is not None and made.content["total"]["received"] == 31
    assert made.content["total"]["open_at_month_end"] == 25


def test_what_is_open_waits_while_it_would_tell_two_who_withdrew(session: Session) -> None:
    month_of_complaints(session)
    at = build.dhaka(2026, 10, 20)
    filed(session, 2, 6, status="withdrawn", ended_at=at, acknowledged_at=at)
    session.commit()
    october = service.publish_month(OCTOBER, FIFTH)
    november = service.publish_month(date(2026, 11, 1), build.dhaka(2026, 12, 5))
    assert october is not None and november is not None
    assert [each.content["total"]["withdrawn"] for each in (october, november)] == [None, 0]
    assert [each.content["total"]["open_at_month_end"] for each in (october, november)] == [None, None]


def late_ones(published: list[Any]) -> list[int]:
    """The attack: for any two files that tell what was open, how far these numbers lie apart beyond all that the files of the
    same days say was received and ended; who subtracts so finds how many papers were entered late in between."""
    told: list[int] = []
    nets: dict[str, int] = {}
    for total in ({"month": each["month"], **each["total"]} for each in published):
        nets[total["month"]] = total["received"] - sum(total[name] for name in ("resolved", "declined", "withdrawn"))
        if total["open_at_month_end"] is not None:
            told.append(total["open_at_month_end"] - sum(n for month, n in nets.items() if month <= total["month"]))
    return [abs(one - other) for place, one in enumerate(told) for other in told[:place]]


def test_who_subtracts_two_editions_does_not_find_how_many_papers_came_late(session: Session) -> None:
    month_of_complaints(session)
    published = service.publish_due(FIFTH)
    # Each month's own complaints, and papers of months that are published: too few by themselves for an edition of theirs.
    for month, late in ((11, 3), (12, 1)):
        filed(session, late, 7)
        filed(session, 6, 9, month=month)
        session.commit()
        published += service.publish_due(build.dhaka(2026 + month // 12, month % 12 + 1, 5))
    at = build.dhaka(2027, 1, 20)
    filed(session, 2, 8)
    [build.case(session, filed_at=at, received_on=at.date()) for _ in range(6)]
    session.commit()
    published += service.publish_due(build.dhaka(2027, 2, 5))
    told = [(each.content["month"], each.number, each.content["total"]["open_at_month_end"]) for each in published]
    assert told == [
        ("2026-10", 1, 25),
        ("2026-11", 1, None),  # three of October are among them
        ("2026-12", 1, None),  # four
        ("2026-10", 2, 31),  # six: October has a new edition, and nothing is untold any more
        ("2027-01", 1, 50),
    ]
    assert set(late_ones([each.content for each in published])) <= {0, *range(5, 99)}


def test_a_correction_makes_an_edition_when_it_is_large_enough(client: Any, session: Session) -> None:
    month_of_complaints(session)
    assert len(service.publish_due(FIFTH)) == 1
    filed(session, 3, 7)
    session.commit()
    assert service.publish_month(OCTOBER, build.dhaka(2026, 11, 20)) is None
    filed(session, 4, 7)
    session.commit()
    made = service.publish_due(build.dhaka(2026, 12, 5))
    assert [(each.month, each.number) for each in made] == [(OCTOBER, 2), (date(2026, 11, 1), 1)]
    assert made[0].content["total"]["received"] == 38
    assert rows_of(made[0].content, "ministry")["food"]["received"] is None
    assert session.scalar(select(func.count()).select_from(OpenDataEdition)) == 3

    page = client.get("/open-data?lang=en")
    text = page.get_data(as_text=True)
    assert page.status_code == 200 and "November 2026" in text and "edition 2" in text
    assert "উন্মুক্ত তথ্য" in client.get("/open-data?lang=bn").get_data(as_text=True)
    for link in set(re.findall(r'href="(/open-data/[^"]+)"', text)):
        assert client.get(link).status_code == 200
    latest = client.get("/open-data/grm-2026-10.csv")
    lines = list(csv.DictReader(io.StringIO(latest.get_data(as_text=True).removeprefix("\ufeff"))))
    assert latest.data.startswith(b"\xef\xbb\xbf") and tuple(lines[0]) == HEADER
    assert (lines[0]["received"], lines[0]["edition"], lines[0]["name_bn"]) == ("38", "2", "বাংলাদেশ")
    food = next(line for line in lines if line["code"] == "food")
    assert food["received"] == WITHHELD and food["table"] == "ministry"
    first = json.loads(client.get("/open-data/grm-2026-10-1.json").data)
    assert first["total"]["received"] == 31, "what was published stays as it was"
    for wrong in (
        "grm-2026-10-3.csv",
        "grm-2026-09.csv",
        "grm-2026-13.csv",
        "grm-0000-10.csv",
        "grm-2026-10.xlsx",
        "x",
    ):
        assert client.get(f"/open-data/{wrong}").status_code == 404
