"""Filing: a form fetched and one post with everything, against the floor, interleaved in one run."""

import csv
import random
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import event

from bench import load
from bench.load import Flow, Result
from bench.results import Line, median, spread
from bench.system import System
from grm.app import create_app
from grm.demo import wording
from grm.kernel.db import db

HOST = "127.0.0.1"
DATA = Path(__file__).resolve().parents[1] / "grm" / "data"
WARM_UP_SECONDS = 3.0
NEW = "/complaints/new"
DETAILS = (
    "আমার বয়স ৭২ বছর, বাড়ি উলিপুর উপজেলার দুর্গাপুর ইউনিয়নে। জানুয়ারি থেকে মার্চ মাস পর্যন্ত বয়স্ক ভাতার টাকা পাইনি। আগে নিয়মিত "
    "মোবাইলে আসত। উপজেলা অফিসে তিনবার গিয়েছি, প্রতিবার বলে সার্ভারে সমস্যা। দয়া করে বিষয়টি দেখবেন।"
)
_TOKEN = re.compile(rb'name="csrf_token" value="([^"]*)"')
_DRAFT = re.compile(rb'name="draft" value="([^"]*)"')
_NUMBER = re.compile(rb"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{5}")
_FLOOR_NUMBER = re.compile(rb"<b>([0-9a-f]{14})</b>")
PAGES = (
    {"programme": "old-age-allowance", "category": "payment-not-received", "district": "5549"},
    {"details": DETAILS, "upazila": "", "place": "দুর্গাপুর", "incident_on": "", "about": "none"},
    {"name": "রহিমা খাতুন", "email": "", "sex": "female", "age_group": "60_plus", "disability": "no",
     "language": "bn", "preferred_channel": "sms"},
    {"declaration": "1"},
)  # fmt: skip


def _bodies(count: int = 400) -> list[bytes]:
    """Posts without telephone and tokens: programmes by their size, any category, district and text, as in life."""
    rng = random.Random(1)
    rows = {
        name: list(csv.DictReader((DATA / f"{name}.csv").open(encoding="utf-8")))
        for name in ("categories", "districts")
    }
    weights = wording.weights()
    found = []
    for _ in range(count):
        first = {
            "programme": rng.choices(list(weights), list(weights.values()))[0],
            "category": rng.choice(rows["categories"])["slug"],
            "district": rng.choice(rows["districts"])["code"],
        }
        filled = {**PAGES[1], **PAGES[2], **PAGES[3], **first, "details": DETAILS[: rng.randint(60, len(DETAILS))]}
        found.append(urlencode(filled).encode())
    return found


BODIES = _bodies()
FLOOR_BODIES = [
    urlencode(
        dict(parse_qsl(body.decode())) | {"programme": str(n % 58), "category": str(n % 15), "district": str(n % 64)}
    ).encode()
    + b"&phone=01712345678"
    for n, body in enumerate(BODIES)
]


def phone() -> str:
    """A telephone number; few filings share one, as in life."""
    return f"013{random.randrange(10**8):08d}"


def address() -> str:
    """The header by which a proxy says where somebody comes from: nearly everybody from elsewhere."""
    return f"X-Forwarded-For: 103.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)}\r\n"


def one_post(headers: str = "") -> Flow:
    """A citizen without cookies: the form, then everything at once; the answer is the receipt."""
    headers += address()
    form = yield load.get(NEW, HOST, headers)
    token, draft = _hidden(form)
    body = b"step=send&csrf_token=%b&draft=%b&phone=%b&" % (token, draft, phone().encode()) + random.choice(BODIES)
    done = yield load.post(NEW, HOST, body, headers)
    if done.status != 200:
        raise ValueError(f"the post was answered {done.status}")
    return _tracking_number(done.body)


