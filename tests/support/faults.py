"""The fault rig: the whole system in processes that can be killed, frozen and cut off one by one, and the ledger check L.

Real PostgreSQL and Valkey, two web workers, two Celery workers, beat (and a second one on demand). Between Valkey and
everybody else lies a line that can fall silent. The SMS gateway and the mail server run here, in the test's process, and
what they took is the oracle: `Ledger` joins their logs with the database, never our status column alone.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from flask import Flask
from psycopg.rows import dict_row
from redis import Redis
from sqlalchemy import insert
from sqlalchemy.orm import Session

from config import load_settings
from grm.engines import start_postgres, start_valkey
from grm.kernel.places import derive_keys, embedded_places
from grm.supervisor import Supervisor
from tests.support.fault_link import Link
from tests.support.gateway import Answer, Gateway, reference_of, report_path
from tests.support.mailbox import Mailbox, free_port, running_mailbox

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
TIMEOUT_SECONDS = 0.5
LEASE_SECONDS = 4 * TIMEOUT_SECONDS
SWEEP_SECONDS = 1.0
DELIVERY_SECONDS = 0.5  # ticks that find nothing are most of what this system costs
# The operating system outlives every fault here, so nothing need reach the disk; but what was committed must have been
# handed to it, or an immediate stop of PostgreSQL would lose it.
_POSTGRES = ("fsync=off", "full_page_writes=off")
_OUR_ID = re.compile(r"<grm\.(\d+)\.")
Found = TypeVar("Found")


class Program:
    """A program with its children in a group of its own, which is hit as a whole."""

    def __init__(self, name: str, argv: Sequence[Any], env: dict[str, str], log: Path, orphan: signal.Signals) -> None:
        self.name = name
        self.argv = [str(part) for part in argv]
        self.env = env
        self.log = log / f"{name}.log"
        self._supervisor = Supervisor(log, log / f"{name}.pids", lambda text: None)
        self._orphan = orphan
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The id of the program and of its group."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self, **more_env: str) -> None:
        """Start it; does not wait."""
        assert not self.is_running, f"{self.name} is running"
        env = self.env | more_env
        program = self._supervisor.start(self.name, self.argv, env=env, cwd=ROOT, orphan_signal=self._orphan)
        self._process = program.process

    def kill(self) -> None:
        """SIGKILL to the program and all its children."""
        self._signal(signal.SIGKILL)
        self._process.wait(5) if self._process else None

    def freeze(self) -> None:
        """SIGSTOP to all of them: alive, and doing nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def ask_to_stop(self) -> None:
        """SIGTERM to the program only, as a deployment does."""
        os.kill(self.pid, signal.SIGTERM)

    def stop(self, seconds: float = 15) -> bool:
        """Ask it to stop and wait; returns whether it did so in time. Then it is killed."""
        if not self.is_running:
            return True
        self.thaw()
        self.ask_to_stop()
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
            return True
        self.kill()
        return False

    def end(self) -> None:
        """Leave nothing of it behind, now."""
        if self._process is not None:
            self.kill()
            self._supervisor.stop_all()

    def children(self) -> list[int]:
        """The ids of its children."""
        task = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        with contextlib.suppress(OSError):
            return [int(pid) for pid in task.read_text().split()]
        return []

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)


