"""Alarms: looked for once a morning, kept until over, told once, and each with the list of just the cases it counts."""

import re
import secrets
import threading
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from grm.alarms import counting, queries, service
from grm.alarms.looking import Looked, look
from grm.alarms.models import Alarm, AlarmCount, AlarmRun
from grm.cases.links_models import CaseLink
from grm.cases.models import Case
from grm.kernel.errors import Conflict, IllegalAction, InvalidInput
from grm.notifications.models import Message
from grm.offices.queries import directory
from tests.integration.test_closing import sign_in, token_of
from tests.support import build

TODAY = date(2026, 6, 10)
NOW = build.dhaka(2026, 6, 10, 7)
COPY = """
    INSERT INTO submission (key, sealed, channel, received_at)
    SELECT decode(md5(:mark || n), 'hex'), '\\x00', 'web', now() FROM generate_series(1, :count) AS n;
"""


def arrive(session: Session, like: Case, days: dict[date, int], **columns: Any) -> None:
    """Cases like one, received on days: by one statement, for months of them."""
    mark = secrets.token_hex(6)
    total = sum(days.values())
    session.execute(text(COPY), {"mark": mark, "count": total})
    names = [each.key for each in Case.__mapper__.column_attrs if each.key not in ("id", "is_open", *columns)]
    own = {
        "tracking_number": "'X' || substr(md5(:mark || s.id), 1, 12)",
        "submission_id": "s.id",
        "received_on": "d.day",
        "filed_at": "d.day + interval '10 hours'",
    }
    own |= {name: f":{name}" for name in columns}
    values = ", ".join(own.get(name, f"c.{name}") for name in [*names, *columns])
    session.execute(
        text(
            f"""
            INSERT INTO cases ({", ".join([*names, *columns])}) SELECT {values}
            FROM (SELECT id, row_number() OVER () AS n FROM submission
                  WHERE key IN (SELECT decode(md5(:mark || n), 'hex') FROM generate_series(1, :count) AS n)) AS s
            JOIN (SELECT day, row_number() OVER () AS n FROM unnest(CAST(:days AS date[])) AS day) AS d ON d.n = s.n
            JOIN cases AS c ON c.id = :id
            """
        ),
        {
            "mark": mark,
            "count": total,
            "days": [day for day, count in days.items() for _ in range(count)],
            "id": like.id,
            **columns,
        },
    )


def each_day(since: int, until: int, count: int = 1, step: int = 1) -> dict[date, int]:
    """So many cases a day, from so many days before today to so many days before today (both inclusive)."""
    return {TODAY - timedelta(days=n): count for n in range(since, until - 1, -step)}


def seeded(session: Session) -> tuple[Case, Case]:
    """Two districts with months of ordinary complaints, and a week of many alike in the second."""
    known = directory(session)
    first = build.case(session, filed_at=build.dhaka(2026, 1, 5))
    second = build.case(session, filed_at=build.dhaka(2026, 1, 5), district_id=known.districts[1].id)
    arrive(session, first, each_day(150, 1, step=2))
    arrive(session, second, each_day(150, 1, step=4))
    session.flush()
    arrive(session, second, each_day(6, 2, count=6), place="surge")
    session.commit()
    return first, second


def alarms(session: Session, kind: str) -> list[Alarm]:
    session.rollback()
    return list(session.scalars(select(Alarm).where(Alarm.kind == kind).order_by(Alarm.id)))


def test_a_morning_is_looked_at_once_and_an_alarm_lives_until_it_is_over(app: Flask, session: Session) -> None:
    _, second = seeded(session)
    district_id = second.district_id
    assert look(build.dhaka(2026, 6, 10, 5)) == Looked(), "before six nobody looks"
    results: list[Looked] = []

    def run() -> None:
        with app.app_context():
            results.append(look(NOW))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert look(NOW + timedelta(hours=9)) == Looked()
    assert sum(each.raised > 0 for each in results) == 1 and len(results) == 4
    (surge,) = alarms(session, "surge")
    assert (surge.district_id, surge.programme_id, surge.state) == (district_id, None, "open")
    assert surge.evidence["cases"] == 31 + 1 and surge.evidence["usual"] == 2.0
    assert {each.district_id for each in alarms(session, "unheard")} == set(), "too few in the country to wonder"
    cell = build.officer_id(session, "cabinet")
    told = session.execute(select(Message.officer_id, Message.template, Message.params)).all()
    assert told == [(cell, "alarms-raised-officer", {"alarms": 1})]
    session.rollback()

    assert look(NOW + timedelta(days=1)) == Looked(0, 0), "it goes on"
    (surge,) = alarms(session, "surge")
    assert surge.until_on == TODAY and surge.seen_on == TODAY + timedelta(days=1)
    assert look(NOW + timedelta(days=8)) == Looked(0, 1)
    (surge,) = alarms(session, "surge")
    assert surge.state == "over" and surge.over_at == NOW + timedelta(days=8)
    days = session.scalars(select(AlarmRun.day).order_by(AlarmRun.day)).all()
    assert days == [TODAY, TODAY + timedelta(days=1), TODAY + timedelta(days=8)]
    assert len(session.scalars(select(Message.id)).all()) == 1


