"""The launcher's supervisor and the private directory, with real processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grm import supervisor as module
from grm.engines import make_private
from grm.supervisor import ProgramFailed, StopRequested, Supervisor

# A program that starts another one, says so, and ignores a polite request to stop.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, 1); time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


class Said(list[str]):
    def __call__(self, text: str) -> None:
        self.append(text)


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def supervisor(tmp_path: Path, said: Said) -> Supervisor:
    return Supervisor(tmp_path, tmp_path / "programs", said)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for_line(path: Path) -> str:
    for _ in range(200):
        if path.exists() and path.read_text().endswith("\n"):
            return path.read_text()
        time.sleep(0.05)
    raise AssertionError(f"nothing in {path}")


def test_a_failing_command_is_named_with_its_last_lines(supervisor: Supervisor) -> None:
    with pytest.raises(ProgramFailed, match=r"(?s)broken failed with status 3.*the reason"):
        supervisor.run("broken", [sys.executable, "-c", "print('the reason'); raise SystemExit(3)"])
    supervisor.stop_all()


def test_stopping_reaches_stubborn_grandchildren(supervisor: Supervisor, tmp_path: Path) -> None:
    program = supervisor.start("stubborn", [sys.executable, "-c", STUBBORN], stop_seconds=0.3)
    grandchild = int(wait_for_line(tmp_path / "stubborn.log"))
    assert program.process and is_alive(program.process.pid) and is_alive(grandchild)
    supervisor.stop_all()
    assert not is_alive(program.process.pid) and not is_alive(grandchild)
    assert not (tmp_path / "programs").exists()


def test_the_last_stage_stops_first(supervisor: Supervisor, tmp_path: Path) -> None:
    note = "import signal, sys, time; from pathlib import Path\n" + (
        "def stop(*_):\n    open(sys.argv[1], 'a').write(sys.argv[2]); sys.exit()\n"
        "signal.signal(15, stop); print('up', flush=True); time.sleep(60)"
    )
    order = tmp_path / "order"
    for name in ("engine", "web"):
        supervisor.start(name, [sys.executable, "-c", note, str(order), f"{name} "])
        supervisor.new_stage()
        wait_for_line(tmp_path / f"{name}.log")
    supervisor.stop_all()
    assert order.read_text() == "web engine "


def test_a_program_that_dies_again_and_again_ends_everything(
    supervisor: Supervisor, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_DEATHS_ALLOWED", 1)
    supervisor.start("brief", [sys.executable, "-c", "raise SystemExit(7)"])
    with pytest.raises(ProgramFailed, match="brief ended with status 7, again and again"):
        for _ in range(200):
            supervisor.tend()
            time.sleep(0.05)
    assert len(said) == 1 and "brief ended with status 7; it is started again in 1 s" in said[0]
    supervisor.stop_all()


def test_a_long_log_is_set_aside_while_its_program_goes_on(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOG_LIMIT_BYTES", 1000)
    talk = "import time\nprint('x' * 2000, flush=True)\ntime.sleep(1)\nprint('later', flush=True)\ntime.sleep(60)"
    supervisor.start("talker", [sys.executable, "-c", talk])
    wait_for_line(tmp_path / "talker.log")
    supervisor.tend()
    assert wait_for_line(tmp_path / "talker.log") == "later\n"
    assert (tmp_path / "talker.log.1").read_text() == "x" * 2000 + "\n"
    supervisor.stop_all()


def test_waiting_ends_when_stopping_is_asked_for(supervisor: Supervisor) -> None:
    supervisor.stop_requested = True
    with pytest.raises(StopRequested):
        supervisor.wait_until(lambda: False, "nothing")


def test_what_a_killed_launcher_left_is_ended_and_nobody_else(supervisor: Supervisor, tmp_path: Path) -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    left, stranger = (subprocess.Popen(sleep, start_new_session=True) for _ in range(2))
    born = Path(f"/proc/{left.pid}/stat").read_text().rpartition(")")[2].split()[19]
    # The stranger has a number that was noted, but was born at another time: the number was used again.
    (tmp_path / "programs").write_text(f"{left.pid} {born}\n{stranger.pid} 1\n")
    try:
        supervisor.end_leftovers()
        assert left.wait(5) == -signal.SIGKILL
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_child_that_outlived_its_noted_parent_is_ended_too(supervisor: Supervisor, tmp_path: Path) -> None:
    program = supervisor.start("stubborn", [sys.executable, "-c", STUBBORN])
    grandchild = int(wait_for_line(tmp_path / "stubborn.log"))
    assert program.process
    program.process.kill()
    program.process.wait()
    assert is_alive(grandchild)
    supervisor.end_leftovers()
    assert not is_alive(grandchild)


def test_the_guard_ends_what_a_killed_launcher_leaves(tmp_path: Path) -> None:
    # Its program outlives the launcher on purpose: it ignores the signal that the kernel sends.
    launcher = (
        "import sys, time; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from grm.supervisor import Supervisor\n"
        "top = Path(sys.argv[1]); s = Supervisor(top, top / 'programs', print); s.guard()\n"
        f"s.start('stubborn', [sys.executable, '-c', {STUBBORN!r}])\n"
        "time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", launcher, str(tmp_path), str(Path(module.__file__).parents[1])])
    grandchild = int(wait_for_line(tmp_path / "stubborn.log"))
    process.kill()
    process.wait()
    assert is_alive(grandchild)
    for _ in range(200):
        if not is_alive(grandchild):
            break
        time.sleep(0.05)
    assert not is_alive(grandchild)


def test_a_private_directory_must_be_our_own(tmp_path: Path) -> None:
    make_private(tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    (tmp_path / "link").symlink_to(tmp_path / "new")
    with pytest.raises(ProgramFailed, match="belongs to somebody else"):
        make_private(tmp_path / "link")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a directory that belongs to somebody else")
def test_a_directory_somebody_else_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(mode=0o700)
    os.chown(tmp_path / "theirs", 65534, -1)
    with pytest.raises(ProgramFailed, match="belongs to somebody else"):
        make_private(tmp_path / "theirs")
