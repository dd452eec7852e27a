"""The dead-man's watch: asks PostgreSQL alone whether duties are met, and tells the operators itself when they are not.

    flask --app wsgi watch [--mail-to ADDRESS …]       or: python -m grm.watch.deadman [ADDRESS …]

Started once a minute by systemd or cron, best on another machine. It needs no Celery, no broker, no beat, no worker and no
web server, and is told by none of them: what it finds may not depend on what it watches. Each change of what is wrong is one
e-mail, handed straight to the mail server. What was told last is kept in the ledger, so that two watches do not both tell;
while the ledger is away, in a file.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from config import Settings, load_settings
from grm.escalation.queries import sweep_health
from grm.kernel import clock
from grm.notifications import stops
from grm.notifications.channels.contract import Letter
from grm.notifications.channels.smtp import MailServer
from grm.notifications.queries import LONGEST_LAG, LONGEST_WITHOUT_REPORT, oldest_undelivered, outbox_lags
from grm.watch.coverage import calendar_health
from grm.web.health import Verdict, beat_of, record_heartbeat, worker_alive
from grm.web.models import Heartbeat

ROW = "watch"
LONGEST_SILENCE = timedelta(seconds=60)
"""Worker and beat say so every five seconds that they are there; the page for monitors is stricter than this e-mail."""
MAIL_SECONDS = 10.0
CONNECT_ARGS = {
    "connect_timeout": 5,
    "application_name": "grm watch",
    "options": "-c statement_timeout=5000 -c lock_timeout=5000 -c timezone=UTC",
}


@dataclass
class Report:
    """What was found. `wrong` names the parts that an operator must look at, in order; empty: all is well."""

    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    mail: str = "nothing to tell"

    @property
    def wrong(self) -> tuple[str, ...]:
        """The parts that are not well."""
        return tuple(name for name, part in self.parts.items() if not part["ok"])

    def add(self, name: str, verdict: Verdict) -> None:
        """Note what a check found."""
        self.parts[name] = {"ok": verdict.is_well, **verdict.detail}
        self.warnings += verdict.warnings

    def as_json(self) -> str:
        """The report as one line."""
        status = "unwell" if self.wrong else "ok"
        return json.dumps({"status": status, "parts": self.parts, "warnings": self.warnings, "mail": self.mail})


def watch(settings: Settings, mail_to: Sequence[str]) -> Report:
    """Look once, tell the operators if what is wrong has changed since they were told last, and return what was found."""
    report = Report()
    away = settings.grm_home / "run" / "watch-told"
    engine = create_engine(settings.database_url, poolclass=NullPool, connect_args=CONNECT_ARGS)
    try:
        with Session(engine) as session:
            now = clock.now(session)
            _look(session, now, settings, report)
            session.rollback()
            if mail_to:
                _tell_by_ledger(session, now, settings, mail_to, report, away)
    except SQLAlchemyError as error:
        report.parts["database"] = {"ok": False, "error": type(error.__cause__ or error).__name__}
        if mail_to:
            _tell_by_file(settings, mail_to, report, away)
    return report


def _look(session: Session, now: datetime, settings: Settings, report: Report) -> None:
    report.parts["database"] = {"ok": True}
    report.add("sweep", sweep_health(settings.sweep_period_seconds)(session, now))
    report.add("outbox", _outbox(session, now))
    report.add("worker", worker_alive(LONGEST_SILENCE)(session, now))
    report.add("beat", beat_of("beat", LONGEST_SILENCE)(session, now))
    report.add("calendar", calendar_health(settings.is_production)(session, now))


def _outbox(session: Session, now: datetime) -> Verdict:
    """Messages move, save where an operator stopped them; a restored copy that waits for one is red."""
    stopped = stops.stops(session)
    lags = outbox_lags(session, now)
    undelivered = oldest_undelivered(session)
    waits = now - undelivered if undelivered is not None else timedelta()
    late = waits > LONGEST_WITHOUT_REPORT
    return Verdict(
        all(lag <= LONGEST_LAG for channel, lag in lags.items() if channel not in stopped)
        and all(why != stops.RESTORED for why, _ in stopped.values()),
        {
            "lag_seconds": round(max(lags.values()).total_seconds(), 1),
            "undelivered_seconds": round(waits.total_seconds(), 1),
            "stopped": {channel: why for channel, (why, _) in sorted(stopped.items())},
        },
        ("delivery reports do not seem to arrive",) if late else (),
    )


def _tell_by_ledger(
    session: Session, now: datetime, settings: Settings, mail_to: Sequence[str], report: Report, away: Path
) -> None:
    """Compare with what was told last, under a lock on that row, so that two watches do not both tell."""
    if session.get(Heartbeat, ROW) is None:
        record_heartbeat(session, ROW, now, told=[])
        session.commit()
    row = session.execute(select(Heartbeat).where(Heartbeat.name == ROW).with_for_update()).scalar_one()
    told = ["database"] if away.exists() else list(row.detail.get("told", []))
    if told == list(report.wrong):
        record_heartbeat(session, ROW, now, told=told)
    elif _mail(settings, mail_to, report, now):
        record_heartbeat(session, ROW, now, told=list(report.wrong), told_at=now.isoformat())
        away.unlink(missing_ok=True)
    session.commit()


def _tell_by_file(settings: Settings, mail_to: Sequence[str], report: Report, away: Path) -> None:
    if away.exists():
        return
    if _mail(settings, mail_to, report, None):
        away.parent.mkdir(parents=True, exist_ok=True)
        away.write_text("database\n")


def _mail(settings: Settings, mail_to: Sequence[str], report: Report, now: datetime | None) -> bool:
    """Hand one e-mail to each operator; whether anybody was reached. Who was not, is not told again for the same change."""
    server = settings.smtp
    if server is None:
        report.mail = "no mail server is configured"
        return False
    at = now or datetime.now(UTC)  # without the database, whose clock everything else goes by; it dates an e-mail only
    transport = MailServer(server, settings.mail_from, min(settings.http_timeout_seconds, MAIL_SECONDS))
    subject, body = _words(settings, report)
    results = []
    for number, address in enumerate(mail_to):
        letter = Letter(f"grm.watch.{at.timestamp():.6f}.{number}", address, "en", subject, body, at)
        results.append(transport.send(letter, lambda: True))
    report.mail = "; ".join(f"{result.result} {result.detail}".strip() for result in results)
    return any(result.result in ("delivered", "accepted") for result in results)


def _words(settings: Settings, report: Report) -> tuple[str, str]:
    if not report.wrong:
        return "GRM: all is well again", f"Everything that was wrong at {settings.public_url} is well again.\n"
    lines = [f"At {settings.public_url} an operator is needed: {', '.join(report.wrong)}.", ""]
    lines += [f"{name}: {json.dumps(report.parts[name])}" for name in report.wrong]
    lines += ["", *report.warnings] if report.warnings else []
    lines += ["", "What to do stands in docs/operations.md. There is one e-mail for each change of this state."]
    return f"GRM: {', '.join(report.wrong)} not working", "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Look once by the settings of the environment; 0: all is well, 1: not."""
    settings = load_settings(os.environ)
    report = watch(settings, tuple(arguments) or settings.watch_mail_to)
    sys.stdout.write(report.as_json() + "\n")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
