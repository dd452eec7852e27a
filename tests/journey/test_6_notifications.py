"""Stage 6: the complainant is asked, answers, gets an answer, and is told of it; what became of every message is known."""

from tests.support.rig import Rig

from .conftest import Story
from .test_1_intake import PHONE
from .test_2_routing import plain
from .test_3_cases import case_page, follow
from .test_5_escalation import reach

QUESTION = "কোন মোবাইল নম্বরে ভাতা পাওয়ার কথা? শেষ কবে টাকা পেয়েছেন?"
ANSWER = "নম্বর আগের মতোই আছে। শেষ টাকা পেয়েছি জ্যৈষ্ঠ মাসে।"
REPLY = (
    "আপনার মোবাইল হিসাবের তথ্য ভুল ছিল। তা সংশোধন করা হয়েছে এবং বকেয়া ছয় মাসের ভাতা ১৫ দিনের মধ্যে "
    "আপনার নম্বরে পাঠানো হবে। ঊর্ধ্বতন কর্মকর্তাকেও জানানো হয়েছে।"
)


def test_the_complainant_is_asked_by_sms_but_not_what(rig: Rig, story: Story) -> None:
    page = case_page(story.officer, story)
    page = story.officer.submit(page.form(action="ASK").fill(question=QUESTION))
    assert page.status == 200, page.text[:400]
    sms = rig.wait_until(lambda: rig.sms_to(PHONE)[2:], "word that something was asked")[0]
    assert story.number in sms.text and rig.url.removeprefix("https://") in sms.text
    assert "মোবাইল নম্বরে" not in sms.text


def test_the_complainant_answers_on_the_tracking_page(rig: Rig, story: Story) -> None:
    page = follow(rig, story)
    assert QUESTION in page.text
    page = story.follower.submit(page.form("answer").fill(answer=ANSWER))
    assert page.status == 200 and ANSWER in page.text
    assert ANSWER in case_page(story.officer, story).text
    email, _ = reach(rig, "officer.social-welfare")
    mails = rig.wait_until(lambda: [m for m in rig.mail_to(email) if story.number in m.text][1:], "word of the answer")
    assert ANSWER not in mails[0].text, "mails carry no content of the case"


def test_a_reply_that_says_nothing_is_not_taken(rig: Rig, story: Story) -> None:
    page = case_page(story.officer, story)
    form = page.form(action="RESOLVE").fill(
        outcome="service_given", reply="ঠিক আছে", contact="spoke", root_cause="ভুল তথ্য"
    )
    page = story.officer.submit(form)
    assert page.status == 422
    assert page.form(action="RESOLVE").values["reply"] == ["ঠিক আছে"], "what was typed comes back"


def test_the_officer_resolves_it_and_the_complainant_is_told(rig: Rig, story: Story) -> None:
    page = case_page(story.officer, story)
    form = page.form(action="RESOLVE").fill(
        outcome="service_given",
        reply=REPLY,
        contact="spoke",
        root_cause="মোবাইল হিসাবের নম্বর ভুলভাবে তোলা হয়েছিল।",
        prevention="নম্বর তোলার সময় উপকারভোগীকে দেখিয়ে নিতে হবে।",
    )
    page = story.officer.submit(form)
    assert page.status == 200 and "Resolved" in page.text
    sms = rig.wait_until(lambda: rig.sms_to(PHONE)[3:], "word that there is an answer")[0]
    assert story.number in sms.text
    assert "সংশোধন" not in sms.text


def test_the_complainant_reads_the_answer_in_bangla(rig: Rig, story: Story) -> None:
    page = follow(rig, story)
    assert REPLY in page.text
    assert "মোবাইল হিসাবের নম্বর ভুলভাবে" not in page.text, "the root cause is the office's own"


def test_delivery_reports_say_that_every_message_arrived(rig: Rig, story: Story) -> None:
    def states() -> set[str]:
        return {row["state"] for row in rig.rows("SELECT DISTINCT state FROM message")}

    rig.wait_until(lambda: states() == {"delivered"}, "delivery reports for all messages")
    assert rig.rows("SELECT count(*) AS n FROM message")[0]["n"] == len(rig.mail.received) + len(rig.sms.received())
    sms = rig.rows(
        "SELECT m.id FROM message m WHERE channel = 'sms' AND NOT EXISTS "
        "(SELECT FROM receipt r WHERE r.message_id = m.id)"
    )
    assert sms == [], "every SMS has its receipt"
    assert rig.rows("SELECT count(*) AS n FROM attempt WHERE number > 1")[0]["n"] == 0


def test_the_case_page_shows_what_became_of_each_message(rig: Rig, story: Story) -> None:
    page = case_page(story.officer, story)
    messages = next(part for part in page.document.all("section") if part.first("h2").text == "Messages")
    assert messages.text.count("Delivered") >= 4
    assert "1712345678" not in messages.text, "a message names its recipient, not the number"


def test_a_resolved_case_rises_no_further(rig: Rig, story: Story) -> None:
    [row] = rig.rows(
        "SELECT d.next_rung_at FROM deadline d JOIN cases c ON c.id = d.case_id "
        "WHERE c.tracking_number = %s AND d.kind = 'resolve'",
        plain(story.number),
    )
    assert row["next_rung_at"] is None
