"""A real SMS gateway: Debian's Kannel with its fake SMS centre, read at the centre's end, where a phone would be.

Where Kannel is not installed, the development sink stands in: it answers the same protocol and sends the same reports.
"""

import contextlib
import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from grm.supervisor import Program, Supervisor

ROOT = Path(__file__).parents[2]
_USER, _PASSWORD = "grm", "journey"
_GOT = re.compile(r"Got message \d+: <(\S+) (\S+) (?:udh (\S+) data|ucs-2|text) (.*)>$", re.MULTILINE)
_CONFIG = """
group = core
admin-port = {admin}
admin-interface = "127.0.0.1"
admin-password = {password}
smsbox-port = {box}
smsbox-interface = "127.0.0.1"
box-allow-ip = "127.0.0.1"
box-deny-ip = "*.*.*.*"
store-type = file
store-location = "store"
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = FAKE
our-host = "127.0.0.1"
port = {centre}
connect-allow-ip = "127.0.0.1"
denied-prefix = "+88019;88019"

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = "127.0.0.1"
global-sender = 16122

group = sendsms-user
username = {user}
password = {password}
user-allow-ip = "127.0.0.1"
max-messages = 10
concatenation = true

group = sms-service
keyword = default
text = "No service"
max-messages = 0
catch-all = true
"""


@dataclass(frozen=True)
class Sms:
    """A message as the phone puts it together. `encoding` is ucs2 or gsm7, `parts` how many SMS it took."""

    to: str
    text: str
    encoding: str
    parts: int


class Gateway:
    """What both gateways offer: an address to send to, and what has arrived."""

    user, password = _USER, _PASSWORD
    front = ""
    """The program that takes our requests."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/cgi-bin/sendsms"
        home.mkdir(parents=True)
        self.deaths: list[str] = []
        """How its programs ended that were not told to: see Kannel.tend."""
        self._supervisor = Supervisor(home, home / "programs", lambda text: None)
        self._programs: dict[str, Program] = {}
        self._told_to_end = ""

    def received(self) -> list[Sms]:
        """All messages so far, oldest first."""
        raise NotImplementedError

    def tend(self) -> None:
        """Look whether its programs live. Of our own sink nothing is mended: it must not end."""

    def log(self) -> str:
        """The ends of its programs' logs, for a failing test to show."""
        logs = ((path.name, path.read_text("utf-8", errors="replace")) for path in sorted(self.home.glob("*.log")))
        return "\n".join(f"--- {name}\n" + "\n".join(text.splitlines()[-20:]) for name, text in logs)

    def stop(self) -> None:
        """End the programs."""
        self._supervisor.stop_all()

    @contextlib.contextmanager
    def away(self, name: str = "") -> Iterator[None]:
        """End one of the programs, by default the one that takes our requests, and start it again at the end of the block."""
        program = self._programs[name or self.front]
        assert program.process is not None
        self._told_to_end = program.name
        program.process.terminate()
        program.process.wait(15)
        try:
            yield
        finally:
            self._told_to_end = ""
            self._again(program)

    def _again(self, program: Program) -> None:
        options = {"stop_seconds": program.stop_seconds, **program.options}
        self._programs[program.name] = self._supervisor.start(program.name, program.argv, **options)
        _wait(lambda: is_open(self.port), f"{program.name} again")

    def _run(self, name: str, *argv: str | Path | int, **options: Any) -> None:
        words = [str(each) for each in argv]
        self._programs[name] = self._supervisor.start(name, words, cwd=self.home, stop_seconds=15, **options)
        self._supervisor.new_stage()


