"""Two officers act on one case in the same moment, two hundred times: one wins, the other gets back every word, nothing is lost.

Both have read the same page. Where the first locks the row, each is made to wait for the other, so that they really meet. Real
connections, the real forms; the fault rig does the same to running web workers (tests/faults/test_database_races.py).
"""

import random
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import cycle, islice, product
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from grm.cases.quality import CODES
from grm.cases.verification import Tally, faults
from grm.kernel import clock
from grm.kernel.db import db
from tests.abuse.test_access import sign_in, token_on
from tests.support import build

ROUNDS = 200
WORDS = "ধামরাই ব্যাংক শাখায় হিসাব খোলার কাগজ জমা হয়েছে এবং ভাতা বিতরণ তালিকায় নাম উঠেছে মাঠ কর্মকর্তা যাচাই করে প্রতিবেদন দিয়েছেন"
Fields = Callable[[str], dict[str, str]]
"""What is typed into a form, about a text that nobody else writes."""

HOLDER: dict[str, Fields] = {
    "NOTE": lambda words: {"note": words},
    "ASK": lambda words: {"question": words},
    "WRITE": lambda words: {"letter": words},
    "REFER": lambda words: {"office": "food", "reason": words},
    "SPLIT": lambda words: {"office": "food", "part": words},
    "RESOLVE": lambda words: {
        "outcome": "answered",
        "reply": words,
        "contact": "could_not_reach",
        "reason": f"ফোন বন্ধ {words}",
        "root_cause": f"কারণ {words}",
        "prevention": f"প্রতিকার {words}",
    },
    "DECLINE": lambda words: {"reason": "before_court", "reply": words},
    "SCHEDULE_HEARING": lambda words: {
        "hearing_on": f"{clock_day:%d/%m/%Y}",
        "hour": "10:30",
        "place": f"কক্ষ {words[:60].strip()}",
        "bring": words,
    },
    "ADD_COMPLAINANT": lambda words: {"name": f"করিম {words[:20]}", "phone": "01712345679", "email": ""},
    "MERGE": lambda words: {"what": "merge_this", "number": next(leads), "other_version": "1"},
    "LINK": lambda words: {"what": "link_this", "number": next(leads), "other_version": "1"},
}
"""What the case officer who holds the case may do, all of it guarded by the version of the page."""
OTHERS: dict[str, dict[str, Fields]] = {
    "gro": {**HOLDER, "CLAIM": lambda words: {}, "ASSIGN": lambda words: {"assignee": str(colleague)}},
    "appeal": {
        "NOTE": HOLDER["NOTE"],
        "REFER": HOLDER["REFER"],
        "TAKE_UP": lambda words: {"reason": words},
    },
    "cell": {"NOTE": HOLDER["NOTE"], "REFER": HOLDER["REFER"], "TAKE_UP": lambda words: {"reason": words}},
}
PAIRS = [(mine, role, theirs) for role, acts in OTHERS.items() for mine, theirs in product(HOLDER, acts)]
clock_day: Any = None
colleague = 0
leads: Iterator[str] = iter(())