def four_pages() -> Flow:
    """A citizen with cookies, page by page, as a browser follows: nine requests."""
    page = yield load.get(NEW, HOST, address())
    cookie = f"{address()}Cookie: grm_draft={page.cookie('grm_draft')}\r\n"
    for number, values in enumerate(PAGES, start=1):
        token, draft = _hidden(page)
        step = "send" if number == len(PAGES) else str(number)
        filled = {**values, "phone": phone()} if number == 3 else values
        body = b"step=%b&csrf_token=%b&draft=%b&" % (step.encode(), token, draft) + urlencode(filled).encode()
        moved = yield load.post(NEW, HOST, body, cookie)
        if moved.status != 303:
            raise ValueError(f"page {number} was answered {moved.status}")
        page = yield load.get(moved.location(), HOST, cookie)
    return _tracking_number(page.body)


def floor() -> Flow:
    """The same two requests to the floor."""
    form = yield load.get("/", HOST)
    found = _TOKEN.search(form.body)
    assert found
    done = yield load.post("/file", HOST, b"csrf_token=%b&" % found[1] + random.choice(FLOOR_BODIES))
    number = _FLOOR_NUMBER.search(done.body)
    if done.status != 200 or not number:
        raise ValueError(f"the floor answered {done.status}")
    return number[1].decode()


def measure(
    system: System, clients: tuple[int, ...], seconds: float, rounds: int, say: Callable[[str], None]
) -> list[Line]:
    """Run everything and return the table. Raises RuntimeError if an acknowledged filing is not stored whole."""
    grm, grm_port = system.serve_grm()
    floor_program, floor_port = system.serve_floor()
    lines = []
    # Servers run for days: caches, prepared statements and PostgreSQL's processes are as warm as they will be then.
    load.run(floor, floor_port, 8, WARM_UP_SECONDS)
    acknowledged = load.run(one_post, grm_port, 8, 2 * WARM_UP_SECONDS).acknowledged
    for number in clients:
        ours: list[Result] = []
        least: list[Result] = []
        our_cpu = least_cpu = 0.0
        for _ in range(rounds):
            before = system.cpu_seconds(floor_program)
            least.append(load.run(floor, floor_port, number, seconds))
            least_cpu += system.cpu_seconds(floor_program) - before
            before = system.cpu_seconds(grm)
            ours.append(load.run(one_post, grm_port, number, seconds))
            our_cpu += system.cpu_seconds(grm) - before
        lines += _compared(number, ours, least)
        if number == 8:
            per = [
                cpu * 1000 / sum(len(r.acknowledged) for r in of) for cpu, of in ((our_cpu, ours), (least_cpu, least))
            ]
            lines.append(
                Line(
                    "Filing",
                    "processor time a filing, web server and PostgreSQL, 8 clients",
                    f"{per[0]:.2f} ms",
                    f"{per[1]:.2f} ms",
                    f"{per[1] / per[0]:.0%}",
                )
            )
        acknowledged += [each for result in ours for each in result.acknowledged]
        say(f"  {lines[-1].what}: {lines[-1].grm} against {lines[-1].floor}, {lines[-1].ratio}")
    journey = [load.run(four_pages, grm_port, 8, seconds) for _ in range(rounds)]
    squeezed = [load.run(_compressed, grm_port, 8, seconds) for _ in range(rounds)]
    for what, results in (
        ("four pages, nine requests, 8 clients", journey),
        ("one post, answers compressed, 8 clients", squeezed),
    ):
        _require_no_errors(results, what)
        acknowledged += [each for result in results for each in result.acknowledged]
        lines.append(Line("Filing", what, f"{_rates(results)} flows/s; {_times(results)}"))
    lines.append(_stored(system, acknowledged))
    lines.append(statements(system))
    lines.append(
        Line(
            "Filing",
            "memory (PSS) of the web server",
            f"{system.memory_mb(grm):.0f} MB",
            f"{system.memory_mb(floor_program):.0f} MB",
        )
    )
    return lines


