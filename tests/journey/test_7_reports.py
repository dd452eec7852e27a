"""Stage 7: the Cabinet Division reads it all: what is late and where; every figure opens the list it counts."""

import csv
import io
from datetime import date, timedelta
from typing import Any

from tests.support.rig import Rig, must_be
from tests.support.web import Browser, Page

from .conftest import Story
from .test_1_intake import NAME, PHONE, codes
from .test_2_routing import numbers_in, plain
from .test_5_escalation import reach

WORDS = "আজকের মধ্যে নথি দেখে কী করা হলো তা জানাতে হবে, আর কোনো দেরি নয়।"
SURGE = 9
"""Complaints of one place and matter that came in yesterday."""


def listed(browser: Browser, url: str) -> set[str]:
    """Numbers of all cases behind a figure, through all pages of its list."""
    found: set[str] = set()
    page = must_be(browser.get(url), "/reports/cases")
    while True:
        fresh = numbers_in(page)
        assert not fresh & found
        found |= fresh
        following = [a["href"] for a in page.document.all("a") if a["rel"] == "next" or "after=" in a["href"]]
        if not fresh or not following:
            return found
        page = must_be(browser.get(following[0]), "/reports/cases")


def figures(page: Page) -> list[tuple[int, str]]:
    """Every number of a report that leads to a list, and where; a tile's link stands beside its number."""
    tiles = [
        (tile.first("b"), tile.first("a"))
        for tile in page.document.all("li")
        if "tile" in tile["class"].split() and any(tile.all("a"))
    ]
    in_tiles = {id(link) for _, link in tiles}
    links = [(link, link) for link in page.document.all("a") if id(link) not in in_tiles]
    return [
        (int(number.text.replace(",", "")), link["href"])
        for number, link in tiles + links
        if "/reports/cases" in link["href"] and number.text.replace(",", "").isdigit()  # a share is no number of cases
    ]


def test_the_escalation_report_shows_the_case_that_nobody_answered(rig: Rig, story: Story) -> None:
    page = must_be(story.cell.get("/reports/escalations"), "/reports/escalations")
    assert "Ministry of Social Welfare" in page.text and "Old Age Allowance" in page.text
    by_level_3 = [url for number, url in figures(page) if "level=3" in url and number == 1]
    assert by_level_3
    assert listed(story.cell, by_level_3[0]) == {plain(story.unclaimed)}, "the answered one is no longer late"
    story.note(escalations=page)


def test_every_figure_opens_a_list_of_its_own_length(rig: Rig, story: Story) -> None:
    overview = must_be(story.cell.get("/reports"), "/reports")
    checked = [(number, url) for page in (story.escalations, overview) for number, url in figures(page)]
    assert len(checked) >= 8
    for number, url in checked:
        assert len(listed(story.cell, url)) == number, url


def test_filters_narrow_the_report(rig: Rig, story: Story) -> None:
    form = story.escalations.form("ministry", "level")
    page = story.cell.submit(form.fill(ministry="food"))
    assert page.status == 200
    assert not figures(page)
    page = story.cell.submit(form.fill(ministry="social-welfare", level="3"))
    assert {number for number, _ in figures(page)} == {1}


def test_the_csv_has_a_line_for_each_case_and_nobodys_name(rig: Rig, story: Story) -> None:
    answer = story.cell.get(story.escalations.link(".csv"))
    assert answer.status == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    text = answer.body.decode("utf-8-sig")
    header, *lines = csv.reader(io.StringIO(text))
    assert len(lines) == 1
    assert story.unclaimed in lines[0] or plain(story.unclaimed) in lines[0]
    assert len(header) == len(lines[0])
    for secret in (NAME, "আব্দুল করিম", PHONE, "01812345678"):
        assert secret not in text


def test_the_overview_counts_what_came_in_and_what_was_answered(rig: Rig, story: Story) -> None:
    page = must_be(story.cell.get("/reports"), "/reports")
    [table] = [
        each for each in page.document.all("table") if {"Received", "Open"} <= {head.text for head in each.all("th")}
    ]
    head, *rows = [[cell.text for cell in row.all("td", "th")] for row in table.all("tr")]
    [row] = [dict(zip(head, row, strict=True)) for row in rows if "Ministry of Social Welfare" in row[0]]
    assert (row["Received"], row["Resolved"]) == ("2", "1")


def test_other_ministries_reports_count_nothing_of_it(rig: Rig, story: Story) -> None:
    other = rig.officer("gro.food")
    page = must_be(other.get("/reports/escalations"), "/reports/escalations")
    assert figures(page) == []
    assert listed(other, "/reports/cases?measure=escalated") == set()


# --- and acts on it ---------------------------------------------------------------------------------------------------


def act_on(browser: Browser, list_url: str, action: str, **fields: str) -> Page:
    """Tick every case of a list, choose an act, fill in its form and press the button; the page that says what came of it."""
    page = must_be(browser.get(list_url), "/reports/cases")
    form = page.form("case")
    page = browser.submit(form.fill(case=form.choices("case")), action)
    must_be(page, "/reports/act")
    done = browser.submit(page.form("case", action=action).fill(**fields))
    assert done.status == 200 and done.path.startswith("/bulk/"), done.text[:500]
    return done


def late_url(story: Story) -> str:
    """The list behind the late cases of the ministry on the escalation report."""
    page = must_be(story.cell.get("/reports/escalations?ministry=social-welfare"), "/reports/escalations")
    [url] = {url for number, url in figures(page) if number == 1 and "measure=escalated" in url and "level=3" in url}
    return url