def test_what_came_last_year_in_the_same_weeks_explains_this_year(session: Session) -> None:
    _, second = seeded(session)
    last_day, year = TODAY - timedelta(days=1), timedelta(weeks=52)
    other = directory(session).districts[2].id
    arrive(session, second, each_day(6, 2, count=6), place="elsewhere", district_id=other)
    session.commit()
    subjects = {
        f"district:{row}:{second.category_id}": {"district_id": row, "category_id": second.category_id}
        for row in (second.district_id or 0, other)
    } | {"programme": {"programme_id": second.programme_id or 0, "category_id": second.category_id}}
    assert counting.last_year(session, subjects, last_day) == {}, "it does not go back so far"
    arrive(session, second, {TODAY - year - timedelta(days=days): count for days, count in ((40, 9), (9, 11), (1, 8))})
    session.commit()
    assert list(counting.last_year(session, subjects, last_day).values()) == [11, 0, 11], "the fullest of three weeks"
    arrive(session, second, {TODAY - year - timedelta(days=9): 20})
    session.commit()
    look(NOW)
    found = {(each.district_id, each.evidence["last_year"]) for each in alarms(session, "surge")}
    assert found == {(other, 0), (None, 31)}, (
        "31 came last year where 32 came now; in both districts it is twice as many"
    )
    session.execute(text("SET LOCAL enable_seqscan = off"))
    given = {"subjects": ["x"], "districts": [1], "programmes": [1], "categories": [1], "offices": [1, 2]}
    explain = text("EXPLAIN " + counting.LAST_YEAR.text)
    plan = "\n".join(session.scalars(explain, {**given, "first": last_day - year, "last": last_day}))
    for place in ("district_id = w", "office_id = ANY"):
        assert re.search(rf"Index Cond: \(\({place}.* AND \(received_on >= .* AND \(received_on <= ", plan), plan
    assert "Seq Scan on cases" not in plan


def test_what_was_entered_late_counts_on_the_day_it_came(session: Session) -> None:
    first = build.case(session, filed_at=build.dhaka(2026, 6, 1))
    build.case(session, filed_at=build.dhaka(2026, 6, 2), parent_id=None, programme=None, district_id=None)
    session.commit()
    assert counting.count(TODAY - timedelta(days=1)) > 20, "the first time all that the rules look back to"
    arrive(session, first, {date(2026, 6, 3): 2, date(2026, 2, 3): 5})
    session.commit()
    assert counting.count(TODAY) == 2, "then the latest two weeks"
    session.rollback()
    place = counting.by_place(session)[first.district_id or 0, first.category_id]
    assert {day: cases for day, cases in place.items() if cases} == {date(2026, 6, 1): 1, date(2026, 6, 3): 2}
    everything = counting.in_all(session)
    assert len(everything) == counting.KEPT_DAYS and sum(everything.values()) == 4
    rows = session.scalars(select(AlarmCount).where(AlarmCount.dimension == "programme")).all()
    assert sum(row.cases for row in rows) == 3


