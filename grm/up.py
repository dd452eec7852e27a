"""The whole system with one command: PostgreSQL, Valkey, web, worker and beat, and in development a message sink.

    python grm/up.py                       start everything, print Ready, stay until Ctrl-C or SIGTERM
    python grm/up.py flask demo --cases 9  one flask command, with the engines started for it if need be

Run as a file and standard library only, so that it stays small beside what it starts.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # it was grm/, whose modules would hide those of the standard library

from config import Settings, SettingsError, load_settings  # noqa: E402
from grm.engines import start_postgres, start_valkey  # noqa: E402
from grm.kernel.places import development_secret, embedded_places, home_of, launcher_env_file  # noqa: E402
from grm.kernel.variables import VARIABLES  # noqa: E402
from grm.supervisor import ProgramFailed, StopRequested, Supervisor  # noqa: E402

BIN = Path(sys.executable).parent
READY_SECONDS = 90
WATCH_SECONDS = 30
NEEDED = ("database", "broker", "worker", "beat", "sweep")
"""What has to work for the system to be ready. Whatever else /healthz finds does not keep it from starting."""


class Launcher:
    """One run of the system in one GRM_HOME."""

    def __init__(self, env: dict[str, str]) -> None:
        self.started = self.programs_started = self.watched = time.monotonic()
        self.unwell = ""
        self.home = home_of(env)
        self.env = {**env, "GRM_HOME": str(self.home), "PYTHONUNBUFFERED": "1"}
        _make_home(self.home)
        self.supervisor = Supervisor(self.home / "log", self.home / "run" / "programs", say)
        if env.get("GRM_ENV", "development") == "development":
            development_secret(self.home, create=True)
        self.settings: Settings = load_settings(self.env)
        self.places = embedded_places(self.home)

    def start_engines(self) -> None:
        """Start the engines for which no address is given, and bring the database up to date."""
        if not self.env.get("DATABASE_URL"):
            with self._step("PostgreSQL"):
                start_postgres(self.supervisor, self.home, self.places)
        if not self.env.get("REDIS_URL"):
            with self._step("Valkey"):
                start_valkey(self.supervisor, self.home, self.places)
        self.supervisor.new_stage()
        if self.settings.is_development:
            self._choose_sink()
            self._note_settings()
        self._set_up()

    def _set_up(self) -> None:
        """Bring tables and reference data up to date; skipped where the embedded database has seen this very code.

        The note of that lies with the database's files and goes with them. It saves a second at each start.
        """
        note = self.home / "pg" / "set-up-by"
        state = _code_state(self.settings.grm_env)
        is_embedded = not self.env.get("DATABASE_URL")
        if is_embedded and note.exists() and note.read_text() == state:
            return
        with self._step("Tables and reference data"):
            self.supervisor.run("setup", self.flask("setup"), env=self.env, cwd=ROOT)
        if is_embedded:
            note.write_text(state)

    def start_programs(self) -> None:
        """Start web, worker, beat and, where nothing else takes the messages, the sink."""
        self.programs_started = time.monotonic()
        settings = self.settings
        if "GRM_SINK_PORTS" in self.env:
            sms, smtp = self.env["GRM_SINK_PORTS"].split(",")
            sink = [sys.executable, "-P", ROOT / "grm" / "devsink.py", "--home", self.home]
            self._start("devsink", [*sink, "--sms-port", sms, "--smtp-port", smtp], stop_seconds=2)
            self.supervisor.new_stage()
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        web = [BIN / "gunicorn", "--bind", f"{host}:{settings.port}", "--worker-class", "gthread"]
        web += ["--workers", str(settings.web_workers), "--threads", str(settings.web_threads)]
        web += ["--preload", "--no-control-socket", "--graceful-timeout", "5", "wsgi:app"]
        celery = [BIN / "celery", "--app", "wsgi:celery"]
        # Celery's own lines say that a tick was sent and done, several a second; the product logs for itself.
        level = ["--loglevel", "WARNING" if settings.log_level == "INFO" else settings.log_level]
        worker = [*celery, "worker", *level, "--concurrency", str(settings.worker_concurrency)]
        worker += ["--queues", "ticks,delivery", "--without-gossip", "--without-mingle"]
        beat = [BIN / "celery", "--app", "grm.schedule:beat", "beat", *level, "--scheduler", "grm.schedule:Scheduler"]
        # Orphaned programs end at once (SIGQUIT): with the engines gone there is nothing to finish for.
        self._start("web", web, orphan_signal=signal.SIGQUIT, stop_seconds=8)
        self._start("worker", worker, orphan_signal=signal.SIGQUIT, stop_seconds=8)
        self._start("beat", beat, stop_seconds=8)

    def wait_until_ready(self) -> None:
        """Wait for /healthz to turn green; raises ProgramFailed naming what is still red."""
        unwell = "web"

        def is_healthy() -> bool:
            nonlocal unwell
            time.sleep(0.07)
            unwell = self._unwell(is_start=True)
            return not unwell

        with self._step("Web, worker and beat"):
            try:
                self.supervisor.wait_until(is_healthy, "The system", READY_SECONDS)
            except ProgramFailed as error:
                if "not ready" not in str(error):
                    raise
                raise ProgramFailed(
                    f"Not working after {READY_SECONDS} s: {unwell}. See the logs in {self.home / 'log'}."
                ) from None

    def flask(self, *arguments: str) -> list[str | Path]:
        """The command line of a flask command."""
        return [BIN / "flask", "--app", "wsgi", *arguments]

    def _start(self, name: str, argv: list[Any], **options: Any) -> None:
        self.supervisor.start(name, argv, env=self.env, cwd=ROOT, **options)

    def _choose_sink(self) -> None:
        """Point messages that nothing else takes to the sink; the whole system learns its ports from here."""
        if self.env.get("SMS_GATEWAY_URL") and self.env.get("SMTP_URL"):
            return
        sms, smtp = free_port(), free_port()
        self.env["GRM_SINK_PORTS"] = f"{sms},{smtp}"
        if not self.env.get("SMS_GATEWAY_URL"):
            self.env["SMS_GATEWAY_URL"] = f"http://127.0.0.1:{sms}/cgi-bin/sendsms"
            self.env["SMS_GATEWAY_USER"] = "grm"
            self.env["SMS_GATEWAY_PASSWORD"] = secrets.token_hex(8)
        if not self.env.get("SMTP_URL"):
            self.env["SMTP_URL"] = f"smtp://127.0.0.1:{smtp}"

    def _note_settings(self) -> None:
        """Note every setting in force, so that flask commands in another shell find this very system."""
        given = {v.name: self.env[v.name] for v in VARIABLES if self.env.get(v.name)}
        text = "".join(f"{name}={value}\n" for name, value in given.items())
        path = launcher_env_file(self.home)
        path.touch(mode=0o600)
        path.write_text(text)

    def watch(self) -> None:
        """Say so when /healthz turns red or green again; asks every half minute, in this process, which depends on nothing."""
        elapsed = time.monotonic()
        if elapsed - self.watched < WATCH_SECONDS:
            return
        self.watched = elapsed
        was, self.unwell = self.unwell, self._unwell(seconds=2)
        if self.unwell != was:
            say(f"Not well: {self.unwell} (see /healthz)" if self.unwell else "All is well again.")

    def _unwell(self, *, is_start: bool = False, seconds: float = 5) -> str:
        """The parts that do not work, as words; empty when all is well.

        At the start only what is needed counts, of the sweep only that it runs; and a heartbeat older than this run counts as
        none: it was left by the run before, and its writer is gone.
        """
        host = self.settings.trusted_hosts[0]
        address = urlsplit(f"//{self.settings.host}").hostname or self.settings.host
        address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
        try:
            with socket.create_connection((address, self.settings.port), timeout=seconds) as client:
                client.sendall(f"GET /healthz HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
                answer = b"".join(iter(lambda: client.recv(65536), b""))
        except OSError:
            return "web"
        head, _, body = answer.partition(b"\r\n\r\n")
        own_seconds = time.monotonic() - self.programs_started
        try:
            parts = json.loads(body)["parts"]
            if not is_start:
                return ", ".join(name for name, part in parts.items() if not part["ok"])
            unwell = [name for name in NEEDED if not _has_begun(name, parts.get(name, {"ok": False}), own_seconds)]
        except (ValueError, KeyError, AttributeError, TypeError):
            return f"web ({head.splitlines()[0].decode(errors='replace') if head else 'no answer'})"
        return ", ".join(unwell)

    @contextlib.contextmanager
    def _step(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        sys.stdout.write(f"{what} ... ")
        sys.stdout.flush()
        try:
            yield
        except BaseException:
            say("")
            raise
        say(f"{time.monotonic() - began:.1f} s")


def _has_begun(name: str, part: dict[str, Any], own_seconds: float) -> bool:
    """Whether a part works in this run. What the sweep has not caught up with, or cannot, is for /healthz to say."""
    age = part.get("age_seconds", 0)
    if age is None or age > own_seconds:
        return False
    return bool(part["ok"]) or (name == "sweep" and "age_seconds" in part)


def _code_state(grm_env: str) -> str:
    """A mark of everything that `flask setup` depends on: code, migrations, reference data, and the kind of system."""
    state = hashlib.sha256(grm_env.encode())
    for folder, pattern in (("grm", "*.py"), ("grm/data", "*"), ("migrations", "*.py")):
        for path in sorted((ROOT / folder).rglob(pattern)):
            if path.is_file():
                state.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return state.hexdigest()


def say(text: str) -> None:
    """Print a line; whoever reads may have gone, and stopping must go on nevertheless."""
    with contextlib.suppress(OSError):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def free_port() -> int:
    """A port of this machine that nothing listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _make_home(home: Path) -> None:
    try:
        # Root's PostgreSQL runs as nobody, who must be able to pass through.
        home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        for name in ("log", "run", "outbox"):
            (home / name).mkdir(mode=0o700, exist_ok=True)
        owner = home.stat().st_uid
    except OSError as error:
        raise ProgramFailed(f"{home} cannot be written ({error.strerror}): set GRM_HOME to another place.") from None
    if owner != os.geteuid():
        raise ProgramFailed(f"{home} belongs to another user: start as that user, or set GRM_HOME elsewhere.")