class Engine:
    """PostgreSQL or Valkey, to be stopped rudely and started again on the same files."""

    def __init__(self, start: Callable[[Supervisor], None], log: Path, name: str) -> None:
        self._start = start
        self._log = log
        self._name = name
        self._supervisor: Supervisor | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        note = self._log / f"{self._name}.pids"
        self._supervisor = Supervisor(self._log, note, lambda text: None)
        self._start(self._supervisor)
        self.pid = int(note.read_text().split()[0])

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server itself (SIGQUIT is PostgreSQL's immediate stop)."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, and see it gone."""
        self.signal(signal.SIGKILL)
        self.end()

    @property
    def is_running(self) -> bool:
        """Whether it is there."""
        return self._supervisor is not None

    def end(self) -> None:
        """Stop it and leave nothing behind."""
        if self._supervisor is not None:
            with contextlib.suppress(ProcessLookupError):
                self.signal(signal.SIGCONT)
            self._supervisor.stop_all()
            self._supervisor = None


class FaultRig:
    """The system under fault. `start` once, `mend` and `reset` before each test."""

    def __init__(self, top: Path) -> None:
        top.chmod(0o711)  # started by root, PostgreSQL runs as nobody and must pass through
        self.home = top / "home"
        self.log = self.home / "log"
        self.home.mkdir(mode=0o711)
        self.log.mkdir()
        self._ends = contextlib.ExitStack()
        self.places = embedded_places(self.home)
        self.postgres = Engine(lambda s: start_postgres(s, self.home, self.places, _POSTGRES), self.log, "postgres")
        self.valkey = Engine(lambda s: start_valkey(s, self.home, self.places), self.log, "valkey")
        self.link = Link(self.places.valkey)
        self.sms = Gateway()
        self.mail: Mailbox
        self.programs: dict[str, Program] = {}

    # --- start and stop -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything and wait until it is well."""
        self.postgres.start()
        self.valkey.start()
        self.link.start()
        self.mail, smtp_port = self._ends.enter_context(running_mailbox())
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = self._environment(smtp_port)
        self.app = self._application()
        self._reference_tables = {name for name in self._tables() if self.number(f"SELECT count(*) FROM {name}")}
        self._reporter = Reporter(self.sms, self.url)
        self._make_programs()
        for name in ("web", "worker-a", "worker-b", "beat"):
            self.programs[name].start()
        self.wait_until(self.is_green, "the system", 60)

    def stop(self) -> None:
        """Stop everything; nothing is left behind."""
        from grm.kernel.db import db

        for program in self.programs.values():
            program.end()  # no farewells: everything is thrown away
        if hasattr(self, "_reporter"):
            self._reporter.stop()
        if hasattr(self, "app"):
            with self.app.app_context():
                db.engine.dispose()
        if self.link.port:
            self.link.stop()
        self.valkey.end()
        self.postgres.end()
        self.sms.stop()
        self._ends.close()
        shutil.rmtree(self.places.sockets, ignore_errors=True)

    def mend(self) -> None:
        """Undo what the test before may have left: everything runs, everybody answers, the second beat is gone."""
        self.sms.answers()
        self.sms.always(None)
        self._reporter.is_reporting = True
        self.link.restore()
        if not self.valkey.is_running:
            self.valkey.start()
        with contextlib.suppress(ProcessLookupError):
            self.valkey.signal(signal.SIGCONT)
        for name, program in self.programs.items():
            if program.is_running:
                program.thaw()
            elif name != "beat-2":
                program.start()
        if self.programs["beat-2"].is_running:
            self.programs["beat-2"].stop()
        self.wait_until(self.is_green, "the system after the test before", 60)

    def reset(self) -> None:
        """Empty the ledger and the logs of gateway and mail server, once nothing is in flight."""
        self.wait_until(lambda: not self.number("SELECT count(*) FROM message WHERE state = 'sending'"), "calls to end")
        others = [name for name in self._tables() if name not in self._reference_tables | {"heartbeat"}]
        with self.connect() as connection:
            # As a replica would: the append-only tables refuse TRUNCATE from everybody else.
            connection.execute("SET session_replication_role = replica")
            for attempts_left in (4, 3, 2, 1, 0):
                try:
                    connection.execute(f"TRUNCATE {', '.join(others)}")  # ids go on: a late report finds nothing
                    break
                except psycopg.errors.DeadlockDetected:  # with a tick that came by; it was the tick's turn
                    if not attempts_left:
                        raise
            connection.execute("DELETE FROM heartbeat WHERE name LIKE 'delivery.%'")
        self._reporter.forget()
        self.sms.requests.clear()
        self.sms.times.clear()
        self.mail.taken.clear()
        self.mail.raw.clear()

    def _environment(self, smtp_port: int) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ}
        return {
            **inherited,
            **derive_keys(b"faults"),
            "GRM_ENV": "test",
            "GRM_HOME": str(self.home),
            "PORT": str(self.port),
            "DATABASE_URL": self.places.database_url,
            "REDIS_URL": f"redis://127.0.0.1:{self.link.port}/0",
            "SMS_GATEWAY_URL": self.sms.url,
            "SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
            "SWEEP_PERIOD_SECONDS": str(SWEEP_SECONDS),
            "DELIVERY_PERIOD_SECONDS": str(DELIVERY_SECONDS),
            "HTTP_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
            "FILINGS_PER_HOUR": "0",
            "ACKS_PER_RECIPIENT": "0",
            "LOG_LEVEL": "WARNING",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }

    def _application(self) -> Flask:
        """The application in this process, to put things into the database as the product would."""
        from grm.app import create_app
        from grm.offices import edition
        from grm.setup import set_up

        edition.forget()  # this process may know the reference data of another database
        app = create_app(load_settings(self.env))
        set_up(app, demo=True)
        return app

    def _make_programs(self) -> None:
        worker = [
            BIN / "celery",
            "--app",
            "tests.support.fault_app:celery",
            "worker",
            "--loglevel",
            "WARNING",
            "--concurrency",
            "2",
            "--queues",
            "ticks,delivery",
        ]
        worker += ["--without-gossip", "--without-mingle"]
        beat = [BIN / "celery", "--app", "tests.support.fault_beat:beat", "beat", "--loglevel", "WARNING"]
        beat += ["--scheduler", "grm.schedule:Scheduler"]
        web = [BIN / "gunicorn", "--bind", f"127.0.0.1:{self.port}", "--worker-class", "gthread", "--workers", "2"]
        web += ["--threads", "4", "--preload", "--no-control-socket", "--graceful-timeout", "5", "wsgi:app"]
        self._add("web", web, signal.SIGQUIT)
        for name in ("worker-a", "worker-b"):
            self._add(name, [*worker, "--hostname", f"{name}@localhost"], signal.SIGQUIT)
        for name in ("beat", "beat-2"):
            self._add(name, beat, signal.SIGTERM)

    def _add(self, name: str, argv: Sequence[Any], orphan: signal.Signals) -> None:
        self.programs[name] = Program(name, argv, self.env, self.log, orphan)

    # --- the parts ----------------------------------------------------------------------------------------------

    @property
    def workers(self) -> list[Program]:
        """Both Celery workers."""
        return [self.programs["worker-a"], self.programs["worker-b"]]

    @property
    def beat(self) -> Program:
        """The first beat."""
        return self.programs["beat"]

    @property
    def reporter(self) -> "Reporter":
        """What makes the gateway's delivery reports."""
        return self._reporter

    def broker(self) -> "Redis[Any]":
        """A connection to Valkey past the line."""
        return Redis(unix_socket_path=str(self.places.valkey), socket_timeout=5)

    def queued(self) -> int:
        """How many tasks lie in the queues."""
        with self.broker() as broker:
            return sum(int(broker.llen(f"grm:{queue}")) for queue in ("ticks", "delivery"))

    def slow_starts(self) -> int:
        """How often the slow task of tests/support/fault_app.py has been started."""
        note = self.log / "slow-starts"
        return len(note.read_text().splitlines()) if note.exists() else 0

    # --- looking ------------------------------------------------------------------------------------------------

    def connect(self) -> psycopg.Connection[dict[str, Any]]:
        """A connection past the application."""
        where = str(self.places.postgres)
        return psycopg.connect(host=where, user="grm", dbname="grm", autocommit=True, row_factory=dict_row)

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Ask the ledger itself."""
        with self.connect() as connection:
            return connection.execute(query, values).fetchall()  # type: ignore[arg-type]

    def number(self, query: str, *values: Any) -> int:
        """The one number that a query answers."""
        [row] = self.rows(query, *values)
        return int(next(iter(row.values())))

    def do(self, statement: str, *values: Any) -> int:
        """Change the database past the application; how many rows."""
        with self.connect() as connection:
            return connection.execute(statement, values).rowcount  # type: ignore[arg-type]

    def health(self) -> tuple[int, dict[str, Any]]:
        """Status and parts of /healthz; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=10) as answer:
                return answer.status, json.load(answer)["parts"]
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)["parts"]
        except OSError:
            return 0, {}

    def is_green(self) -> bool:
        """Whether /healthz is."""
        return self.health()[0] == 200

    def wait_until(self, condition: Callable[[], Found], what: str, seconds: float = 30) -> Found:
        """Wait for a condition; what it found."""
        ends = time.monotonic() + seconds
        while not (found := condition()):
            if time.monotonic() > ends:
                raise AssertionError(f"{what}: not within {seconds:g} s\n{self.health()}\n{self._logs()}")
            time.sleep(0.05)
        return found

    def _tables(self) -> list[str]:
        found = self.rows("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        return [row["relname"] for row in found]

    def _logs(self) -> str:
        """The ends of all logs, for a failing test to show."""
        return "\n".join(
            f"--- {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-8:])
            for path in sorted(self.log.glob("*.log"))
        )

    # --- work to do ---------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        """A database session in the application's context; commits at the end."""
        from grm.kernel.db import db

        with self.app.app_context():
            yield db.session()
            db.session.commit()
            db.session.remove()

    def messages(self, count: int, prefix: str = "m") -> None:
        """Put SMS to complainants into the outbox, each to a number of its own, due now."""
        from grm.kernel import clock, context
        from grm.notifications.catalogue import LONGEST_LIFE
        from grm.notifications.models import Message
        from grm.notifications.service import address_context

        with self.session() as session:
            now, keyring = clock.now(session), context.keyring()
            rows = [
                {
                    "key": f"{prefix}{number}",
                    "template": "case-filed-complainant",
                    "channel": "sms",
                    "language": "bn",
                    "priority": 1,
                    "address_sealed": keyring.seal(f"+88017{number:08d}", address_context(f"{prefix}{number}")),
                    "params": {"tracking_number": "7K3MPQ9XR2TB4", "due_on": "2026-12-31", "level": 1},
                    "next_attempt_at": now,
                    "created_at": now,
                    "expires_at": now + LONGEST_LIFE,
                }
                for number in range(count)
            ]
            session.execute(insert(Message), rows)

    def overdue_cases(self, count: int) -> None:
        """Cases filed on 4 January 2026, all of whose rungs have long been reached."""
        from tests.support import build

        with self.session() as session:
            for number in range(count):
                build.case(session, phone=f"+88018{number:08d}")

    def hasten_unknown(self) -> None:
        """Let the wait for delivery reports be over: everything the gateway took has been reported by now."""
        self.reporter.catch_up()
        self.do("UPDATE message SET next_attempt_at = clock_timestamp() WHERE state = 'unknown'")

    def drain(self, seconds: float = 120) -> None:
        """Wait until every message has ended and every rung that is due has been climbed."""
        due = "SELECT count(*) FROM deadline WHERE next_rung_at <= clock_timestamp()"
        self.wait_until(lambda: not self.number(due), "the sweep of all that is due", seconds)
        unfinished = "SELECT count(*) FROM message WHERE ended_at IS NULL"
        waiting = "SELECT count(*) FROM message WHERE ended_at IS NULL AND state <> 'unknown'"

        def is_done() -> bool:
            if self.number(unfinished) and not self.number(waiting):
                self.hasten_unknown()
            return not self.number(unfinished)

        self.wait_until(is_done, "the end of every message", seconds)


class Reporter:
    """Makes the gateway's delivery reports: each message it took is reported as delivered, until we say 200."""

    def __init__(self, gateway: Gateway, url: str) -> None:
        self.is_reporting = True
        self._gateway = gateway
        self._url = url
        self._done = 0
        self._is_stopped = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True, name="reporter")
        self._thread.start()

    def forget(self) -> None:
        """Begin anew with an empty log of the gateway."""
        with self._lock:
            self._gateway.accepted.clear()
            self._done = 0

    def catch_up(self, seconds: float = 30) -> None:
        """Wait until everything taken has been reported."""
        ends = time.monotonic() + seconds
        while self._done < len(self._gateway.accepted):
            assert time.monotonic() < ends, "the reports are not taken"
            time.sleep(0.02)

    def stop(self) -> None:
        """Report no more."""
        self._is_stopped = True
        self._thread.join(15)

    def _run(self) -> None:
        while not self._is_stopped:
            time.sleep(0.05)
            with self._lock:
                while self.is_reporting and not self._is_stopped and self._done < len(self._gateway.accepted):
                    if not self._report(self._gateway.accepted[self._done]):
                        break
                    self._done += 1

    def _report(self, message: dict[str, str]) -> bool:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(self._url + report_path(message, 1), timeout=5) as got,
        ):
            return bool(got.status == 200)
        return False


