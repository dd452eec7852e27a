"""Where one GRM_HOME keeps its things, and the keys of a development system.

The launcher (grm/up.py) lays the embedded engines by these rules, and every other process finds them by the
same ones. Standard library only: the launcher imports it.
"""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Places:
    """Where the embedded engines of one GRM_HOME have their sockets, and the addresses that lead there."""

    sockets: Path
    database_url: str
    redis_url: str

    @property
    def postgres(self) -> Path:
        """The directory of PostgreSQL's socket."""
        return self.sockets / "pg"

    @property
    def valkey(self) -> Path:
        """Valkey's socket."""
        return self.sockets / "valkey" / "valkey.sock"


def embedded_places(home: Path) -> Places:
    """The one rule that leads from GRM_HOME to the embedded engines' sockets.

    They are not inside GRM_HOME because a Unix socket's path may have 107 bytes at most, and checkouts lie
    deeper than that. TMPDIR is not consulted: it may differ between the launcher's shell and another.
    """
    name = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:16]
    sockets = Path(f"/tmp/grm-{os.geteuid()}-{name}")
    return Places(
        sockets,
        f"postgresql+psycopg://grm@/grm?host={quote(str(sockets / 'pg'))}",
        f"unix://{quote(str(sockets / 'valkey' / 'valkey.sock'))}?db=0",
    )


def home_of(env: Mapping[str, str]) -> Path:
    """GRM_HOME as an absolute path: `var` in the checkout unless it is set."""
    return Path(env.get("GRM_HOME") or ROOT / "var").resolve()


def launcher_env_file(home: Path) -> Path:
    """Where the launcher notes its settings, so that flask commands find the system it runs."""
    return home / "run" / "env"


def launcher_env(home: Path) -> dict[str, str]:
    """The settings the launcher of this GRM_HOME runs with; empty when none was started."""
    try:
        lines = launcher_env_file(home).read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line)


def development_secret(home: Path, create: bool = False) -> bytes | None:
    """The secret from which a development system's keys are derived; the launcher creates it (mode 600)."""
    path = home / "secret"
    if create and not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32) + "\n")
    try:
        return path.read_bytes().strip() or None
    except OSError:
        return None


def derive_keys(secret: bytes) -> dict[str, str]:
    """All keys of a development or test system as variables; the same secret gives the same keys."""

    def key(name: str) -> bytes:
        return hmac.digest(secret, f"grm development {name}".encode(), "sha256")

    def encoded(name: str) -> str:
        return base64.b64encode(key(name)).decode()

    return {
        "SECRET_KEY": key("SECRET_KEY").hex(),
        "DATA_KEYS": "dev:" + encoded("DATA_KEYS"),
        "INDEX_KEY": encoded("INDEX_KEY"),
        "TRACKING_KEY": encoded("TRACKING_KEY"),
    }