def test_a_reminder_goes_out_from_the_figure(rig: Rig, story: Story) -> None:
    done = act_on(story.cell, late_url(story), "REMIND", reminder=WORDS)
    assert "1 of 1 done" in done.text
    email, _ = reach(rig, "gro.social-welfare")
    rig.wait_until(
        lambda: [m for m in rig.mail_to(email) if "তাগিদ" in m.subject or "that are with you" in m.subject],
        "the reminder, one for all the cases that somebody holds",
    )
    again = act_on(story.cell, late_url(story), "REMIND", reminder=WORDS)
    assert "0 of 1 done" in again.text, "once a working day"


def test_a_direction_is_given_and_followed_up(rig: Rig, story: Story) -> None:
    done = act_on(story.cell, late_url(story), "DIRECT", direction=WORDS)
    assert "1 of 1 done" in done.text
    page = must_be(story.cell.get("/directions"), "/directions")
    assert any(number.startswith(plain(story.unclaimed)) for number in numbers_in(page))


def test_who_may_be_late_next_is_foreseen(rig: Rig, story: Story) -> None:
    page = must_be(story.cell.get("/reports/escalations"), "/reports/escalations")
    assert "About to be late" in page.text and "Where the ladder ends" in page.text


# --- the month that is over -------------------------------------------------------------------------------------------


def last_month(rig: Rig) -> date:
    """The first day of the month that is over, in Dhaka."""
    [row] = rig.rows("SELECT (now() AT TIME ZONE 'Asia/Dhaka')::date AS today")
    today: date = row["today"]
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)


def paper(rig: Rig, desk: Browser, received_on: date, **more: Any) -> str:
    """A desk files a paper that came in on a day."""
    page = must_be(desk.get("/desk/new"), "/desk/new")
    form = page.form("details", "medium").fill(
        medium="paper",
        received_on=received_on.isoformat(),
        programme="old-age-allowance",
        category="payment-not-received",
        district="3026",
        details="একই ইউনিয়নের আরেকজন: তিন মাস ধরে বয়স্ক ভাতা আসেনি।",
        language="bn",
        **more,
    )
    receipt = desk.submit(form)
    assert receipt.status == 200, receipt.text[:500]
    return codes(receipt)[0]


def test_the_return_is_submitted_and_corrected_beside_it(rig: Rig, story: Story) -> None:
    month = last_month(rig)
    assert "returns prepared" in rig.flask("returns", "prepare", "--month", f"{month:%Y-%m}")
    address = f"/reports/returns/{month:%Y-%m}/office/social-welfare"
    page = must_be(story.gro.get(address), address)
    assert "Balances" in page.text and "Does not balance" not in page.text
    [form] = [each for each in page.forms() if each.url.endswith("/submit")]
    page = must_be(story.gro.submit(form), address)
    assert "Submitted" in page.text and "Corrections since the submission None." in page.text
    desk = rig.officer("desk.dhaka")
    story.note(desk=desk)
    number = paper(rig, desk, (month + timedelta(days=31)).replace(day=1) - timedelta(days=1))
    page = must_be(story.cell.get(address), address)
    assert "0 → 1 (+1)" in page.text and number in page.text, "a correction with its case"
    rig.flask("returns", "verify")  # ends with 1 where a submitted one was changed


def test_nothing_is_left_to_review_where_nothing_was_closed(rig: Rig, story: Story) -> None:
    assert "of 0 closures" in rig.flask("samples", "draw", "--month", f"{last_month(rig):%Y-%m}")
    must_be(story.cell.get("/reports/reviews"), "/reports/reviews")


def test_many_alike_raise_an_alarm_and_get_a_lead(rig: Rig, story: Story) -> None:
    [row] = rig.rows("SELECT (now() AT TIME ZONE 'Asia/Dhaka')::date AS today")
    numbers = [paper(rig, story.desk, row["today"] - timedelta(days=1)) for _ in range(SURGE)]
    rig.rows("DELETE FROM alarm_run RETURNING day")  # it may have been looked already: let the morning come again
    assert not rig.flask("alarms", "look").startswith("0 new")
    page = must_be(story.cell.get("/reports/alarms"), "/reports/alarms")
    page = story.cell.click(page, "/reports/alarms/")
    assert {plain(each) for each in numbers} <= numbers_in(page)
    form = page.form("lead")
    picks = [each for each in form.choices("case") if each.partition(".")[0] in {plain(one) for one in numbers}]
    page = story.cell.submit(form.fill(case=picks[1:], lead=plain(picks[0].partition(".")[0])))
    assert page.status == 200 and "linked under the lead" in page.text, page.text[:500]
    page = story.cell.submit(page.form("words").fill(words=WORDS))
    assert page.status == 200 and "acknowledged" in page.text.lower()


def test_a_month_is_open_to_everybody_and_says_nothing_of_anybody(rig: Rig, story: Story) -> None:
    rig.flask("opendata", "publish", "--month", f"{last_month(rig):%Y-%m}")
    stranger = rig.browser()
    page = must_be(stranger.get("/open-data"), "/open-data")
    answer = stranger.get(page.link(".csv"))
    assert answer.status == 200
    text = answer.body.decode("utf-8-sig")
    for secret in (NAME, "আব্দুল করিম", PHONE, plain(story.number), plain(story.unclaimed)):
        assert secret not in text


def test_exports_are_on_record(rig: Rig, story: Story) -> None:
    assert rig.rows("SELECT count(*) AS n FROM audit_entry WHERE kind = 'Exported'")[0]["n"] == 1
    assert rig.flask("audit", "verify").startswith("OK")
