"""The whole system in processes of its own, with a scripted gateway and mail server whose own logs are the oracle.

The launcher starts PostgreSQL, Valkey, two web workers, a Celery worker with two children, and beat, as `make run` does.
What was sent is never asked of our status columns alone: `ledger` joins what the gateway and the mail server took
with the database.
"""

import contextlib
import os
import re
import signal
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from grm.kernel.places import embedded_places
from tests.support.gateway import Gateway, reference_of, report_path
from tests.support.mailbox import Mailbox, running_mailbox
from tests.support.rig import System

_OUR_ID = re.compile(r"<grm\.(\d+)\.")
_UNFINISHED = "SELECT count(*) AS n FROM message WHERE ended_at IS NULL"
_LOST_ANSWERS = """
    SELECT m.id, m.state, m.channel,
        count(a.id) FILTER (WHERE a.outcome = 'unknown' OR a.outcome IS NULL) AS lost
    FROM message AS m LEFT JOIN attempt AS a ON a.message_id = m.id GROUP BY m.id ORDER BY m.id
"""
_FILED = "length(c.secret_mac) > 1"  # by the form; cases put in by a test have a secret nobody can know
HALF_WRITTEN = {
    "a submission without its case": "submission AS s WHERE NOT EXISTS "
    "(SELECT FROM cases AS c WHERE c.submission_id = s.id)",
    "a case without its clocks": f"cases AS c WHERE {_FILED} AND (SELECT count(*) FROM deadline WHERE case_id = c.id) < 2",
    "a case without its history": f"cases AS c WHERE {_FILED} AND c.history_length <> "
    "(SELECT count(*) FROM case_event WHERE case_id = c.id)",
    "a case without its acknowledgement": f"cases AS c WHERE {_FILED} AND c.preferred_channel = 'sms' AND NOT EXISTS "
    "(SELECT FROM message WHERE case_id = c.id AND template = 'case-filed-complainant')",
}


@dataclass
class Ledger:
    """What the check found; `faults` in words, none of which may be."""

    lost: int = 0
    twice: int = 0
    twice_allowed: int = 0
    held: int = 0
    faults: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The figures, for the table of findings."""
        return {name: getattr(self, name) for name in ("lost", "twice", "twice_allowed", "held")}


class Live(System):
    """One running system; `sms` and `mail` do as they are told and remember what they took."""

    def __init__(self, top: Path, **settings: str) -> None:
        self._ends = contextlib.ExitStack()
        self.sms = Gateway()
        self._ends.callback(self.sms.stop)
        self.mail: Mailbox
        self.mail, port = self._ends.enter_context(running_mailbox())
        self._reported = 0
        super().__init__(
            top,
            **{
                "SMS_GATEWAY_URL": self.sms.url,
                "SMTP_URL": f"smtp://127.0.0.1:{port}",
                "DELIVERY_PERIOD_SECONDS": "0.3",
                "SWEEP_PERIOD_SECONDS": "1",
                "HTTP_TIMEOUT_SECONDS": "2",
                "FILINGS_PER_HOUR": "0",
                **settings,
            },
        )

    def stop(self) -> None:
        """Stop everything; nothing is left behind."""
        super().stop()
        self._ends.close()

    # --- the database, mistreated -----------------------------------------------------------------------------

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        """A connection past the application."""
        host = str(embedded_places(self.home).postgres)
        return psycopg.connect(host=host, user="grm", dbname="grm", autocommit=True, connect_timeout=5)

    def stop_database_immediately(self) -> None:
        """What `pg_ctl stop -m immediate` does (it refuses to run as root): SIGQUIT; no checkpoint, no farewell."""
        os.kill(int((self.home / "pg" / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
        self.wait_until(lambda: not self.database_answers(), "the end of PostgreSQL", 10)

    def database_answers(self) -> bool:
        """Whether PostgreSQL takes a question."""
        try:
            with self.connect() as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.Error:
            return False

    def is_green(self) -> bool:
        """Whether /healthz is."""
        with contextlib.suppress(OSError):
            return self.health()[0] == 200
        return False

    # --- the ledger -------------------------------------------------------------------------------------------

    def report_deliveries(self) -> None:
        """Report every SMS that was taken since the last time as delivered, and again until we say 200."""
        while self._reported < len(self.sms.accepted):
            address = self.url + report_path(self.sms.accepted[self._reported], 1)
            try:
                with urllib.request.urlopen(address, timeout=10):
                    self._reported += 1
            except (urllib.error.HTTPError, OSError):
                time.sleep(0.2)

    def drain(self, seconds: float = 60) -> None:
        """Wait until every message has ended; the gateway reports what it took."""

        def is_done() -> bool:
            self.report_deliveries()
            return bool(self.rows(_UNFINISHED)[0]["n"] == 0)

        self.wait_until(is_done, "the end of every message", seconds)

    def taken(self) -> Counter[int]:
        """How often each message, by its id, was taken by the gateway or the mail server."""
        texts = (int(reference_of(sms)) for sms in self.sms.accepted)
        mails = (int(found[1]) for each in self.mail.message_ids() if (found := _OUR_ID.match(each)))
        return Counter(texts) + Counter(mails)

    def ledger(self) -> "Ledger":
        """The check L: what the providers took against what we noted.

        Taken twice is a fault unless an answer was lost on the way, each of which allows one more; said to be delivered
        but never taken is one, and so is a message nobody knows, and one that has not ended.
        """
        taken, found = self.taken(), Ledger()
        rows = {row["id"]: row for row in self.rows(_LOST_ANSWERS)}
        found.faults += [f"message {number} was taken, and we do not know it" for number in taken if number not in rows]
        for number, row in rows.items():
            count, state = taken[number], row["state"]
            found.held += state == "held"
            if count > 1 + row["lost"]:
                found.twice += 1
                found.faults.append(f"message {number} was taken {count} times, with {row['lost']} answers lost")
            elif count > 1:
                found.twice_allowed += 1
            if state == "delivered" and not count:
                found.lost += 1
                found.faults.append(f"message {number} is called delivered and was never taken")
            if state in ("pending", "sending", "unknown", "accepted"):
                found.lost += 1
                found.faults.append(f"message {number} has not ended: {state}")
        for what, where in HALF_WRITTEN.items():
            [row] = self.rows(f"SELECT count(*) AS n FROM {where}")
            found.faults += [f"{row['n']} times {what}"] if row["n"] else []
        return found
