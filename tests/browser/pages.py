"""Every page of the system in each state worth looking at, and how a person gets there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

from playwright.sync_api import Page

from tests.browser.site import COMPLAINT, DETAILS, Site, case_path
from tests.support import registers

_thousands = count(1)

Reach = Callable[[Page, Site], None]
GRO = "gro.social-welfare"


@dataclass(frozen=True)
class View:
    """One page in one state. `reach` leads there; `status` is the last answer's."""

    name: str
    reach: Reach
    officer: str | None = None
    status: int = 200

    def __str__(self) -> str:
        return self.name

    @property
    def is_public(self) -> bool:
        """Whether citizens see it."""
        return self.officer is None


def at(path: str) -> Reach:
    """Just open an address."""
    return lambda page, site: go(page, site, path)


def go(page: Page, site: Site, path: str) -> None:
    """Open an address of the site."""
    page.goto(site.url + path)


def press(page: Page) -> None:
    """Press the main button of the page's main form."""
    page.locator("main form .buttons button").first.click()


def form_page(number: int) -> Reach:
    """Go through the form up to a page."""

    def reach(page: Page, site: Site) -> None:
        go(page, site, "/complaints/new")
        if number > 1:
            page.select_option("[name=programme]", COMPLAINT["programme"])
            page.check(f"[name=category][value={COMPLAINT['category']}]")
            page.select_option("[name=district]", COMPLAINT["district"])
            press(page)
        if number > 2:
            page.fill("[name=details]", DETAILS)
            page.fill("[name=place]", "ডেমরা, ৬৪ নং ওয়ার্ড")
            press(page)
        if number > 3:
            page.fill("[name=name]", "মোছাঃ রহিমা খাতুন")
            page.fill("[name=phone]", "০১৭১২-৩৪৫৬৭৮")
            page.check("[name=preferred_channel][value=sms]")
            press(page)

    return reach


def form_error(number: int, **typed: str) -> Reach:
    """Press the button of a page of the form with something wrong in it."""

    def reach(page: Page, site: Site) -> None:
        form_page(number)(page, site)
        for name, value in typed.items():
            page.fill(f"[name={name}]", value)
        press(page)

    return reach


def receipt(page: Page, site: Site) -> None:
    """File a complaint."""
    form_page(4)(page, site)
    page.check("[name=declaration]")
    press(page)


def resumed(page: Page, site: Site) -> None:
    """Come back to a form begun before."""
    form_page(3)(page, site)
    go(page, site, "/complaints/new")


def tracked(which: str) -> Reach:
    """Show the status of a complaint."""

    def reach(page: Page, site: Site) -> None:
        number, secret = getattr(site, which)
        go(page, site, "/track")
        page.fill("[name=tracking_number]", number)
        page.fill("[name=secret]", secret)
        press(page)
        for part in page.locator("main details").all():
            part.evaluate("element => element.open = true")

    return reach


def track_error(page: Page, site: Site) -> None:
    """Type codes that fit nothing."""
    go(page, site, "/track")
    page.fill("[name=tracking_number]", "৭ক")
    press(page)


def lost_secret(page: Page, site: Site) -> None:
    """Ask for a code by SMS."""
    go(page, site, "/track")
    page.locator("main details summary").first.click()
    page.fill("[name=lost_number]", site.fresh[0])
    page.fill("[name=phone]", "০১৭১২-৩৪৫৬৭৮")
    page.locator("main details button").first.click()
    page.wait_for_selector("[name=otp]")


def lost_secret_error(page: Page, site: Site) -> None:
    """Type a code that is not the one."""
    lost_secret(page, site)
    page.fill("[name=otp]", "০০০")
    press(page)


def login_error(page: Page, site: Site) -> None:
    """Sign in wrongly."""
    go(page, site, "/login")
    page.fill("[name=username]", "nobody")
    page.fill("[name=password]", "wrong")
    press(page)


def opened(which: str) -> Reach:
    """The page of a case with everything unfolded."""

    def reach(page: Page, site: Site) -> None:
        go(page, site, case_path(getattr(site, which)[0]))
        for part in page.locator("main details").all():
            part.evaluate("element => element.open = true")

    return reach


def resolve_error(page: Page, site: Site) -> None:
    """Send the answer with next to nothing in it."""
    opened("fresh")(page, site)
    page.fill("#resolve-reply", "ঠিক আছে")
    page.locator("#resolve .buttons button").click()


def conflict(page: Page, site: Site) -> None:
    """Somebody else acts on the case while a note is being typed."""
    opened("fresh")(page, site)
    page.fill("#note-note", "জেলা সমাজসেবা কার্যালয়ে খোঁজ নেওয়া হয়েছে; হিসাব নম্বর মেলেনি।")
    site.act(site.signed_in("officer.social-welfare"), site.fresh[0], "NOTE", note="ব্যাংকে চিঠি পাঠানো হয়েছে।")
    page.locator("#note .buttons button").click()


