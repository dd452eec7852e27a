"""The whole system as `make run` starts it, seen from outside; with a real SMS gateway and a real mail server if wanted.

PostgreSQL, Valkey, gunicorn, a Celery worker and beat run as the launcher (grm/up.py) starts them, in a GRM_HOME of their
own. Tests talk to it by HTTP, by `flask` commands in another shell, and by what the gateway and the mail server received.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg.rows import dict_row

from grm.kernel.places import embedded_places
from grm.supervisor import Supervisor
from tests.support.mail import MailServer
from tests.support.sms import Sms, free_port, gateway
from tests.support.web import Browser, Page

ROOT = Path(__file__).parents[2]
PASSWORD = "demo"
Found = TypeVar("Found")
_READY_SECONDS = 90


class System:
    """One running system with the development sink, as a newcomer has it."""

    def __init__(self, top: Path, **settings: str) -> None:
        top.chmod(0o711)  # started by root, PostgreSQL runs as nobody and must pass through
        self.home = top / "home"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ}
        (top / "tmp").mkdir()
        (top / "tmp").chmod(0o1777)
        self.env = {
            **inherited,
            "GRM_HOME": str(self.home),
            "PORT": str(self.port),
            "TMPDIR": str(top / "tmp"),
            **settings,
        }
        (top / "launcher").mkdir()
        self._launcher_log = top / "launcher" / "up.log"
        self._supervisor = Supervisor(top / "launcher", top / "launcher" / "programs", lambda text: None)

    def start(self) -> None:
        """Start everything and wait until the launcher says that it is ready."""
        command = [sys.executable, "grm/up.py"]
        self._supervisor.start("up", command, cwd=ROOT, env=self.env, stop_seconds=30)
        self.wait_until(self._is_ready, "the system", _READY_SECONDS)

    def stop(self) -> None:
        """Stop everything; nothing is left behind."""
        self._supervisor.stop_all()
        shutil.rmtree(embedded_places(self.home).sockets, ignore_errors=True)

    # --- people ---------------------------------------------------------------------------------------------

    def browser(self, language: str = "") -> Browser:
        """A browser that has never been here."""
        return Browser(self.url, language)

    def officer(self, username: str, language: str = "en") -> Browser:
        """A browser in which an officer has signed in through the form."""
        browser = self.browser(language)
        page = browser.get("/login")
        page = browser.submit(page.form("username", "password").fill(username=username, password=PASSWORD))
        assert page.status == 200 and page.path != "/login", f"{username} could not sign in: {page.text[:300]}"
        return browser

    # --- operators ------------------------------------------------------------------------------------------

    def flask(self, *arguments: str, expect: int = 0) -> str:
        """Run a flask command as in another shell: it finds the running system by GRM_HOME alone."""
        env = {
            name: value for name, value in self.env.items() if name in ("PATH", "HOME", "LANG", "LC_ALL", "GRM_HOME")
        }
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == expect, f"flask {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def sweep(self, as_of: str) -> dict[str, Any]:
        """`flask deadlines sweep --as-of`; what it did."""
        answer: dict[str, Any] = json.loads(self.flask("deadlines", "sweep", "--as-of", as_of))
        return answer

    def health(self) -> tuple[int, dict[str, Any]]:
        """Status and JSON of /healthz."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Ask the ledger itself; only for what no page shows."""
        where = str(embedded_places(self.home).postgres)
        with psycopg.connect(host=where, user="grm", dbname="grm", row_factory=dict_row) as connection:
            return connection.execute(query, values).fetchall()  # type: ignore[arg-type]

    @contextlib.contextmanager
    def frozen(self, name: str) -> Any:
        """Freeze a program and its children (SIGSTOP): alive for its supervisor, working for nobody."""
        groups = [os.getpgid(pid) for pid in self._processes(name)]
        assert groups, f"no process of {name}"
        for group in set(groups):
            os.killpg(group, signal.SIGSTOP)
        try:
            yield
        finally:
            for group in set(groups):
                os.killpg(group, signal.SIGCONT)

    def wait_until(self, condition: Callable[[], Found], what: str, seconds: float = 20) -> Found:
        """Wait for a condition; what it found."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not within {seconds:g} s\n{self._logs()}")
            time.sleep(0.1)
        return found

    def _is_ready(self) -> bool:
        said = self._launcher_log.read_text() if self._launcher_log.exists() else ""
        self._supervisor.check()
        return f"Ready: {self.url}" in said

    def _processes(self, name: str) -> Iterable[int]:
        """Processes of this system with a word in their command line."""
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                is_ours = f"GRM_HOME={self.home}".encode() in (entry / "environ").read_bytes().split(b"\0")
                if is_ours and name in (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode():
                    yield int(entry.name)

    def _logs(self) -> str:
        """The ends of all logs, for a failing test to show."""
        parts = [self._launcher_log, *sorted((self.home / "log").glob("*.log"))]
        return "\n".join(
            f"--- {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-8:])
            for path in parts
            if path.exists()
        )


class Rig(System):
    """A running system whose messages go to a real SMS gateway and a real mail server."""

    def __init__(self, top: Path) -> None:
        self.sms = gateway(top / "gateway")
        self.mail = MailServer()
        super().__init__(
            top,
            SMS_GATEWAY_URL=self.sms.url,
            SMS_GATEWAY_USER=self.sms.user,
            SMS_GATEWAY_PASSWORD=self.sms.password,
            SMTP_URL=f"smtp://127.0.0.1:{self.mail.port}",
            DELIVERY_PERIOD_SECONDS="1",
        )

    def start(self) -> None:
        """Start gateway and mail server, then the system."""
        self.sms.start()
        self.mail.start()
        super().start()

    def stop(self) -> None:
        """Stop everything; nothing is left behind."""
        super().stop()
        self.mail.stop()
        self.sms.stop()

    # --- what arrives ---------------------------------------------------------------------------------------

    def sms_to(self, number: str) -> list[Sms]:
        """What has arrived at one phone; the number as +8801…"""
        return [sms for sms in self.sms.received() if sms.to.lstrip("+") == number.lstrip("+")]

    def mail_to(self, address: str) -> list[Any]:
        """What has arrived in one mailbox."""
        return [mail for mail in self.mail.received if address in mail.recipients]

    def drain(self) -> None:
        """Wait until no message waits to be sent."""
        query = "SELECT count(*) AS n FROM message WHERE state IN ('pending', 'sending', 'unknown')"

        def is_drained() -> bool:
            self.sms.tend()
            return bool(self.rows(query)[0]["n"] == 0)

        self.wait_until(is_drained, "all messages on their way")


def must_be(page: Page, path: str, status: int = 200) -> Page:
    """Fail, showing the page, unless the browser ended up where it should."""
    ended = f"{page.status} {page.path}"
    assert ended == f"{status} {path}", f"at {ended} instead of {status} {path}: {page.text[:600]}"
    return page
