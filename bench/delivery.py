"""Delivery: what one worker hands over, against the same gateway driven directly over the same number of connections."""

import http.client
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask

from bench.results import Line, median, spread
from bench.system import System
from grm.app import create_app
from grm.kernel import clock
from grm.kernel.db import db
from grm.kernel.transaction import transaction
from grm.notifications.delivery import deliver_due, post_for
from grm.notifications.service import Draft, insert

CONNECTIONS = 4
NETWORK_SECONDS = 0.02
"""How long a gateway somewhere in the country takes to answer; the other measurement is of one that answers at once."""
TEXT = "অভিযোগ 7K3M-PQ9X-R2TB4 গ্রহণ করা হয়েছে। জবাবের শেষ তারিখ ৩১/১২/২০২৬।"


def measure(system: System, rounds: int, is_full: bool, say: Callable[[str], None]) -> list[Line]:
    """Deliver some thousand messages at each speed of the gateway, and many for the memory. Raises RuntimeError unless the
    gateway has taken each message exactly once."""
    lines: list[Line] = []
    with _gateway() as port:
        for after_seconds, count in ((0.0, 4_000), (NETWORK_SECONDS, 1_000)):
            bare, ours, cost = [], [], []
            for _ in range(rounds):
                _ask(port, f"/after?s={after_seconds}")
                bare.append(count / _drive(port, count))
                _ask(port, f"/after?s={after_seconds}")
                seconds, _, busy = _deliver(system, port, count)
                ours.append(count / seconds)
                cost.append(1000 * busy / count)
                say(
                    f"  {after_seconds * 1000:.0f} ms: {ours[-1]:,.0f} messages/s; gateway driven directly {bare[-1]:,.0f}/s"
                )
            lines.append(
                Line(
                    "Delivery",
                    f"one worker, {CONNECTIONS} connections, a gateway that answers after {after_seconds * 1000:.0f} ms",
                    f"{spread(ours)} SMS/s",
                    f"{spread(bare)} SMS/s (the gateway alone)",
                    f"{100 * median(ours) / median(bare):.0f}%",
                    "the gateway's own limit" if after_seconds else "",
                )
            )
            lines.append(Line("Delivery", "the same: processor time of the worker a message", f"{spread(cost, 2)} ms"))
        many = 100_000 if is_full else 20_000
        _ask(port, "/after?s=0")
        seconds, sizes, _ = _deliver(system, port, many)
        early, late = sizes[len(sizes) // 10], max(sizes[len(sizes) // 2 :])
        lines.append(
            Line(
                "Delivery",
                f"memory of the worker (RSS) over {many:,} messages in {seconds:.0f} s",
                f"{early:.0f} MB after a tenth, {late:.0f} MB at most in the second half",
                "",
                f"{late / early:.2f} x",
                "flat",
            )
        )
        say(f"  {many:,} messages: {early:.0f} MB, then {late:.0f} MB")
    return lines


@contextmanager
def _gateway() -> Iterator[int]:
    """The gateway as a process of its own; yields its port."""
    script = Path(__file__).with_name("sms_gateway.py")
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


def _ask(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    try:
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def _drive(port: int, count: int) -> float:
    """The floor, in a process of its own: the same requests over as many connections, and nothing else; seconds."""
    context = get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_drive_here, args=(port, count, queue))
    process.start()
    seconds: float = queue.get(timeout=600)
    process.join()
    return seconds


def _drive_here(port: int, count: int, queue: Any) -> None:
    fields = {"username": "grm", "password": "x" * 16, "from": "16122", "to": "+8801712345678", "charset": "UTF-8"}
    fields |= {"coding": "2", "text": TEXT, "dlr-mask": "31"}
    report = "http://127.0.0.1:8000/gateway/sms/receipts?m={}&t=" + "0" * 32 + "&status=%d&answer=%A"
    targets = [f"/cgi-bin/sendsms?{urlencode(fields | {'dlr-url': report.format(n)})}" for n in range(count)]

    def work(own: list[str]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for target in own:
            connection.request("GET", target)
            connection.getresponse().read()
        connection.close()

    threads = [threading.Thread(target=work, args=(targets[n::CONNECTIONS],)) for n in range(CONNECTIONS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue.put(time.perf_counter() - started)


def _deliver(system: System, port: int, count: int) -> tuple[float, list[float], float]:
    """Fill the outbox and let one worker empty it; seconds, its memory in MB on the way, and its processor seconds."""
    env = {
        **system.env(),
        "SMS_GATEWAY_URL": f"http://127.0.0.1:{port}/cgi-bin/sendsms",
        "SMS_GATEWAY_PASSWORD": "x" * 16,
        "SMS_CONNECTIONS": str(CONNECTIONS),
        "ACKS_PER_RECIPIENT": "0",  # all go to one number, which would be a flood
        "LOG_LEVEL": "WARNING",
    }
    context = get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_deliver_here, args=(env, count, queue))
    process.start()
    seconds, sizes, tally, busy = queue.get(timeout=60 + count / 20)
    process.join()
    taken = _ask(port, "/count")
    if taken != f"{count} {count}" or tally.get("accepted") != count:
        raise RuntimeError(f"{count} messages should have been taken once each; the gateway says {taken}, we {tally}")
    return seconds, sizes, busy


def _deliver_here(env: dict[str, str], count: int, queue: Any) -> None:
    from config import load_settings

    settings = load_settings(env)
    app: Flask = create_app(settings)
    with app.app_context():
        _fill(count)
        tally: dict[str, int] = {}
        sizes: list[float] = []
        started, worked = time.perf_counter(), time.process_time()
        while True:
            post = post_for("sms", settings)
            assert post is not None
            done = deliver_due(post, tick_seconds=0.5 if count >= 20_000 else 5.0)
            if not done:
                break
            for result, times in done.items():
                tally[result] = tally.get(result, 0) + times
            sizes.append(_rss_mb())
        queue.put((time.perf_counter() - started, sizes or [0.0], tally, time.process_time() - worked))
        db.session.remove()
        db.engine.dispose()


def _fill(count: int) -> None:
    """Acknowledgements to as many complainants, and nothing else that is due."""
    with transaction() as act:
        later = {"at": act.now + timedelta(days=2)}
        connection = act.session.connection()
        connection.exec_driver_sql(
            "UPDATE message SET next_attempt_at = %(at)s WHERE state IN ('pending', 'unknown') AND channel = 'sms'",
            later,
        )
        rows = connection.exec_driver_sql(
            "SELECT id, tracking_number FROM cases ORDER BY id LIMIT %(n)s", {"n": count}
        ).all()
        run = clock.now(act.session).isoformat()
    for start in range(0, count, 1_000):
        with transaction() as act:
            numbers = range(start, min(start + 1_000, count))
            insert(act, [_draft(rows[n % len(rows)], f"bench:{run}:{n}", act) for n in numbers])


def _draft(case: Any, key: str, act: Any) -> Draft:
    params = {"tracking_number": case.tracking_number, "due_on": "2026-12-31"}
    return Draft(
        key, "case-filed-complainant", "sms", "bn", case.id, False, params, act.now, act.now, address="+8801712345678"
    )


def _rss_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))) / 1024
