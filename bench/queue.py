"""Pages that officers open all day: the queue at any depth and one case, against the bare SQL."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from bench import load
from bench.load import Flow, Result
from bench.results import Line, median, spread
from bench.system import System
from grm.app import create_app
from grm.cases import service as cases
from grm.deadlines.calendar import dhaka_date
from grm.kernel import clock
from grm.kernel.db import db
from grm.offices.signed_in import load as load_officer

HOST = "127.0.0.1"
OFFICER = "gro.social-welfare"
DEEP = 15_000
EVENTS = 20
BARE = """
    SELECT id, tracking_number, status, due_at, programme_id, category_id, district_id, assignee_id FROM cases
    WHERE office_id = %(office)s AND desk = 'gro' AND is_open AND assignee_id IS NULL AND (due_at, id) > (%(due_at)s, %(id)s)
    ORDER BY due_at, id LIMIT 26
"""
_TOKEN = re.compile(rb'name="csrf_token" value="([^"]*)"')


def sign_in(port: int, username: str) -> str:
    """The Cookie header line of a signed-in officer."""
    cookies: dict[str, str] = {}

    def flow() -> Flow:
        page = yield load.get("/login", HOST)
        found = _TOKEN.search(page.body)
        assert found, page.status
        body = urlencode({"csrf_token": found[1].decode(), "username": username, "password": "demo"}).encode()
        sent = dict(_cookies(page))
        done = yield load.post("/login", HOST, body, _header(sent))
        if done.status not in (302, 303):
            raise ValueError(f"sign-in was answered {done.status}")
        cookies.update(sent | dict(_cookies(done)))
        return None

    _once(flow, port)
    return _header(cookies)


def measure(system: System, seconds: float, rounds: int, say: Callable[[str], None]) -> list[Line]:
    """First page, deep page and case page, at one client and at eight."""
    program, port = system.serve_grm()
    number = _long_case(system)
    cookie = sign_in(port, OFFICER)
    with system.connect() as connection:
        row = connection.execute("SELECT id FROM office WHERE code = 'social-welfare'").fetchone()
        office = row[0] if row else 0
        depth, cursor = _deep_cursor(connection, office)
        first_sql = _sql(connection, office, (datetime(1970, 1, 1, tzinfo=UTC), 0))
        deep_sql = _sql(connection, office, cursor)
        case_sql = _case_sql(connection, number)
        held = connection.execute("SELECT count(*) FROM cases WHERE office_id = %s AND is_open", (office,)).fetchone()
    microseconds = (cursor[0] - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    paths = {
        "queue, first page": ("/queue?view=unassigned", first_sql, ""),
        f"queue, page at row {depth:,}": (f"/queue?view=unassigned&at=after_{microseconds}_{cursor[1]}", deep_sql, ""),
        f"one case, {EVENTS} events": (f"/cases/{number}", case_sql, ""),
    }
    lines, first = [], 0.0
    for path, _, _ in paths.values():
        load.run(lambda p=path: _page(p, cookie), port, 8, 1.0)  # warm caches, as they are after a morning
    for what, (path, bare, _) in paths.items():
        for clients in (1, 8):
            results = [load.run(lambda p=path: _page(p, cookie), port, clients, seconds) for _ in range(rounds)]
            for result in results:
                if result.errors:
                    raise RuntimeError(f"{what}: {result.complaint}")
            p50 = median([result.percentile(0.5) for result in results]) * 1000
            p95 = median([result.percentile(0.95) for result in results]) * 1000
            target = ""
            if clients == 1 and what.startswith("queue, first"):
                first, target = p50, "p50 <= 6 ms, p95 <= 15 ms"
            elif clients == 1 and what.startswith("queue"):
                target = f"<= 1.3 x the first page: {p50 / first:.2f} x"
            elif clients == 1:
                target = "p50 <= 7 ms"
            lines.append(
                Line(
                    "Pages",
                    f"{what}, {clients} client{'s' if clients > 1 else ''}",
                    f"p50 {p50:.1f}, p95 {p95:.1f} ms; {_rates(results)} pages/s",
                    f"{bare * 1000:.2f} ms of SQL",
                    f"{p50 / (bare * 1000):.0f} x" if clients == 1 else "",
                    target,
                )
            )
        say(f"  {lines[-2].what}: {lines[-2].grm}; bare {lines[-2].floor}")
    lines.append(Line("Pages", "open cases of the queue's office", f"{held[0] if held else 0:,}"))
    lines.append(
        Line(
            "Pages",
            "memory (PSS) of the web server",
            f"{system.memory_mb(program):.0f} MB",
            target="<= 300 MB a worker",
        )
    )
    return lines


def _page(path: str, cookie: str) -> Flow:
    page = yield load.get(path, HOST, cookie)
    if page.status != 200:
        raise ValueError(f"{path} was answered {page.status} {page.location()}")
    return None


def _deep_cursor(connection: Any, office: int) -> tuple[int, tuple[datetime, int]]:
    """The row before the deep page, and its number: row 15,000, or the middle of a smaller queue."""
    condition = "office_id = %s AND desk = 'gro' AND is_open AND assignee_id IS NULL"
    total = connection.execute(f"SELECT count(*) FROM cases WHERE {condition}", (office,)).fetchone()[0]
    depth = min(DEEP, total // 2)
    row = connection.execute(
        f"SELECT due_at, id FROM cases WHERE {condition} ORDER BY due_at, id OFFSET %s LIMIT 1", (office, depth)
    ).fetchone()
    return depth, (row[0], row[1])


def _sql(connection: Any, office: int, cursor: tuple[datetime, int]) -> float:
    parameters = {"office": office, "due_at": cursor[0], "id": cursor[1]}
    return _median_time(lambda: connection.execute(BARE, parameters).fetchall())


def _case_sql(connection: Any, number: str) -> float:
    def read() -> None:
        case_id = connection.execute("SELECT * FROM cases WHERE tracking_number = %s", (number,)).fetchone()[0]
        connection.execute("SELECT * FROM case_event WHERE case_id = %s ORDER BY seq", (case_id,)).fetchall()

    return _median_time(read)


def _median_time(read: Callable[[], Any], repeats: int = 200) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        read()
        times.append(time.perf_counter() - started)
    return median(times)


def _long_case(system: System) -> str:
    """A case of the officer's queue with twenty events, made by the services."""
    app = create_app(system.settings())
    with app.app_context():
        session = db.session()
        with system.connect() as connection:
            row = connection.execute(
                "SELECT c.tracking_number, o.id FROM cases AS c JOIN office AS f ON f.id = c.office_id, officer AS o "
                "WHERE f.code = 'social-welfare' AND c.desk = 'gro' AND c.status = 'acknowledged' AND c.is_open AND c.level = 0 "
                "AND NOT c.is_sensitive AND o.username = %s ORDER BY c.due_at DESC LIMIT 1",
                (OFFICER,),
            ).fetchone()
        assert row is not None
        number, officer_id = row
        signed_in = load_officer(session, officer_id, dhaka_date(clock.now(session)))
        assert signed_in is not None
        session.rollback()
        for step in range(EVENTS - 1):
            cases.add_note(signed_in.actor, number, None, f"উপজেলা কার্যালয়ে তাগিদ দেওয়া হলো, {step + 1} নম্বর পত্র।")
        db.session.remove()
        db.engine.dispose()
    return str(number)


def _rates(results: list[Result]) -> str:
    return spread([result.rate for result in results])


def _cookies(page: load.Answer) -> list[tuple[str, str]]:
    return [
        (name.decode(), value.decode())
        for name, value in re.findall(rb"(?i)\r\nset-cookie: ([^=]+)=([^;\r]*)", page.head)
        if value
    ]


def _header(cookies: dict[str, str]) -> str:
    return f"Cookie: {'; '.join(f'{name}={value}' for name, value in cookies.items())}\r\n" if cookies else ""


def _once(make_flow: Callable[[], Flow], port: int) -> None:
    """Run one flow in this process."""
    import socket

    flow = make_flow()
    request = next(flow)
    while True:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            raw = b"".join(iter(lambda: client.recv(65536), b""))
        head, _, body = raw.partition(b"\r\n\r\n")
        try:
            request = flow.send(load.Answer(int(raw[9:12]), head, body))
        except StopIteration:
            return