def desk_error(page: Page, site: Site) -> None:
    """Press the desk's button on an empty form."""
    go(page, site, "/desk/new")
    press(page)


def case_file(page: Page, site: Site) -> None:
    """The printed file of a case."""
    go(page, site, case_path(site.resolved[0]) + "/file")


def monthly_return(page: Page, site: Site) -> None:
    """The latest month's return of a ministry's office."""
    go(page, site, "/reports/returns")
    page.locator("a[href$='/office/social-welfare']").first.click()
    page.wait_for_load_state()


def behind_a_return(page: Page, site: Site) -> None:
    """The cases behind one of its numbers."""
    monthly_return(page, site)
    page.locator("a[href*='column=total']").first.click()
    page.wait_for_load_state()


def attach_error(page: Page, site: Site) -> None:
    """A file that is not taken, sent from the case page."""
    go(page, site, case_path(site.fresh[0]))
    page.click("#attach summary")
    page.fill("#attach-note", "উপজেলা কার্যালয়ের চিঠি")
    page.set_input_files(
        "#attach-files", {"name": "চিঠি.docx", "mimeType": "application/zip", "buffer": b"PK\x03\x04" + bytes(50)}
    )
    page.click("#attach .buttons button")


def why_all(page: Page, site: Site) -> None:
    """Why this date, every day of it."""
    go(page, site, case_path(site.fresh[0]) + "/why")
    for part in page.locator("main details").all():
        part.evaluate("element => element.open = true")


LIMITS = "code,kind,limit,unit,valid_from,source\nresolve,resolve,%s,working_days,2027-07-01,Circular\n"


def rehearsed(limit: int) -> Reach:
    """Rehearse a limit for decisions and wait for the figures, the first time; a limit of 0 is a fault."""

    def reach(page: Page, site: Site) -> None:
        if limit and site.rehearsed_at:
            page.goto(site.rehearsed_at)
            return
        go(page, site, "/admin/rehearsals")
        page.fill("[name=policies]", LIMITS % limit)
        press(page)
        if limit:
            page.wait_for_selector(".tiles", timeout=60_000)
            page.wait_for_function("!document.querySelector('meta[http-equiv=refresh]')", timeout=60_000)
            site.rehearsed_at = page.url
            page.goto(page.url)

    return reach


def bulk_form(page: Page, site: Site) -> None:
    """Tick two cases of the queue and begin to answer them."""
    go(page, site, "/queue?view=all")
    for box in page.locator("td.pick input").all()[:2]:
        box.check()
    page.click("main button[value=RESOLVE]")


def bulk_act(page: Page, site: Site) -> None:
    """Assign two cases at once, and see what became of each."""
    go(page, site, "/queue?view=all")
    for box in page.locator("td.pick input").all()[:2]:
        box.check()
    page.click("main button[value=ASSIGN]")
    page.select_option("[name=assignee]", index=1)
    press(page)


def leaving(page: Page, site: Site) -> None:
    """What is to be handed over when the GRO of a ministry leaves, as an administrator sees it: in counts."""
    go(page, site, "/people?office=social-welfare")
    page.click("tbody tr:nth-of-type(3) a[href$='/end']")


def register_error(page: Page, site: Site) -> None:
    """Hand in what is no spreadsheet."""
    go(page, site, "/desk/batches")
    page.set_input_files("#file", files=[{"name": "ছবি.xlsx", "mimeType": "", "buffer": b"\x89PNG\r\n\x1a\n"}])
    page.click("main form .buttons button")


def register_read(page: Page, site: Site) -> None:
    """Hand in a small register with a few bad rows."""
    go(page, site, "/desk/batches")
    today, first = date.today(), 1000 * next(_thousands)  # other complaints each time, or they were filed before
    rows = [registers.row(first + more, today) for more in range(6)]
    rows += [registers.row(first + 7, today, c7="চাঁদের আলো ভাতা"), registers.row(first + 8, today, c1="২১ ফাল্গুন ১৪৩২")]
    rows += [registers.row(first + 9, today, c8="টাকা আসে না"), registers.row(first, today, c0=10)]
    data = registers.xlsx(rows, titles=["উপজেলা নির্বাহী অফিসারের কার্যালয়, সাভার"])
    page.set_input_files("#file", files=[{"name": "রেজিস্টার ২০২৬.xlsx", "mimeType": "", "buffer": data}])
    page.click("main form .buttons button")


def register_filed(page: Page, site: Site) -> None:
    """File it."""
    register_read(page, site)
    page.click("button[value=file]")
    page.wait_for_selector("#results")


