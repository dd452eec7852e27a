"""Stage 2: the complaint lies in the right ministry's queue and in no other."""

from tests.support.rig import Rig, must_be
from tests.support.web import Page

from .conftest import Story
from .test_1_intake import DETAILS


def numbers_in(page: Page) -> set[str]:
    """Tracking numbers of the cases a queue lists."""
    return {link.rpartition("/")[2].partition("?")[0] for link in page.links("/cases/")}


def plain(number: str) -> str:
    """A tracking number as addresses have it."""
    return number.replace("-", "")


def test_it_is_in_the_queue_of_the_ministry_that_runs_the_programme(rig: Rig, story: Story) -> None:
    gro = rig.officer("gro.social-welfare")
    queue = must_be(gro.get("/queue"), "/queue")
    assert numbers_in(queue) == {plain(story.number), plain(story.unclaimed)}
    case = must_be(gro.click(queue, f"/cases/{plain(story.number)}"), f"/cases/{plain(story.number)}")
    assert " ".join(DETAILS.split()) in case.text
    story.note(gro=gro)


def test_no_other_ministry_sees_it(rig: Rig, story: Story) -> None:
    other = rig.officer("gro.food")
    assert numbers_in(must_be(other.get("/queue?view=all"), "/queue")) == set()
    hidden = must_be(other.get(f"/cases/{plain(story.number)}"), f"/cases/{plain(story.number)}", 404)
    missing = other.get("/cases/0000000000000")
    assert hidden.text.split()[:-1] == missing.text.split()[:-1], "forbidden looks like missing"
    assert numbers_in(other.get(f"/queue?number={story.number}")) == set()


def test_the_cells_queue_is_empty(rig: Rig, story: Story) -> None:
    cell = rig.officer("cabinet")
    assert numbers_in(must_be(cell.get("/queue?view=all"), "/queue")) == set()
    story.note(cell=cell)


def test_the_rule_that_decided_can_be_told(rig: Rig, story: Story) -> None:
    told = rig.flask(
        *("routing", "explain", "--programme", "old-age-allowance"),
        *("--category", "payment-not-received", "--district", "3026"),
    )
    assert "Ministry of Social Welfare" in told
    assert "Decided by old-age-allowance.normal" in told


def test_the_complainant_sees_where_it_is(rig: Rig, story: Story) -> None:
    browser = rig.browser()  # another phone than the one it was filed with
    page = must_be(browser.get("/track"), "/track")
    page = browser.submit(page.form("secret").fill(tracking_number=story.number.lower(), secret=story.secret))
    assert page.status == 200
    assert "সমাজকল্যাণ মন্ত্রণালয়" in page.text and story.due_on_bangla in page.text
    story.note(follower=browser)


def test_a_wrong_secret_shows_nothing(rig: Rig, story: Story) -> None:
    browser = rig.browser()
    page = browser.get("/track")
    wrong = story.unclaimed  # well-formed, but not the secret
    page = browser.submit(page.form("secret").fill(tracking_number=story.number, secret=wrong))
    assert page.status == 422
    assert "সমাজকল্যাণ" not in page.text
