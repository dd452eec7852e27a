"""Stage 7: the Cabinet Division reads it all: what is late and where; every figure opens the list it counts."""

import csv
import io

from tests.support.rig import Rig, must_be
from tests.support.web import Browser, Page

from .conftest import Story
from .test_1_intake import NAME, PHONE
from .test_2_routing import numbers_in, plain


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
        if "/reports/cases" in link["href"] and ".csv" not in link["href"]
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
    [row] = [row for row in page.document.all("tr") if "Ministry of Social Welfare" in row.text]
    cells = [cell.text for cell in row.all("td", "th")]
    assert cells[1:3] == ["2", "1"], "received and resolved"


def test_other_ministries_reports_count_nothing_of_it(rig: Rig, story: Story) -> None:
    other = rig.officer("gro.food")
    page = must_be(other.get("/reports/escalations"), "/reports/escalations")
    assert figures(page) == []
    assert listed(other, "/reports/cases?measure=escalated") == set()


def test_exports_are_on_record(rig: Rig, story: Story) -> None:
    assert rig.rows("SELECT count(*) AS n FROM audit_entry WHERE kind = 'Exported'")[0]["n"] == 1
    assert rig.flask("audit", "verify").startswith("OK")