def open_data(page: Page, site: Site) -> None:
    """The page of open data with a month on it; demo complaints of last month are many enough for some counts to be shown."""
    month = date.today().replace(day=1) - timedelta(days=1)
    site.flask("opendata", "publish", "--month", f"{month:%Y-%m}")
    go(page, site, "/open-data")


def review(state: str) -> Reach:
    """The review of a drawn closure that is open, or that is written."""

    def reach(page: Page, site: Site) -> None:
        # A few dozen demo cases may leave last month without an open one: then one more is drawn, for the cell's officer.
        site.rows(
            "INSERT INTO closure_sample (month, office_id, case_id, drawn_at, reviewer_id) "
            "SELECT (SELECT max(month) FROM sample_month), c.office_id, c.id, now(), o.id FROM cases AS c, officer AS o "
            "WHERE c.status = 'closed' AND NOT c.has_accused AND NOT c.is_sensitive AND o.username = 'cabinet' "
            "AND NOT EXISTS (SELECT FROM closure_sample AS s WHERE s.case_id = c.id) "
            "AND NOT EXISTS (SELECT FROM closure_sample AS s JOIN cases AS x ON x.id = s.case_id "
            "JOIN sample_month AS m ON m.month = s.month AND m.reported_at IS NULL "
            "WHERE s.state = 'open' AND NOT x.has_accused AND NOT x.is_sensitive) ORDER BY c.id DESC LIMIT 1 RETURNING id"
        )
        rows = site.rows(
            "SELECT c.tracking_number FROM closure_sample AS s JOIN cases AS c ON c.id = s.case_id "
            "JOIN sample_month AS m ON m.month = s.month WHERE s.state = %s AND NOT c.has_accused AND NOT c.is_sensitive "
            "AND (m.reported_at IS NULL OR s.state = 'reviewed') ORDER BY s.reviewer_id IS NULL, s.id LIMIT 1",
            state,
        )
        go(page, site, f"/reports/reviews/{rows[0]['tracking_number']}")

    return reach


def review_error(page: Page, site: Site) -> None:
    """A review sent without an answer."""
    review("open")(page, site)
    press(page)


def exports(page: Page, site: Site) -> None:
    """Files that are ready, were given up and could not be made."""
    site.rows(
        "INSERT INTO export_job (officer_id, kind, format, language, query, title, row_count, state, asked_at, attempts, "
        "rows_done, finished_at, error, as_of, sight, size) "
        "SELECT o.id, 'cases', format, 'bn', '{}', 'সময়সীমা অতিক্রান্ত · সারা দেশ', 67018, state, now(), 1, 67018, now(), error, "
        'now(), \'{"seats": [], "overseen": [], "is_admin": false, "accused_until": 0}\', 5182255 '
        "FROM officer AS o, (VALUES ('xlsx', 'done', NULL), ('pdf', 'failed', 'too-many-rows'), ('csv', 'cancelled', NULL)) "
        "AS j (format, state, error) WHERE o.username = 'cabinet' "
        "AND NOT EXISTS (SELECT FROM export_job) RETURNING id"
    )
    go(page, site, "/reports/exports")


def alarms(page: Page, site: Site) -> None:
    """The alarms, one of them about what the site itself has filed, one of a ministry, one of a silence."""
    site.rows(
        "INSERT INTO alarm (kind, subject, starts_on, until_on, district_id, category_id, office_id, evidence, "
        "raised_at, seen_on) "
        "SELECT a.kind, 'browser', current_date - 7, current_date + 1, CASE WHEN a.kind <> 'behind' THEN p.id END, "
        "CASE WHEN a.kind = 'surge' THEN c.id END, CASE WHEN a.kind = 'behind' THEN o.id END, "
        "evidence::jsonb, now(), current_date "
        "FROM place AS p, category AS c, office AS o, (VALUES ('surge', '{\"cases\": 12, \"usual\": 1.5}'), "
        '(\'silent\', \'{"days": 24, "usual": 3.5, "expected": 12}\'), '
        '(\'behind\', \'{"reasons": [{"code": "late", "now": 41.5, "before": 12.0}]}\')) AS a (kind, evidence) '
        "WHERE p.code = %s AND c.slug = %s AND o.code = (SELECT min(code) FROM office WHERE kind = 'ministry') "
        "ON CONFLICT DO NOTHING RETURNING id",
        COMPLAINT["district"],
        COMPLAINT["category"],
    )
    go(page, site, "/reports/alarms")


def alarm(page: Page, site: Site) -> None:
    """The surge among them, with its cases."""
    alarms(page, site)
    found = site.rows("SELECT id FROM alarm WHERE kind = 'surge' AND subject = 'browser'")
    go(page, site, f"/reports/alarms/{found[0]['id']}")


def alarm_error(page: Page, site: Site) -> None:
    """Acknowledged without a word."""
    alarm(page, site)
    press(page)