# --- L ------------------------------------------------------------------------------------------------------------


@dataclass
class Ledger:
    """What the ledger check found. `faults` in words; empty when every promise was kept."""

    lost: int = 0
    twice: int = 0
    twice_allowed: int = 0
    held: int = 0
    escalations: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def figures(self) -> dict[str, int]:
        """The columns of the table."""
        return {
            "lost": self.lost,
            "twice": self.twice,
            "twice_allowed": self.twice_allowed,
            "held": self.held,
        }


# An answer was lost for good, or had not come when the message was sent again: such an attempt is marked, and the answer
# may be noted afterwards by a sender that woke up late.
_MESSAGES = """
    SELECT m.id, m.state, m.error,
        greatest(count(a.id) FILTER (WHERE a.outcome = 'unknown' OR a.outcome IS NULL),
                 count(a.id) FILTER (WHERE starts_with(a.detail, 'resend'))) AS lost_answers
    FROM message AS m LEFT JOIN attempt AS a ON a.message_id = m.id GROUP BY m.id ORDER BY m.id
"""
_EXCUSED = {"no-longer-needed"}
# Every rung of every clock that ran out long ago, and none besides: the ladder's table against what was climbed.
_EXPECTED = """
    SELECT d.case_id, d.id AS deadline_id, d.epoch, r.level
    FROM deadline AS d JOIN (SELECT DISTINCT deadline_kind AS kind, level FROM ladder_rung) AS r ON r.kind = d.kind
    WHERE d.due_at < clock_timestamp() - interval '60 days' AND d.state IN ('running', 'breached')
"""
_ACTUAL = "SELECT case_id, deadline_id, epoch, level FROM escalation"
NEVER = {
    "escalated before its time": "escalation WHERE escalated_at < due_at",
    "escalated twice": "(SELECT FROM escalation GROUP BY case_id, deadline_id, epoch, level HAVING count(*) > 1) AS e",
    "a rung without its line in the history": "escalation AS e WHERE NOT EXISTS (SELECT FROM case_event AS h "
    "WHERE h.case_id = e.case_id AND h.kind IN ('warned', 'escalated') AND h.at = e.escalated_at)",
    "lines in the history that are not in its length": "cases AS c WHERE EXISTS (SELECT FROM escalation WHERE "
    "case_id = c.id) AND history_length <> (SELECT count(*) FROM case_event WHERE case_id = c.id)",
    "a broken chain": "case_event AS e JOIN case_event AS b ON b.case_id = e.case_id AND b.seq = e.seq - 1 "
    "WHERE e.previous_hash <> b.hash",
    "a level out of order": "case_event AS e JOIN case_event AS b ON b.case_id = e.case_id AND b.seq < e.seq "
    "AND b.kind = 'escalated' AND b.data ->> 'deadline_kind' = e.data ->> 'deadline_kind' "
    "WHERE e.kind = 'escalated' AND (b.data ->> 'level')::int >= (e.data ->> 'level')::int",
    "nobody told of a rung that names an officer": "escalation AS e WHERE e.officer_id IS NOT NULL "
    "AND e.withdrawn_at IS NULL AND NOT EXISTS (SELECT FROM digest_item WHERE escalation_id = e.id) AND NOT EXISTS "
    "(SELECT FROM message AS m WHERE m.case_id = e.case_id AND starts_with(m.key, "
    "concat_ws(':', 'case-escalated-officer', e.case_id, e.deadline_id, e.epoch, e.level) || ':'))",
    "an item that its digest left out": "digest_item AS i JOIN message AS m ON m.id = i.message_id "
    "JOIN escalation AS e ON e.id = i.escalation_id JOIN cases AS c ON c.id = e.case_id "
    "WHERE m.state = 'delivered' AND i.written_at IS NULL AND c.is_open AND e.withdrawn_at IS NULL",
    "an attempt numbered twice": "(SELECT FROM attempt GROUP BY message_id, number HAVING count(*) > 1) AS a",
}


