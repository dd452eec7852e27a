"""Stage 5: nobody answers. The holder is warned, then the GRO, the appeal officer and the Cabinet Division are told, by
e-mail and SMS, each once; nothing happens a second before its time, and nothing happens twice."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.rig import Rig

from .calendar import end_of, start_of
from .conftest import Story
from .test_1_intake import PHONE, TO_BANGLA
from .test_2_routing import numbers_in, plain

SECOND = timedelta(seconds=1)
NOBODY = {"warned": 0, "escalated": {"1": 0, "2": 0, "3": 0}}
LADDER = {1: "gro.social-welfare", 2: "appeal.social-welfare", 3: "cabinet"}


def done(answer: dict[str, Any]) -> dict[str, Any]:
    """What a sweep did, without its measurements."""
    assert answer["failed"] == 0 and answer["vacant"] == 0
    return {"warned": answer["warned"], "escalated": answer["escalated"]}


def at_level(level: int, count: int) -> dict[str, Any]:
    """What a sweep should say that raised so many cases to a level."""
    return {"warned": 0, "escalated": {**NOBODY["escalated"], str(level): count}}  # type: ignore[dict-item]


def reach(rig: Rig, username: str) -> tuple[str, str]:
    """An officer's e-mail address and phone."""
    [row] = rig.rows("SELECT email, phone FROM officer WHERE username = %s", username)
    return row["email"], row["phone"]


def instant(story: Story, level: int) -> datetime:
    """When a level is due: the third working day before, the missed day's end, five and ten working days later."""
    if level == 0:
        return start_of(story.calendar.after(story.due_on, -3))
    days = {1: 0, 2: 5, 3: 10}[level]
    return end_of(story.calendar.after(story.due_on, days) if days else story.due_on)


def test_a_second_before_the_warning_nothing_happens(rig: Rig, story: Story) -> None:
    """But for the unclaimed case, whose receipt nobody has acknowledged: that reminder is long due."""
    answer = done(rig.sweep((instant(story, 0) - SECOND).isoformat()))
    assert answer == {**NOBODY, "warned": 1}
    [row] = rig.rows("SELECT d.kind FROM escalation e JOIN deadline d ON d.id = e.deadline_id")
    assert row["kind"] == "acknowledge"


def test_the_holder_is_warned_three_working_days_before(rig: Rig, story: Story) -> None:
    assert done(rig.sweep(instant(story, 0).isoformat())) == {**NOBODY, "warned": 2}
    email, _ = reach(rig, "officer.social-welfare")
    [mail] = rig.wait_until(lambda: [m for m in rig.mail_to(email) if story.number in m.text], "the warning")
    assert "/queue" in mail.text, "a digest leads to the queue"
    gro_email, _ = reach(rig, "gro.social-welfare")
    rig.wait_until(
        lambda: [m for m in rig.mail_to(gro_email) if story.unclaimed in m.text], "the desk's warning of the unclaimed"
    )


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_missed_day_brings_it_to_the_next_post(rig: Rig, story: Story, level: int) -> None:
    """An unclaimed case rises like any other. Below the top both cases are in one digest; the top hears of each at once."""
    at = instant(story, level)
    assert done(rig.sweep((at - SECOND).isoformat())) == NOBODY, "not a second too early"
    assert done(rig.sweep(at.isoformat())) == at_level(level, 2)
    assert done(rig.sweep(at.isoformat())) == NOBODY, "a second sweep does nothing"
    email, phone = reach(rig, LADDER[level])
    for number in (story.number, story.unclaimed):
        [mail] = rig.wait_until(
            lambda number=number: [m for m in rig.mail_to(email) if is_about(m, number, level)],
            f"the e-mail of level {level}",
        )
        assert (f"/cases/{plain(number)}" if level == 3 else "/queue") in mail.text
        [sms] = rig.wait_until(
            lambda number=number: [s for s in rig.sms_to(phone) if says(s.text, number, level)],
            f"the SMS of level {level}",
        )
        assert sms.parts <= 2
    if level == 1:
        rig.wait_until(lambda: len(rig.sms_to(PHONE)) == 2, "word to the complainant that it is late")


def is_about(mail: Any, number: str, level: int) -> bool:
    """Whether an e-mail tells of this level of this case: of the top in its subject, of others in a line of the digest."""
    lines = [mail.subject] if level == 3 else mail.text.splitlines()
    return any(number in line and at_level_in_words(line, level) for line in lines)


def says(text: str, number: str, level: int) -> bool:
    """Whether an SMS tells of this level: of the top by the case's number, of others by how many there are."""
    return number in text if level == 3 else number not in text and at_level_in_words(text, level)


def at_level_in_words(text: str, level: int) -> bool:
    """Whether a text names a level, in Bangla or English."""
    return f"পর্যায় {str(level).translate(TO_BANGLA)}" in text or f"level {level}" in text


def test_each_recipient_was_told_once(rig: Rig, story: Story) -> None:
    rig.drain()
    for number in (story.number, story.unclaimed):
        mails = Counter(
            (mail.recipients, mail.subject, mail.text)
            for mail in rig.mail.received
            if number in mail.subject + mail.text
        )
        assert set(mails.values()) == {1}, mails
        assert len({m.message_id for m in rig.mail.received}) == len(rig.mail.received)
        for level, username in LADDER.items():
            email, phone = reach(rig, username)
            assert sum(is_about(m, number, level) for m in rig.mail.received) == 1
            assert sum(is_about(m, number, level) for m in rig.mail_to(email)) == 1
            assert sum(says(sms.text, number, level) for sms in rig.sms_to(phone)) == 1
    assert len(rig.sms_to(PHONE)) == 2, "the complainant was told of the filing and, once, of the delay"


def test_the_ladder_is_climbed_to_the_top_and_no_further(rig: Rig, story: Story) -> None:
    later = instant(story, 3) + timedelta(days=60)
    assert done(rig.sweep(later.isoformat())) == NOBODY
    levels = rig.rows(
        "SELECT e.level, count(*) AS n FROM escalation e JOIN deadline d ON d.id = e.deadline_id "
        "WHERE d.kind = 'resolve' GROUP BY 1 ORDER BY 1"
    )
    assert [(row["level"], row["n"]) for row in levels] == [(0, 2), (1, 2), (2, 2), (3, 2)]


def test_the_case_page_shows_the_level_and_the_higher_posts_may_open_it(rig: Rig, story: Story) -> None:
    appeal = rig.officer("appeal.social-welfare")
    for browser in (story.officer, story.gro, appeal, story.cell):
        page = browser.get(f"/cases/{plain(story.number)}")
        assert page.status == 200
        assert "Level 3" in page.text
    story.note(appeal=appeal)
    assert plain(story.unclaimed) in numbers_in(story.gro.get("/queue?view=unassigned"))


def test_the_history_is_unbroken(rig: Rig, story: Story) -> None:
    assert rig.flask("audit", "verify").startswith("OK")