VIEWS = (
    View("home", at("/")),
    View("form-1", form_page(1)),
    View("form-1-error", form_error(1), status=422),
    View("form-2", form_page(2)),
    View("form-2-error", form_error(2, details=" ", incident_on="৩২/১৩/২০২৬"), status=422),
    View("form-3", form_page(3)),
    View("form-3-error", form_error(3, phone="০১০১২৩", email="x"), status=422),
    View("form-4", form_page(4)),
    View("form-4-error", form_error(4), status=422),
    View("form-resume", resumed),
    View("receipt", receipt),
    View("receipt-empty", at("/complaints/sent")),
    View("track", at("/track")),
    View("track-error", track_error, status=422),
    View("track-code", lost_secret),
    View("track-code-error", lost_secret_error, status=422),
    View("track-waiting", tracked("waiting")),
    View("track-resolved", tracked("resolved")),
    View("programmes", at("/programmes?q=ভিজিডি")),
    View("programme", at("/programmes/old-age-allowance")),
    View("how-to-complain", at("/help/how-to-complain")),
    View("without-fear", at("/help/without-fear")),
    View("open-data", open_data),
    View("login", at("/login")),
    View("login-error", login_error, status=422),
    View("not-found", at("/no/such/page"), status=404),
    View("outbox", at("/dev/outbox")),
    View("queue", at("/queue?view=all"), GRO),
    View("queue-overdue", at("/queue?view=overdue"), GRO),
    View("queue-empty", at("/queue?view=mine&status=declined&level=3"), GRO),
    View("queue-not-found", at("/queue?number=7B9E-1WEH-QR14K"), GRO),
    View("search-nothing", at("/search?q=Barisal+হাতি"), GRO),
    View("bulk-form", bulk_form, GRO),
    View("bulk-act", bulk_act, GRO),
    View("filters", at("/queue/filters?from=view%3Doverdue%26level%3D1"), GRO),
    View("keys", at("/help/keys"), GRO),
    View("case", opened("fresh"), GRO),
    View("case-resolved", opened("resolved"), GRO),
    View("case-sensitive", opened("sensitive"), "appeal.social-welfare"),
    View("case-error", resolve_error, GRO, 422),
    View("case-conflict", conflict, GRO, 409),
    View("case-file", case_file, GRO),
    View("case-attach-error", attach_error, GRO, 422),
    View("case-divided", opened("divided"), GRO),
    View("directions", at("/directions"), "cabinet"),
    View("why", why_all, GRO),
    View("desk-new", at("/desk/new"), "desk.dhaka"),
    View("desk-error", desk_error, "desk.dhaka", 422),
    View("registers-error", register_error, "desk.dhaka", 422),
    View("register", register_read, "desk.dhaka"),
    View("register-filed", register_filed, "desk.dhaka"),
    View("reports", at("/reports"), "cabinet"),
    View("reports-by-district", at("/reports?by=district&columns=details"), "cabinet"),
    View("reports-of-a-desk", at("/reports"), "gro.social-welfare"),
    View("escalations", at("/reports/escalations"), "cabinet"),
    View("escalation-paths", at("/reports/escalations/paths"), "cabinet"),
    View("escalations-of-a-cluster", at("/reports/escalations"), "coordinator.social-welfare"),
    View("act-from-a-figure", at("/reports/act?action=DIRECT&pick=figure&from=measure%3Descalated"), "cabinet"),
    View("directions-all", at("/directions?state=all"), "cabinet"),
    View("returns", at("/reports/returns"), "cabinet"),
    View("exports", exports, "cabinet"),
    View("return", monthly_return, "cabinet"),
    View("return-cases", behind_a_return, "cabinet"),
    View("rehearsals", at("/admin/rehearsals"), "admin"),
    View("rehearsals-error", rehearsed(0), "admin", 422),
    View("rehearsal", rehearsed(20), "cabinet"),
    View("people", at("/people?office=social-welfare"), "admin"),
    View("people-end", leaving, "admin"),
    View("dossier", at("/people/dossier"), GRO),
    View("report-cases", at("/reports/cases?measure=escalated"), "cabinet"),
    View("samples", at("/reports/samples"), "cabinet"),
    View("samples-nothing", at("/reports/samples?state=passed_on&month=2001-01"), "cabinet"),
    View("review", review("open"), "cabinet"),
    View("review-written", review("reviewed"), "cabinet"),
    View("review-error", review_error, "cabinet", 422),
    View("reviews", at("/reports/reviews"), "cabinet"),
    View("reviews-of-office", at("/reports/reviews"), "appeal.social-welfare"),
    View("alarms", alarms, "cabinet"),
    View("alarm", alarm, "cabinet"),
    View("alarm-error", alarm_error, "cabinet", 422),
)
