"""`make run` in earnest: ready, refuses a second start, stops to the last process, survives being killed."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from config import Settings
from grm.kernel.db import db
from grm.kernel.places import embedded_places

ROOT = Path(__file__).parents[2]
READY_SECONDS = 60
pytestmark = [pytest.mark.slow, pytest.mark.faults]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: object, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.1)
    return False


class System:
    """One GRM_HOME with a launcher, seen from outside: by its output, its port and /proc."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.output = home.parent / "output"
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ}
        self.env = {**inherited, "GRM_HOME": str(home), "PORT": str(self.port)}
        self.launcher: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start the launcher and wait for its Ready line; returns the seconds it took."""
        began = time.monotonic()
        with self.output.open("wb") as out:
            command = [sys.executable, "grm/up.py"]
            self.launcher = subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=out, stderr=out)
        assert wait_for(lambda: "Ready:" in self.said() or self.launcher.poll() is not None, READY_SECONDS), self.said()
        assert f"Ready: http://127.0.0.1:{self.port}" in self.said(), self.said()
        return time.monotonic() - began

    def said(self) -> str:
        return self.output.read_text()

    def processes(self) -> dict[int, str]:
        """All processes of this home: by environment, or, as PostgreSQL overwrites its own, by working directory."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                is_ours = f"GRM_HOME={self.home}".encode() in (entry / "environ").read_bytes().split(b"\0")
                if is_ours or (entry / "cwd").resolve().is_relative_to(self.home):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def pid_of(self, word: str) -> int:
        return min(pid for pid, line in self.processes().items() if word in line)

    def health(self) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return int(answer.status)
        except OSError:
            return 0

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False, timeout=60)

    def stop(self, number: int) -> int:
        assert self.launcher is not None
        self.launcher.send_signal(number)
        return self.launcher.wait(30)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    top = tmp_path_factory.mktemp("launcher")
    system = System(top / "home")
    yield system
    if system.launcher and system.launcher.poll() is None:
        system.stop(signal.SIGTERM)
    assert wait_for(lambda: not system.processes(), 20), system.processes()


def test_it_becomes_ready_and_says_where(system: System) -> None:
    system.start()
    assert system.health() == 200
    names = " ".join(system.processes().values())
    for part in ("bin/postgres", "valkey-server", "gunicorn", "celery --app wsgi:celery worker", "beat", "devsink"):
        assert part in names, part
    assert (system.home / "secret").stat().st_mode & 0o777 == 0o600
    assert embedded_places(system.home).postgres.stat().st_mode & 0o777 == 0o700


def test_a_second_start_is_refused(system: System) -> None:
    done = system.run(sys.executable, "grm/up.py")
    assert done.returncode == 1
    assert f"Already running in {system.home}" in done.stdout
    assert system.health() == 200


def test_a_taken_port_is_named(system: System, tmp_path: Path) -> None:
    env = {**system.env, "GRM_HOME": str(tmp_path / "other")}
    command = [sys.executable, "grm/up.py"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert f"Port {system.port} on 127.0.0.1 cannot be used" in done.stdout
    assert not list((tmp_path / "other").glob("pg*"))


def test_flask_commands_find_the_running_system_without_settings(system: System) -> None:
    script = (
        "import json, os; from config import load_settings; s = load_settings(os.environ);"
        "print(json.dumps([s.port, s.sms_gateway_url, s.smtp_url]))"
    )
    env = {name: value for name, value in system.env.items() if name != "PORT"}
    command = [sys.executable, "-c", script]
    shown = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout
    port, sms, smtp = json.loads(shown)
    assert port == system.port
    with socket.create_connection(("127.0.0.1", int(smtp.rpartition(":")[2])), 5) as client:
        assert client.recv(100).startswith(b"220 ")
    assert sms.startswith("http://127.0.0.1:")


def test_a_program_that_dies_is_started_again(system: System) -> None:
    before = system.pid_of("beat --loglevel")
    os.kill(before, signal.SIGKILL)
    assert wait_for(
        lambda: any(pid != before and "beat --loglevel" in line for pid, line in system.processes().items()), 20
    )
    assert wait_for(lambda: "beat ended by SIGKILL" in system.said(), 5)


def test_killing_the_launcher_leaves_nothing_and_the_next_start_recovers(system: System) -> None:
    system.stop(signal.SIGKILL)
    assert wait_for(lambda: not system.processes(), 20), system.processes()
    system.start()
    assert system.health() == 200
    assert "Tables" not in system.said(), "nothing has changed since the first start"


def test_sigterm_stops_everything(system: System) -> None:
    began = time.monotonic()
    assert system.stop(signal.SIGTERM) == 0
    assert time.monotonic() - began < 20
    assert wait_for(lambda: not system.processes(), 5), system.processes()
    assert "Stopped." in system.said()
    assert not (system.home / "run" / "env").exists()


def test_another_state_of_the_code_is_set_up_anew(system: System) -> None:
    (system.home / "pg" / "set-up-by").write_text("older code")
    system.start()
    assert "Tables" in system.said()
    assert system.stop(signal.SIGTERM) == 0


def test_ctrl_c_while_starting_stops_everything(system: System) -> None:
    with system.output.open("wb") as out:
        system.launcher = subprocess.Popen([sys.executable, "grm/up.py"], cwd=ROOT, env=system.env, stdout=out)
    assert wait_for(lambda: "Valkey" in system.said(), 20)
    assert system.stop(signal.SIGINT) == 0
    assert wait_for(lambda: not system.processes(), 5), system.processes()


def test_given_servers_are_used_instead_of_the_embedded_ones(settings: Settings, app: Flask, tmp_path: Path) -> None:
    system = System(tmp_path / "home")
    system.env |= {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}
    try:
        system.start()
        assert system.health() == 200
        names = " ".join(system.processes().values())
        assert "gunicorn" in names and "bin/postgres" not in names and "valkey-server" not in names
        assert not (system.home / "pg").exists()
        with app.app_context():
            assert db.session.execute(text("SELECT count(*) FROM heartbeat WHERE name = 'worker'")).scalar_one() == 1
    finally:
        system.stop(signal.SIGTERM)
    assert wait_for(lambda: not system.processes(), 5), system.processes()