def _lock(home: Path) -> Any:
    """Hold GRM_HOME for as long as the returned file lives; None where another launcher holds it."""
    file = (home / "run" / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _require_free_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise ProgramFailed(f"Port {port} is reserved: choose one above 1023, as in: make run PORT=8001") from None
        except OSError as error:
            raise ProgramFailed(
                f"Port {port} on {host} cannot be used ({error.strerror}): choose another, as in: make run PORT=8001"
            ) from None


def _run_system(launcher: Launcher) -> None:
    launcher.supervisor.end_leftovers()
    launcher.supervisor.guard()
    _require_free_port(launcher.settings.host, launcher.settings.port)
    launcher.start_engines()
    launcher.start_programs()
    launcher.wait_until_ready()
    seconds = time.monotonic() - launcher.started
    say(f"Ready: {launcher.settings.public_url}\n({seconds:.1f} s; Ctrl-C stops everything)")
    while True:
        launcher.supervisor.tend()
        launcher.watch()
        time.sleep(0.2)


def _run_command(launcher: Launcher, arguments: list[str], is_running: bool) -> int:
    if not is_running:
        launcher.supervisor.end_leftovers()
        launcher.supervisor.guard()
        launcher.start_engines()
    return subprocess.run(launcher.flask(*arguments), env=launcher.env, cwd=ROOT, check=False).returncode


def main(arguments: list[str]) -> int:
    """Run the system or one command; the exit status is 0 when it was stopped on request."""
    try:
        launcher = Launcher(dict(os.environ))
    except (SettingsError, ProgramFailed) as error:
        say(str(error))
        return 1
    lock = _lock(launcher.home)
    is_command = arguments[:1] == ["flask"]
    if lock is None and not is_command:
        pid = (launcher.home / "run" / "lock").read_text()
        say(f"Already running in {launcher.home} as process {pid}, at {launcher.settings.public_url}.")
        return 1

    def request_stop(*_: Any) -> None:
        launcher.supervisor.stop_requested = True

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, request_stop)
    try:
        if is_command:
            return _run_command(launcher, arguments[1:], is_running=lock is None)
        _run_system(launcher)
    except StopRequested:
        say("\nStopping ...")
        return 0
    except ProgramFailed as error:
        say(str(error))
        return 1
    finally:
        if lock is not None:  # else everything here belongs to another launcher
            launcher.supervisor.stop_all()
            launcher_env_file(launcher.home).unlink(missing_ok=True)
            shutil.rmtree(launcher.places.sockets, ignore_errors=True)
            say("Stopped.") if not is_command else None
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