def statements(system: System) -> Line:
    """How many round trips to PostgreSQL a filing takes, counted in this process on a warm application."""
    app = create_app(system.settings())
    counted: list[str] = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *a: counted.append(a[2]))
        client = app.test_client(use_cookies=False)
        for attempt in range(3):
            counted.clear()
            page = client.get(NEW)
            after_form = len(counted)
            token, draft = (found[1] for found in (_TOKEN.search(page.data), _DRAFT.search(page.data)) if found)
            body = b"step=send&csrf_token=%b&draft=%b&phone=%b&" % (token, draft, phone().encode()) + BODIES[attempt]
            done = client.post(NEW, data=body, content_type="application/x-www-form-urlencoded")
            assert done.status_code == 200 and attempt >= 0, done.status_code
        db.engine.dispose()
    return Line(
        "Filing",
        "SQL statements: form + post",
        f"{after_form} + {len(counted) - after_form}",
        "0 + 1",
        target="<= 3 for a filing",
    )


def _compressed() -> Flow:
    return one_post("Accept-Encoding: gzip\r\n")


def _compared(clients: int, ours: list[Result], least: list[Result]) -> list[Line]:
    _require_no_errors(ours, "GRM")
    _require_no_errors(least, "the floor")
    share = median([our.rate for our in ours]) / median([low.rate for low in least])
    return [
        Line(
            "Filing",
            f"form + one post, {clients} client{'s' if clients > 1 else ''}",
            f"{_rates(ours)} flows/s; {_times(ours)}",
            f"{_rates(least)} flows/s; {_times(least)}",
            f"{share:.0%}",
            ">= 55 %" if clients == 8 else "",
        )
    ]


def _stored(system: System, acknowledged: list[str]) -> Line:
    """Every acknowledged filing has a case, its first event, two clocks and its message; no number came twice."""
    numbers = [each.replace("-", "") for each in acknowledged]
    with system.connect() as connection:
        whole = connection.execute(
            """
            SELECT count(*) FROM unnest(%s::text[]) AS told (number) JOIN cases AS c ON c.tracking_number = told.number
            WHERE EXISTS (SELECT FROM case_event AS e WHERE e.case_id = c.id AND e.seq = 1)
              AND (SELECT count(*) FROM deadline AS d WHERE d.case_id = c.id) = 2
              AND EXISTS (SELECT FROM message AS m WHERE m.case_id = c.id)
              AND EXISTS (SELECT FROM complainant AS p WHERE p.case_id = c.id)
            """,
            (numbers,),
        ).fetchone()
    assert whole is not None
    if whole[0] != len(numbers) or len(set(numbers)) != len(numbers):
        raise RuntimeError(f"{len(numbers)} filings were acknowledged, {whole[0]} are stored whole")
    return Line("Filing", "acknowledged filings stored whole", f"{whole[0]:,} of {len(numbers):,}", target="all")


def _hidden(page: load.Answer) -> tuple[bytes, bytes]:
    token, draft = _TOKEN.search(page.body), _DRAFT.search(page.body)
    if page.status != 200 or not token or not draft:
        raise ValueError(f"no form: {page.status}")
    return token[1], draft[1]


def _tracking_number(body: bytes) -> str:
    found = _NUMBER.search(body)
    if not found:
        raise ValueError("no tracking number on the receipt")
    return found[0].decode()


def _require_no_errors(results: list[Result], who: str) -> None:
    for result in results:
        if result.errors:
            raise RuntimeError(f"{who}: {result.errors} failed flows, the first: {result.complaint}")


def _rates(results: list[Result]) -> str:
    return spread([result.rate for result in results])


def _times(results: list[Result]) -> str:
    """p50, p95 and p99 in milliseconds, medians of the rounds."""
    parts = (median([result.percentile(share) for result in results]) * 1000 for share in (0.5, 0.95, 0.99))
    return "p50/p95/p99 " + "/".join(f"{part:.0f}" if part >= 10 else f"{part:.1f}" for part in parts) + " ms"