def check(rig: FaultRig, expected_rungs: str = _EXPECTED) -> Ledger:
    """L: every key accepted at most once but for lost answers, nothing unfinished, the escalations exactly as expected.

    `expected_rungs` asks for (case, deadline, epoch, level) of every rung that must have been climbed, and no other.
    """
    found = Ledger()
    texts = (int(reference_of(sms)) for sms in rig.sms.accepted)
    mails = (int(ours[1]) for each in rig.mail.message_ids() if (ours := _OUR_ID.match(each)))
    taken = Counter(texts) + Counter(mails)
    rows = {row["id"]: row for row in rig.rows(_MESSAGES)}
    for number in taken.keys() - rows.keys():
        found.faults.append(f"message {number} was taken, and we do not know it")
    for number, row in rows.items():
        _judge(found, number, row, taken[number])
    expected, actual = (Counter(tuple(row.values()) for row in rig.rows(each)) for each in (expected_rungs, _ACTUAL))
    found.escalations = actual.total()
    found.faults += [f"{(expected - actual).total()} rungs were not climbed"] if expected - actual else []
    found.faults += [f"{(actual - expected).total()} rungs were climbed that were not due"] if actual - expected else []
    for what, where in NEVER.items():
        if count := rig.number(f"SELECT count(*) FROM {where}"):
            found.faults.append(f"{count} times {what}")
    return found


def _judge(found: Ledger, number: int, row: dict[str, Any], count: int) -> None:
    state = row["state"]
    found.held += state == "held"
    if count > 1:
        is_allowed = count <= 1 + row["lost_answers"]
        found.twice_allowed += is_allowed
        found.twice += not is_allowed
        if not is_allowed:
            found.faults.append(f"message {number} was taken {count} times, with {row['lost_answers']} answers lost")
    if not count and state != "held" and row["error"] not in _EXCUSED:
        found.lost += 1
        found.faults.append(f"message {number} was never taken: {state} ({row['error']})")
    if state not in ("delivered", "failed", "expired", "held", "withdrawn"):
        found.faults.append(f"message {number} has not ended: {state}")


SLOW = Answer(after_seconds=0.05)
"""Every call takes a moment, so that faults meet calls under way."""