def test_silent_districts_and_those_never_heard(session: Session) -> None:
    known = directory(session)
    loud = build.case(session, filed_at=build.dhaka(2026, 1, 5))
    gone = build.case(session, filed_at=build.dhaka(2026, 1, 5), district_id=known.districts[1].id)
    arrive(session, loud, each_day(150, 1, count=4))
    arrive(session, gone, each_day(120, 21))
    session.commit()
    look(NOW)
    (silent,) = alarms(session, "silent")
    assert silent.district_id == gone.district_id and silent.until_on == TODAY - timedelta(days=21)
    assert silent.evidence == {"days": 20, "expected": 20.0, "usual": 7.0}
    who = build.actor(session, "cabinet", TODAY)
    assert queries.count(session, who, silent, NOW) == len(each_day(120, 21)) - 120 + 21 + 91 == 92
    unheard = alarms(session, "unheard")
    assert len(unheard) == 62 and {row.evidence["expected"] for row in unheard} == {11.0}
    arrive(session, gone, {TODAY: 1}, district_id=unheard[0].district_id)
    arrive(session, gone, {TODAY: 1}, place="again")
    session.commit()
    look(NOW + timedelta(days=1))
    assert [each.state for each in alarms(session, "silent")] == ["over"]
    assert [each.state for each in alarms(session, "unheard")].count("over") == 1