class Meeting:
    """Lets the first two threads that come to lock a case wait for each other; whoever comes later passes."""

    def __init__(self) -> None:
        self.met = 0
        self._place = threading.local()
        self._barrier: threading.Barrier | None = None

    def open(self) -> None:
        """Begin a round."""
        self._barrier = threading.Barrier(2)

    def arrive(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        """Called before each statement."""
        barrier = self._barrier
        if barrier is None or "FOR NO KEY UPDATE" not in statement or getattr(self._place, "at", None) is barrier:
            return
        self._place.at = barrier
        try:
            barrier.wait(1)
            self.met += 1
        except threading.BrokenBarrierError:
            pass


@pytest.fixture
def meeting(app: Flask) -> Iterator[Meeting]:
    made = Meeting()
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", made.arrive)
        yield made
        event.remove(db.engine, "before_cursor_execute", made.arrive)


def at_once(*acts: Callable[[], TestResponse]) -> list[TestResponse]:
    """Do all of it in the same moment, each in a thread of its own."""
    results: dict[int, TestResponse] = {}

    def run(number: int) -> None:
        results[number] = acts[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return [results[number] for number in range(len(acts))]


def wrong_with(session: Session, number: str, typed: list[dict[str, str]], answers: list[TestResponse]) -> list[str]:
    """What is not as it should be after one round."""
    statuses = [answer.status_code for answer in answers]
    # Who has lost sight of the case by what the other did is told that there is none.
    if sorted(statuses) not in ([303, 409], [303, 404]):
        return [f"answered {statuses}"]
    won = statuses.index(303)
    lost = 1 - won
    page = answers[lost].get_data(as_text=True)
    found = [f"{name} is gone" for name, value in typed[lost].items() if " " in value and value not in page]
    row = session.execute(
        text(
            "SELECT c.version, c.history_length, count(*) AS events, count(e.data ->> 'version') AS acts,"
            " (SELECT string_agg(t.body, ' ') FROM case_text AS t WHERE t.case_id = c.id) AS words"
            " FROM cases AS c JOIN case_event AS e ON e.case_id = c.id"
            " WHERE c.tracking_number = :number GROUP BY c.id"
        ),
        {"number": number},
    ).one()
    session.rollback()
    if (row.version, row.history_length, row.events, row.acts) != (2, 2, 2, 1):
        found.append(f"version {row.version}, {row.history_length} counted, {row.events} events, {row.acts} of acts")
    said = row.words or ""
    if any(len(value) > 60 and value in said for value in typed[lost].values()):
        found.append("the slower officer's words are in the case")
    if any(len(value) > 60 and name != "part" and value not in said for name, value in typed[won].items()):
        found.append("the faster officer's words are not in the case")
    return found


@pytest.mark.slow
def test_of_two_officers_at_once_one_wins_and_the_other_keeps_every_word(
    app: Flask, session: Session, meeting: Meeting
) -> None:
    global clock_day, colleague, leads
    now = clock.now(session)
    clock_day = clock.dhaka_date(now) + timedelta(days=20)
    officer, colleague = (build.officer_id(session, name) for name in ("officer.social-welfare", "gro.social-welfare"))
    clients = {role: sign_in(app, role) for role in ("officer", *OTHERS)}
    tokens = {
        role: token_on(client.get("/login" if role == "anonymous" else "/queue")) for role, client in clients.items()
    }
    pairs = list(islice(cycle(PAIRS), ROUNDS))
    made = [build.case(session, assignee=officer, status="in_progress") for _ in pairs]
    numbers = [case.tracking_number for case in made]
    leads = iter([build.case(session, assignee=officer, status="in_progress").tracking_number for _ in range(80)])
    session.commit()
    chance, wrong = random.Random(31), []
    for count, ((mine, role, theirs), number) in enumerate(zip(pairs, numbers, strict=True)):
        words = [f"{who} {count} {' '.join(chance.sample(WORDS.split(), 14))}" for who in ("অফিসার", "অন্যজন")]
        typed = [HOLDER[mine](words[0]), OTHERS[role][theirs](words[1])]

        def post(who: str, action: str, fields: dict[str, str], number: str = number) -> Callable[[], TestResponse]:
            data = {**fields, "action": action, "version": "1", "csrf_token": tokens[who], "confirmed": list(CODES)}
            page = f"/cases/{number}" + ("/links" if action in ("MERGE", "LINK") else "")
            return lambda: clients[who].post(page, data=data)

        meeting.open()
        answers = at_once(post("officer", mine, typed[0]), post(role, theirs, typed[1]))
        wrong += [
            f"round {count}, {mine} and {theirs} of {role}: {fault}"
            for fault in wrong_with(session, number, typed, answers)
        ]
    assert wrong == [], "\n".join(wrong[:40])
    assert meeting.met >= 2 * 0.9 * ROUNDS, "they hardly met"
    assert list(faults(session.connection(), Tally())) == []
