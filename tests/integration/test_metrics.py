"""/metrics: true figures, in Prometheus' format, for who has the token."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.kernel import clock
from grm.web.health import record_heartbeat
from tests.support import build
from tests.support.outbox import add_message, later

MakeApp = Callable[..., Flask]


def figures(client: FlaskClient, token: str = "") -> dict[tuple[str, ...], float]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"} if token else {})
    assert answer.status_code == 200 and answer.content_type.startswith("text/plain; version=")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_figures_are_those_of_the_database(client: FlaskClient, session: Session) -> None:
    now = clock.now(session)
    build.case(session, filed_at=now)
    late = build.case(session)
    ended = build.case(session, status="resolved", outcome="answered", ended_at=now)
    session.execute(text("UPDATE cases SET level = 2 WHERE id = :id"), {"id": late.id})
    session.execute(text("UPDATE deadline SET next_level = NULL, next_rung_at = NULL"))
    session.execute(
        text("UPDATE deadline SET next_level = 1, next_rung_at = :at WHERE case_id = :id AND kind = 'resolve'"),
        {"id": late.id, "at": now - timedelta(seconds=100)},
    )
    assert ended.id
    record_heartbeat(session, "worker", now - timedelta(seconds=50))
    session.commit()
    add_message(session, later(now, seconds=-30), "a")
    add_message(session, now, "b", state="accepted")
    add_message(session, now, "c", channel="email", address="a@example.org")
    add_message(session, now, "d", state="delivered", ended_at=now)
    found = figures(client)
    assert found[("grm_cases_open",)] == 2 and found[("grm_cases_overdue",)] == 1
    assert [found[("grm_cases_escalated", level)] for level in "123"] == [0, 1, 0]
    assert 100 <= found[("grm_sweep_lag_seconds",)] < 130
    assert 30 <= found[("grm_outbox_lag_seconds",)] < 60
    assert 50 <= found[("grm_heartbeat_age_seconds", "worker")] < 80
    messages = {key[1:]: value for key, value in found.items() if key[0] == "grm_messages"}
    assert messages[("sms", "pending")] == 1 and messages[("sms", "accepted")] == 1
    assert messages[("email", "pending")] == 1 and sum(messages.values()) == 3 and len(messages) == 8


def test_nothing_runs_and_all_is_zero(client: FlaskClient) -> None:
    found = figures(client)
    assert found.pop(("grm_calendar_covered_working_days",)) > 0
    assert set(found.values()) == {0}


def test_production_shows_nothing_without_the_token(make_app: MakeApp) -> None:
    assert make_app(grm_env="production").test_client().get("/metrics").status_code == 404
    guarded = make_app(grm_env="production", metrics_token="s3cret-token").test_client()
    assert figures(guarded, "s3cret-token")
    for wrong in ("", "S3cret-token", "s3cret-token2", "টোকেন"):
        answer = guarded.get("/metrics", headers={"Authorization": f"Bearer {wrong}".encode().decode("latin-1")})
        assert answer.status_code == 404


def test_a_token_holds_in_development_too(make_app: MakeApp) -> None:
    client = make_app(grm_env="development", metrics_token="t").test_client()
    assert client.get("/metrics").status_code == 404 and figures(client, "t")