def test_a_ministry_that_answers_late_falls_behind(session: Session) -> None:
    done = {"status": "closed", "outcome": "answered", "acknowledged_at": build.dhaka(2026, 1, 6)}
    like = build.case(session, filed_at=build.dhaka(2026, 1, 5), ended_at=build.dhaka(2026, 1, 20), **done)
    for month in range(11, 17):
        on = date(2025 + (month - 1) // 12, (month - 1) % 12 + 1, 5)
        at = {"ended_at": build.dhaka(on.year, on.month, 20), "due_at": build.dhaka(on.year, on.month, 25)}
        arrive(session, like, {on: 30}, **at)
    late = {"ended_at": build.dhaka(2026, 5, 28), "due_at": build.dhaka(2026, 5, 20)}
    arrive(session, like, {date(2026, 4, 6): 15, date(2026, 5, 3): 15}, **late)
    session.commit()
    office_id = like.office_id
    session.execute(text("INSERT INTO tally_rebuild VALUES (1, 'test')"))
    session.commit()
    assert look(NOW) == Looked() and not alarms(session, "behind"), "the tallies are to be made first"
    session.execute(text("DELETE FROM tally_rebuild"))
    session.commit()
    look(NOW)
    (behind,) = alarms(session, "behind")
    assert (behind.office_id, behind.starts_on) == (office_id, date(2026, 5, 1))
    assert [each["code"] for each in behind.evidence["reasons"]] == ["late", "slower"]

    slow = [case.id for case in session.scalars(select(Case).where(Case.ended_at == late["ended_at"]))]
    quick = {"ended_at": build.dhaka(2026, 5, 10), "due_at": build.dhaka(2026, 5, 20)}
    for days, ends in ((1, quick), (2, late)):
        session.execute(update(Case).where(Case.id.in_(slow)).values(ends))
        session.commit()
        look(NOW + timedelta(days=days))
    assert [(each.starts_on, each.state) for each in alarms(session, "behind")] == [
        (date(2026, 5, 1), "over"),
        (date(2026, 6, 12), "open"),
    ], "what begins again in the same month is another"


def test_the_cell_acknowledges_lists_and_links(app: Flask, session: Session) -> None:
    _, second = seeded(session)
    cabinet = build.officer_id(session, "cabinet")
    about = {"filed_at": build.dhaka(2026, 6, 7), "district_id": second.district_id}
    rows = [build.case(session, **about) for _ in range(4)]
    secret = build.case(session, **about, accused_officers=[cabinet])
    elsewhere = build.case(session, build.office_id(session, "food"), **about)
    ended = build.case(session, **about, status="withdrawn", outcome="withdrawn", ended_at=NOW)
    session.commit()
    look(NOW)
    (alarm,) = alarms(session, "surge")
    who, url = build.actor(session, "cabinet", TODAY), f"/reports/alarms/{alarm.id}"
    count = queries.count(session, who, alarm, NOW)
    assert count == alarm.evidence["cases"] - 1, "one accuses the reader"
    session.rollback()

    client = sign_in(app, "cabinet")
    page = client.get(url).text
    assert f"{count} cases came from" in client.get("/reports/alarms").text and f"{count} cases came from" in page
    assert secret.tracking_number not in page
    shown = re.findall(r'<a href="/cases/(\w+)"', page)
    assert len(shown) == len(set(shown)) == count <= queries.PAGE and rows[0].tracking_number in shown
    file = client.get(f"/reports/exports/alarm.csv?alarm={alarm.id}").get_data(as_text=True)
    assert all(number in file for number in shown) and secret.tracking_number not in file
    token = token_of(page)
    assert client.post(url, data={"csrf_token": token, "words": " "}).status_code == 422
    said = {"csrf_token": token, "words": "ইউএনওকে ফোন করা হয়েছে"}
    assert client.post(url, data=said).status_code == 303 == client.post(url, data=said).status_code
    again = client.post(url, data={**said, "words": "অন্য কথা বলা হলো"})
    assert again.status_code == 409 and "ইউএনওকে ফোন করা হয়েছে" in client.get("/reports/alarms?lang=en").text

    lead, first, stale, _ = rows
    number = {each.id: each.tracking_number for each in (*rows, elsewhere, ended, secret)}
    picks = [f"{number[first.id]}.1", f"{number[stale.id]}.9", f"{number[elsewhere.id]}.1", f"{number[ended.id]}.1"]
    form = {"csrf_token": token, "what": "link", "lead": number[lead.id], "case": [*picks, f"{number[secret.id]}.1"]}
    answer = client.post(url, data=form)
    assert answer.status_code == 409 and "Linked: 1" in answer.text
    assert "different desks" in answer.text and number[secret.id] not in answer.text
    session.rollback()
    links = session.execute(select(CaseLink.case_id, CaseLink.lead_id, CaseLink.linked_by_id)).all()
    assert links == [(first.id, lead.id, cabinet)]
    session.rollback()
    form["case"] = [f"{number[rows[3].id]}.1", f"{number[lead.id]}.2"]
    assert client.post(url, data=form).status_code == 303
    for wrong in ({"lead": number[secret.id]}, {"lead": ""}, {"case": [f"{number[lead.id]}.1"]}):
        assert client.post(url, data={**form, **wrong}).status_code == 422
    for other in ("gro.social-welfare", "admin"):
        assert sign_in(app, other).get(url).status_code == 404
    assert client.get("/reports/alarms/999999").status_code == 404 == client.get("/reports/alarms/x").status_code
    # Where all that came in accuse him, the alarm itself would tell an officer that they did.
    accusing = {"filed_at": build.dhaka(2026, 6, 7), "district_id": directory(session).districts[5].id}
    row = build.case(session, **accusing, accused_officers=[cabinet])
    dates = {"starts_on": TODAY, "until_on": TODAY, "seen_on": TODAY, "raised_at": NOW}
    about = {"kind": "surge", "subject": "test", "district_id": row.district_id, "category_id": row.category_id}
    evidence = {"cases": 1, "usual": 0.1, "score": 9}
    hidden = Alarm(**about, **dates | {"starts_on": row.received_on}, evidence=evidence)
    session.add(hidden)
    session.commit()
    own = f"/reports/alarms/{hidden.id}"
    assert own not in client.get("/reports/alarms").text and url in client.get("/reports/alarms").text
    answers = [
        client.get(own),
        client.post(own, data=said),
        client.get(f"/reports/exports/alarm.csv?alarm={hidden.id}"),
    ]
    assert [each.status_code for each in answers] == [404] * 3


def test_acknowledging_is_refused_when_it_is_over_or_taken(session: Session) -> None:
    columns = {"kind": "silent", "subject": "x", "starts_on": TODAY, "until_on": TODAY, "evidence": {}}
    rows = [
        Alarm(**columns, raised_at=NOW, seen_on=TODAY),
        Alarm(**{**columns, "subject": "y"}, raised_at=NOW, seen_on=TODAY, state="over", over_at=NOW),
    ]
    session.add_all(rows)
    session.commit()
    live, over = (each.id for each in rows)
    cell = build.actor(session, "cabinet", TODAY)
    session.rollback()
    with pytest.raises(InvalidInput):
        service.acknowledge(cell, live, "না")
    service.acknowledge(cell, live, "খোঁজ নেওয়া হচ্ছে", now=NOW)
    with pytest.raises(Conflict):
        service.acknowledge(cell, live, "আবার খোঁজ নেওয়া হচ্ছে", now=NOW)
    with pytest.raises(IllegalAction, match="alarm-over"):
        service.acknowledge(cell, over, "খোঁজ নেওয়া হচ্ছে", now=NOW)
