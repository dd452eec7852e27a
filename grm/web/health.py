"""`/healthz`: red whenever the worker, the beat or the sweep is not really working.

The parts register their own checks (`Check` functions); this module asks them and answers 200 or 503 with JSON.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Flask, current_app, jsonify
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from grm.kernel import clock
from grm.kernel.db import db
from grm.web.guard import public
from grm.web.models import Heartbeat

blueprint = Blueprint("health", __name__)
EXTENSION = "grm.health"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found: is it well, and the figures behind that."""

    is_well: bool
    detail: dict[str, Any]


Check = Callable[[Session, datetime], Verdict]


def beat_of(name: str, longest: timedelta) -> Check:
    """Return a check that a part's last heartbeat is not older than ``longest``."""

    def check(session: Session, now: datetime) -> Verdict:
        at = session.execute(select(Heartbeat.at).where(Heartbeat.name == name)).scalar_one_or_none()
        if at is None:
            return Verdict(False, {"age_seconds": None})
        return Verdict(now - at <= longest, {"age_seconds": round((now - at).total_seconds(), 1)})

    return check


def broker_answers(url: str) -> Check:
    """Return a check that the broker answers within a second. One connection serves all questions of a process."""
    broker = Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)

    def check(session: Session, now: datetime) -> Verdict:
        try:
            return Verdict(bool(broker.ping()), {})
        except RedisError as error:
            return Verdict(False, {"error": type(error).__name__})

    return check


def record_heartbeat(session: Session, name: str, now: datetime, **detail: Any) -> None:
    """Note that a part is alive (one upsert); the caller commits."""
    values = {"name": name, "at": now, "detail": detail}
    statement = insert(Heartbeat).values(values)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["name"], set_={"at": statement.excluded.at, "detail": statement.excluded.detail}
        )
    )


def init_app(app: Flask, checks: dict[str, Check]) -> None:
    """Register the page and the checks it asks."""
    app.extensions[EXTENSION] = checks
    app.register_blueprint(blueprint)


@blueprint.get("/healthz")
@public("monitors of the operator have no account; it shows no personal data")
def healthz() -> tuple[Response, int]:
    """Answer 200 when all parts work, else 503; JSON either way."""
    parts: dict[str, Any] = {}
    is_well = True
    try:
        now = clock.now(db.session())
        db.session.execute(text("SELECT 1"))
        parts["database"] = {"ok": True}
        for name, check in current_app.extensions[EXTENSION].items():
            verdict = check(db.session(), now)
            parts[name] = {"ok": verdict.is_well, **verdict.detail}
            is_well = is_well and verdict.is_well
    except SQLAlchemyError as error:
        parts["database"] = {"ok": False, "error": type(error).__name__}
        is_well = False
    return jsonify(status="ok" if is_well else "unwell", parts=parts), 200 if is_well else 503
