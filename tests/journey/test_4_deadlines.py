"""Stage 4: why it is due on this date, day by day, on the page and in the shell, to the same sum."""

import re
from datetime import date, timedelta
from itertools import pairwise

from tests.support.rig import Rig, must_be

from .calendar import WorkingDays
from .conftest import Story
from .test_2_routing import plain

LIMIT = 30


def test_the_shell_explains_each_day_and_the_sum_is_the_date(rig: Rig, story: Story) -> None:
    told = rig.flask("deadlines", "explain", story.number)
    resolve = told[told.index("resolve (") :]
    due_on = date.fromisoformat(re.findall(r"due on (\d{4}-\d\d-\d\d)", resolve)[0])
    days = re.findall(r"^  (\d{4}-\d\d-\d\d) \w{3}  +(\d+)?  ?(.+)$", resolve, re.MULTILINE)
    counted = [date.fromisoformat(day) for day, number, _ in days if number]
    assert [int(number) for _, number, _ in days if number] == list(range(1, LIMIT + 1))
    assert counted[-1] == due_on
    assert all(
        date.fromisoformat(after[0]) - date.fromisoformat(before[0]) == timedelta(days=1)
        for before, after in pairwise(days)
    ), "no day is left out"
    assert "The sum is the stored date." in resolve
    start_on = date.fromisoformat(days[0][0])
    story.note(start_on=start_on, due_on=due_on, counted=counted)


def test_a_second_reckoning_comes_to_the_same_date(rig: Rig, story: Story) -> None:
    calendar = WorkingDays(rig)
    assert calendar.after(story.start_on, LIMIT) == story.due_on
    assert all(calendar.is_worked(day) for day in story.counted)
    assert calendar.between(story.start_on, story.due_on) == LIMIT
    story.note(calendar=calendar)


def test_the_page_tells_the_officer_the_same(rig: Rig, story: Story) -> None:
    case = story.officer.get(f"/cases/{plain(story.number)}")
    page = must_be(story.officer.click(case, "Why this date?"), f"/cases/{plain(story.number)}/why")
    tables = [t for t in page.document.all("table") if len(list(t.all("tr"))) > LIMIT]
    [table] = tables
    counted = [row.text for row in table.all("tr") if row.text.endswith("Counted")]
    assert len(counted) == LIMIT
    assert f"{story.due_on.day} {story.due_on:%B %Y}" in counted[-1]


def test_the_complainant_is_shown_the_date_and_its_days(rig: Rig, story: Story) -> None:
    page = story.follower.get("/track")
    page = story.follower.submit(page.form("secret").fill(tracking_number=story.number, secret=story.secret))
    assert story.due_on_bangla in page.text
    why = next(part for part in page.document.all("details") if "এই তারিখ কেন?" in part.text)
    assert max(len(list(table.all("tr"))) for table in why.all("table")) > LIMIT


def test_acknowledging_has_met_its_clock(rig: Rig, story: Story) -> None:
    [clock] = rig.rows(
        "SELECT d.state FROM deadline d JOIN cases c ON c.id = d.case_id WHERE c.tracking_number = %s AND kind = 'acknowledge'",
        plain(story.number),
    )
    assert clock["state"] == "met"
