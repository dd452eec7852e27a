"""Child processes of the launcher: started, watched, restarted, and stopped to the last grandchild.

Why restart instead of stopping everything: all programs are safe to kill at any moment (PostgreSQL is the
ledger), so a worker that ran out of memory at night costs a second, not the office's morning. While the
system is starting, and when one program dies again and again, everything stops with the reason shown.

Nets for what outlives a launcher that was itself killed: each program gets a signal from the kernel at that moment
(PR_SET_PDEATHSIG); a guard, a fork that waits for nothing else, kills three seconds later what has not gone, with
all its children; and programs are noted in a file, so that even without the guard the next start ends them.
Standard library only.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl
_LOG_LIMIT_BYTES = 5_000_000
_TAIL_LINES = 15
_DEATHS_ALLOWED = 5
_DEATHS_WITHIN_SECONDS = 120
_LEFTOVER_SECONDS = 3


class ProgramFailed(Exception):
    """A program ended that should not have, or did not become ready; the text says which, with its last lines."""


class StopRequested(Exception):
    """Ctrl-C or SIGTERM arrived."""


@dataclass
class Program:
    """One program: how it is started, how it is asked to stop, and how long it may take."""

    name: str
    argv: list[str]
    log: Path
    stop_signal: signal.Signals
    orphan_signal: signal.Signals
    stop_seconds: float
    options: dict[str, Any]
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)
    restart_at: float | None = None


class Supervisor:
    """Starts programs and keeps them; `stop_all` ends them stage by stage, the last started stage first."""

    def __init__(self, log: Path, note: Path, say: Callable[[str], None]) -> None:
        self._log = log
        self._note = note
        self._say = say
        self._stages: list[list[Program]] = [[]]
        self._guard = 0
        self._guarded = -1
        self.stop_requested = False

    def new_stage(self) -> None:
        """What is started from here on is stopped before what was started until now."""
        self._stages.append([])

    def start(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        stop_signal: signal.Signals = signal.SIGTERM,
        orphan_signal: signal.Signals = signal.SIGTERM,
        stop_seconds: float = 5,
        **options: Any,
    ) -> Program:
        """Start a program with its output in a log file; `options` go to Popen."""
        log = self._log / f"{name}.log"
        program = Program(name, [str(a) for a in argv], log, stop_signal, orphan_signal, stop_seconds, options)
        self._stages[-1].append(program)
        self._spawn(program)
        return program

    def run(self, name: str, argv: Sequence[str | Path], **options: Any) -> None:
        """Run a program to its end, still answering Ctrl-C. Raises ProgramFailed unless it succeeds."""
        program = self.start(name, argv, **options)
        process = program.process
        assert process is not None
        while process.poll() is None:
            if self.stop_requested:
                raise StopRequested
            time.sleep(0.02)
        self._stages[-1].remove(program)
        self._write_note()
        if process.returncode:
            raise ProgramFailed(f"{name} failed {_how(process.returncode)}.{_tail(program.log)}")

    def wait_until(self, is_ready: Callable[[], bool], what: str, seconds: float = 30) -> None:
        """Wait for a condition while all programs live. Raises ProgramFailed or StopRequested."""
        deadline = time.monotonic() + seconds
        while not is_ready():
            self.check()
            if time.monotonic() > deadline:
                raise ProgramFailed(f"{what} was not ready within {seconds:g} seconds.")
            time.sleep(0.03)

    def check(self) -> None:
        """Raise if a program has ended, or if stopping was requested."""
        if self.stop_requested:
            raise StopRequested
        for program in self._programs():
            if program.process and program.process.poll() is not None:
                how = _how(program.process.returncode)
                raise ProgramFailed(f"{program.name} ended {how}.{_tail(program.log)}")

    def tend(self) -> None:
        """Restart what has died, a little later each time. Raises when one program dies again and again."""
        if self.stop_requested:
            raise StopRequested
        now = time.monotonic()
        for program in self._programs():
            _cut_log(program.log)
            if program.process and program.process.poll() is not None:
                self._has_died(program, program.process, now)
            elif program.process is None and program.restart_at is not None and now >= program.restart_at:
                self._spawn(program)

    def stop_all(self) -> None:
        """Stop every stage in turn: ask all its programs, wait, then kill what is left of their groups."""
        while self._stages:
            stage = [program for program in self._stages.pop() if program.process]
            for program in stage:
                if program.process and program.process.poll() is None:
                    program.process.send_signal(program.stop_signal)
            started = time.monotonic()
            for program in stage:
                assert program.process is not None
                left = program.stop_seconds - (time.monotonic() - started)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    program.process.wait(max(0.1, left))
                with contextlib.suppress(ProcessLookupError):
                    program.process.kill()
                program.process.wait()
                _kill_group(program.process.pid)
        self._stages = [[]]
        self._note.unlink(missing_ok=True)
        if self._guard:
            os.close(self._guarded)
            os.waitpid(self._guard, 0)
            self._guard = 0

    def guard(self) -> None:
        """Fork a guard that ends the programs when this process has died without doing so itself."""
        ours, theirs = os.pipe()
        self._guard = os.fork()
        if self._guard:
            os.close(ours)
            self._guarded = theirs
            return
        try:
            os.setsid()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            os.dup2(ours, 0)
            os.closerange(1, 1024)  # above all the lock: the next launcher may start at once
            os.read(0, 1)  # returns when the other end is closed, that is, when the launcher has ended
            self._end_noted()
        finally:
            os._exit(0)

    def end_leftovers(self) -> None:
        """End what a launcher that was itself killed left behind."""
        self._end_noted()
        self._note.unlink(missing_ok=True)

    def _end_noted(self) -> None:
        try:
            lines = self._note.read_text().splitlines()
        except OSError:
            return
        left = [(int(pid), born) for pid, born in (line.split()[:2] for line in lines)]
        deadline = time.monotonic() + _LEFTOVER_SECONDS
        while left and time.monotonic() < deadline:
            left = [(pid, born) for pid, born in left if _is_left(pid, born)]
            time.sleep(0.03)
        for pid, _ in left:
            _kill_group(pid)

    def _programs(self) -> list[Program]:
        return [program for stage in self._stages for program in stage]

    def _spawn(self, program: Program) -> None:
        launcher = os.getpid()

        def prepare() -> None:
            _prctl(_PR_SET_PDEATHSIG, int(program.orphan_signal))
            if os.getppid() != launcher:  # it died before the line above
                os._exit(1)

        _cut_log(program.log)
        with program.log.open("ab") as log:
            options = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, **program.options}
            program.process = subprocess.Popen(program.argv, start_new_session=True, preexec_fn=prepare, **options)
        program.restart_at = None
        self._write_note()

    def _has_died(self, program: Program, process: subprocess.Popen[bytes], now: float) -> None:
        _kill_group(process.pid)
        how = _how(process.returncode)
        program.process = None
        program.deaths = [at for at in program.deaths if now - at < _DEATHS_WITHIN_SECONDS] + [now]
        if len(program.deaths) > _DEATHS_ALLOWED:
            raise ProgramFailed(f"{program.name} ended {how}, again and again.{_tail(program.log)}")
        pause = 2.0 ** (len(program.deaths) - 1)
        program.restart_at = now + pause
        self._say(f"{program.name} ended {how}; it is started again in {pause:g} s.{_tail(program.log)}")

    def _write_note(self) -> None:
        pids = [program.process.pid for program in self._programs() if program.process]
        self._note.write_text("".join(f"{pid} {_born(pid)}\n" for pid in pids))


def _cut_log(log: Path) -> None:
    """Set a long log aside. Copied and emptied, not renamed: the program goes on writing to the file it has open."""
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)


def _how(code: int) -> str:
    if code < 0:
        return f"by {signal.Signals(-code).name}"
    return f"with status {code}"


def _tail(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
    except OSError:
        lines = []
    return f" Last lines of {log}:\n" + "\n".join(f"    {line}" for line in lines)


def _born(pid: int) -> str | None:
    """When a process started, in clock ticks since boot: with the number it names a process for certain."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None


def _is_left(pid: int, born: str) -> bool:
    """Whether a noted program, or a child that outlived it, is there. A number is not used again while its group lives."""
    now = _born(pid)
    return now == born or (now is None and _has_group(pid))


def _has_group(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _kill_group(pid: int) -> None:
    """Kill a program and all its children, and see them gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    deadline = time.monotonic() + 1
    while _has_group(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
