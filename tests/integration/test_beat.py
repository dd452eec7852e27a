"""One beat on duty, further ones standing by: who dies, is cut off or freezes is replaced, and nothing is sent twice for long.

Real beats as processes, on the tests' own PostgreSQL and Valkey.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from redis import Redis

from config import Settings
from grm.kernel.one_holder import OneHolder
from grm.kernel.places import derive_keys, embedded_places
from grm.schedule import Scheduler, entries, refuse_forgetful_broker
from grm.worker import QUEUES, TASK_MODULES, create_celery

ROOT = Path(__file__).parents[2]
SECONDS = 20


class Impatient(Scheduler):
    """The scheduler with shorter times, so that the test need not wait for the half minute that a site does."""

    HEARTBEAT_SECONDS = 1.0
    FROZEN_SECONDS = 6.0


class Beats:
    """Beats on one database, seen by their heartbeats."""

    def __init__(self, settings: Settings, home: Path, log: Path) -> None:
        database = settings.database_url.partition("@/")[2].partition("?")[0]
        self.connection = psycopg.connect(
            host=str(embedded_places(home).postgres), user="grm", dbname=database, autocommit=True
        )
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ}
        self._env = {
            **kept,
            "GRM_ENV": "test",
            "GRM_HOME": str(home),
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            **derive_keys(b"tests"),
        }
        self._log = log.open("ab")
        self.running: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, scheduler: type[Scheduler] = Scheduler) -> int:
        """Start one more beat; its process id."""
        command = [
            sys.executable,
            "-m",
            "celery",
            "--app",
            "grm.schedule:beat",
            "beat",
            "--scheduler",
            f"{scheduler.__module__}:{scheduler.__name__}",
        ]
        process = subprocess.Popen(command, cwd=ROOT, env=self._env, stdout=self._log, stderr=self._log)
        self.running[process.pid] = process
        return process.pid

    def end(self, pid: int, number: int = signal.SIGKILL) -> None:
        """End one."""
        self.running[pid].send_signal(number)
        self.running.pop(pid).wait(20)

    def pid_of(self, name: str) -> int | None:
        """The process that left the last heartbeat of this name, if it is not older than seven seconds."""
        row = self.connection.execute(
            "SELECT detail->>'node' FROM heartbeat WHERE name = %s AND at > clock_timestamp() - interval '7 s'", [name]
        ).fetchone()
        return int(row[0].rpartition(":")[2]) if row else None

    def wait_for_duty(self, pid: int, seconds: float = SECONDS) -> float:
        """Wait until this beat is on duty; how long it took."""
        return wait_for(lambda: self.pid_of("beat") == pid, f"beat {pid} on duty", seconds)

    def stop(self) -> None:
        """Stop all."""
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait(20)
        self.connection.close()
        self._log.close()


def wait_for(condition: Callable[[], Any], what: str, seconds: float = SECONDS) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"{what}: not within {seconds} s"
        time.sleep(0.1)
    return time.monotonic() - began


@pytest.fixture
def beats(app: Flask, settings: Settings, tmp_path: Path) -> Iterator[Beats]:
    found = Beats(settings, settings.grm_home, tmp_path / "beats.log")
    yield found
    found.stop()
    broker = Redis.from_url(settings.redis_url)
    broker.flushdb()
    broker.close()


@pytest.mark.faults
@pytest.mark.slow
def test_a_second_beat_stands_by_and_takes_over_from_one_that_died_or_was_cut_off(beats: Beats) -> None:
    first = beats.start()
    beats.wait_for_duty(first)
    second = beats.start()
    wait_for(lambda: beats.pid_of("beat.standby") == second, "the second stands by")
    assert beats.pid_of("beat") == first

    beats.end(first)
    assert beats.wait_for_duty(second) < 10

    third = beats.start()
    wait_for(lambda: beats.pid_of("beat.standby") == third, "the third stands by")
    cut = beats.connection.execute(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND granted "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    ).fetchone()
    assert cut == (1,)
    wait_for(lambda: {beats.pid_of("beat"), beats.pid_of("beat.standby")} == {second, third}, "duty is decided anew")
    on_duty = beats.pid_of("beat")
    assert on_duty is not None
    beats.end(on_duty, signal.SIGTERM)
    assert beats.wait_for_duty(({second, third} - {on_duty}).pop()) < 10


@pytest.mark.faults
@pytest.mark.slow
def test_a_frozen_beat_is_cut_off_and_stands_by_when_it_wakes(beats: Beats) -> None:
    first = beats.start(Impatient)
    beats.wait_for_duty(first)
    second = beats.start(Impatient)
    wait_for(lambda: beats.pid_of("beat.standby") == second, "the second stands by")
    os.kill(first, signal.SIGSTOP)
    assert beats.wait_for_duty(second, Scheduler.FROZEN_SECONDS) >= Impatient.FROZEN_SECONDS - 3
    os.kill(first, signal.SIGCONT)
    wait_for(lambda: beats.pid_of("beat.standby") == first, "the first stands by")
    assert beats.pid_of("beat") == second


def test_a_lock_has_one_holder_and_is_free_when_its_connection_dies(app: Flask, settings: Settings) -> None:
    one, other = (OneHolder(settings.database_url, "a test") for _ in range(2))
    try:
        assert one.holds() and one.holds() and not other.holds()
        other.dislodge()
        wait_for(other.holds, "the lock of a connection that was cut")
        assert not one.holds()
        other.let_go()
        assert one.holds() and not other.holds()
    finally:
        one.let_go()
        other.let_go()


def test_without_a_database_nobody_holds_anything() -> None:
    away = OneHolder("postgresql+psycopg://grm@/grm?host=/nonexistent", "a test")
    assert not away.holds()
    away.dislodge()
    away.let_go()


def test_celery_is_told_everything_that_keeps_tasks(app: Flask) -> None:
    conf = create_celery(app).conf
    transport = conf.broker_transport_options
    assert {
        transport["visibility_timeout"],
        conf.visibility_timeout,
        conf.result_backend_transport_options["visibility_timeout"],
    } == {300}, "the shortest of the three places wins"
    assert conf.task_time_limit == 60 and conf.task_soft_time_limit == 45 and 2 * conf.task_time_limit < 300
    assert (transport["unacked_restore_interval"], transport["unacked_restore_throttle"]) == (10, 1)
    assert (transport["socket_timeout"], transport["socket_connect_timeout"]) == (5, 3)
    assert transport["socket_keepalive"] and transport["health_check_interval"] == 10
    assert transport["global_keyprefix"] == "grm:"
    assert conf.task_acks_late and conf.task_reject_on_worker_lost and conf.task_ignore_result
    assert conf.task_publish_retry_policy["max_retries"] == 1 and conf.broker_connection_max_retries is None
    assert conf.broker_connection_retry_on_startup
    assert not conf.worker_cancel_long_running_tasks_on_connection_loss
    assert conf.worker_prefetch_multiplier == 1 and conf.worker_soft_shutdown_timeout == 20
    assert (conf.worker_max_tasks_per_child, conf.worker_max_memory_per_child) == (1000, 300_000)
    assert conf.accept_content == ["json"] and conf.task_serializer == "json" and not conf.worker_send_task_events


def test_every_tick_is_a_task_with_a_queue_that_expires_before_the_next(app: Flask, settings: Settings) -> None:
    celery = create_celery(app)
    assert len({entry.name for entry in entries(settings)}) == len(entries(settings))
    for entry in entries(settings):
        assert entry.task in celery.tasks, entry
        assert entry.queue in QUEUES and entry.why, entry
        given = celery.conf.beat_schedule[entry.name]["options"]
        assert 0 < given["expires"] <= max(1.0, entry.period_seconds), entry
        assert not {"eta", "countdown"} & set(given), "ticks are for now"
    own = {name for name in celery.tasks if not name.startswith("celery.")}
    assert own - {"web.record-worker-heartbeat"} <= {entry.task for entry in entries(settings)}, "a task nobody sends"
    assert len(TASK_MODULES) == len(set(TASK_MODULES))


def test_a_broker_that_throws_keys_away_is_refused(app: Flask, settings: Settings) -> None:
    broker = Redis.from_url(settings.redis_url)
    try:
        refuse_forgetful_broker(settings)
        broker.config_set("maxmemory-policy", "allkeys-lru")
        with pytest.raises(SystemExit, match="allkeys-lru"):
            refuse_forgetful_broker(settings)
        answer = app.test_client().get("/healthz").get_json()
        assert not answer["parts"]["broker"]["ok"] and "allkeys-lru" in answer["warnings"][0]
    finally:
        broker.config_set("maxmemory-policy", "noeviction")
        broker.close()