class Kannel(Gateway):
    """bearerbox, smsbox and fakesmsc. Its centre has no way to numbers in 019."""

    front = "smsbox"

    @staticmethod
    def programs() -> tuple[str, str, str] | None:
        """Where the three are, None unless all are installed."""
        folders = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/lib/kannel/test"
        found = [shutil.which(name, path=folders) for name in ("bearerbox", "smsbox", "fakesmsc")]
        return (str(found[0]), str(found[1]), str(found[2])) if all(found) else None

    def start(self) -> None:
        """Start all three and wait until they talk to one another."""
        programs = self.programs()
        assert programs is not None
        bearerbox, smsbox, fakesmsc = programs
        ports = {name: free_port() for name in ("admin", "box", "centre")}
        config = _CONFIG.format(user=_USER, password=_PASSWORD, sendsms=self.port, **ports)
        (self.home / "kannel.conf").write_text(config)
        self._run("bearerbox", bearerbox, "kannel.conf")
        _wait(lambda: is_open(ports["box"]) and is_open(ports["centre"]), "Kannel's bearerbox")
        self._run("smsbox", smsbox, "kannel.conf")
        # fakesmsc ends when its standard input does.
        self._run(
            "fakesmsc", fakesmsc, "-H", "127.0.0.1", "-r", ports["centre"], "-i", "1", "-m", "0", stdin=subprocess.PIPE
        )
        _wait(lambda: is_open(self.port), "Kannel's smsbox")
        _wait(lambda: "Connecting to" in (self.home / "fakesmsc.log").read_text("latin-1"), "Kannel's fake SMS centre")

    def tend(self) -> None:
        """Start again what has ended unasked, as the service manager of an office would, and note that it did.

        smsbox 1.4.5 ends itself (`conn_unregister: Assertion 'conn != NULL' failed`) when whoever it reports to resets the
        connection while it writes: a web server that is killed does.
        """
        for program in list(self._programs.values()):
            if program.name != self._told_to_end and program.process and program.process.poll() is not None:
                self.deaths.append(f"{program.name} ended with {program.process.returncode}\n{self.log()}")
                self._again(program)

    def received(self) -> list[Sms]:
        """Put together the parts that the fake SMS centre printed; a message counts once all its parts are there."""
        self.tend()
        found: dict[tuple[str, str, int], list[tuple[str, bytes]]] = {}
        lines = _GOT.findall((self.home / "fakesmsc.log").read_text("latin-1"))
        for number, (_, to, header, data) in enumerate(lines):
            # A user data header 05 00 03 RR NN KK: part KK of NN of the message with reference RR.
            udh = unquote_to_bytes(header)
            reference, of = (udh[3:4].hex(), udh[4]) if udh else (f"alone {number}", 1)
            raw = unquote_to_bytes(data.replace("+", "%20"))
            found.setdefault((to, reference, of), []).append(("ucs2" if _is_ucs2(raw) else "gsm7", raw))
        return [
            Sms(to, _read(b"".join(raw for _, raw in parts)), parts[0][0], len(parts))
            for (to, _, of), parts in found.items()
            if len(parts) == of
        ]


class Sink(Gateway):
    """The development sink."""

    front = "sink"

    def start(self) -> None:
        """Start it and wait until it listens."""
        ports = ["--sms-port", str(self.port), "--smtp-port", str(free_port())]
        script = ROOT / "grm" / "devsink.py"
        environment = {"SMS_GATEWAY_USER": _USER, "SMS_GATEWAY_PASSWORD": _PASSWORD, "PATH": "/usr/bin:/bin"}
        self._run("sink", sys.executable, "-P", script, "--home", self.home, *ports, env=environment)
        _wait(lambda: is_open(self.port), "the SMS sink")

    def received(self) -> list[Sms]:
        """Read what it wrote down."""
        try:
            lines = (self.home / "outbox" / "sms.jsonl").read_text().splitlines()
        except OSError:
            return []
        return [self._sms(json.loads(line)) for line in lines]

    @staticmethod
    def _sms(line: dict[str, str]) -> Sms:
        is_ucs2 = line["coding"] == "2"
        alone, joined = (70, 67) if is_ucs2 else (160, 153)
        length = len(line["text"].encode("utf-16-be")) // 2
        parts = 1 if length <= alone else -(-length // joined)
        return Sms(line["to"], line["text"], "ucs2" if is_ucs2 else "gsm7", parts)


def gateway(home: Path) -> Kannel | Sink:
    """Kannel where it is installed."""
    return Kannel(home) if Kannel.programs() else Sink(home)


def free_port() -> int:
    """A port of this machine that nothing listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_open(port: int) -> bool:
    """Whether something listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not start within {seconds:g} s"
        time.sleep(0.1)


def _is_ucs2(raw: bytes) -> bool:
    # fakesmsc does not say how the parts of a long message are coded; no SMS of ours holds a NUL or a letter
    # outside ASCII unless it is UCS-2, where each of them has a first byte of 00 or 09 (Bangla), 20 (signs).
    return len(raw) % 2 == 0 and len(raw) > 0 and set(raw[::2]) <= {0x00, 0x09, 0x20}


def _read(raw: bytes) -> str:
    return raw.decode("utf-16-be") if _is_ucs2(raw) else raw.decode("utf-8")
