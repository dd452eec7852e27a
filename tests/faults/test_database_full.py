"""The database's disk runs full under load: 503 with what was typed, no crash loop, and all is well once it is freed."""

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from grm.engines import start_postgres
from tests.support.fault_table import Findings, Form
from tests.support.faults import Engine, FaultRig, check
from tests.support.filers import Filers
from tests.support.invariants import half_written

pytestmark = pytest.mark.faults

DISK = "150m"
_SMALL_WAL = ("fsync=off", "full_page_writes=off", "max_wal_size=48MB", "min_wal_size=32MB")


class SmallDisk(FaultRig):
    """The rig with PostgreSQL's files on a small disk of their own."""

    def __init__(self, top: Path) -> None:
        super().__init__(top)
        self.disk = top / "disk"
        self.disk.mkdir()
        self.ballast = self.disk / "ballast"
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=711", "tmpfs", str(self.disk)]
        try:
            done = subprocess.run(mount, capture_output=True, text=True, check=False)
        except OSError as error:
            pytest.skip(f"there is no mount here: {error}")
        if done.returncode:
            pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
        self.postgres = Engine(lambda s: start_postgres(s, self.disk, self.places, _SMALL_WAL), self.log, "postgres")

    def stop(self) -> None:
        """Stop everything and take the disk away."""
        super().stop()
        subprocess.run(["umount", str(self.disk)], check=True)

    def fill(self) -> None:
        """Take every byte that is left."""
        with self.ballast.open("ab", buffering=0) as file:
            block = bytes(1 << 16)
            while block:
                try:
                    if file.write(block) < len(block):
                        block = block[: len(block) // 2]
                except OSError:
                    block = block[: len(block) // 2]

    def free(self) -> None:
        """Give it back; where PostgreSQL has given up, start it again as its supervisor would."""
        self.ballast.unlink()
        try:
            self.rows("SELECT 1")
        except psycopg.OperationalError:
            self.postgres.end()
            self.postgres.start()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    small = SmallDisk(tmp_path_factory.mktemp("small"))
    try:
        small.start()
        yield small
    finally:
        small.stop()


def test_a_full_disk_refuses_with_503_and_all_is_well_once_it_is_freed(
    small: SmallDisk, form: Form, findings: Findings
) -> None:
    people, fills = 3, form.of(1, 6)
    servers = [program.pid for program in small.programs.values() if program.is_running]
    pids = [*small.programs["web"].children(), *servers]
    with Filers(small.url, people, pause_seconds=0.1) as filers:
        for _ in range(fills):
            time.sleep(1)
            small.fill()
            seen = filers.answers[503]
            small.wait_until(lambda seen=seen: filers.answers[503] >= seen + 10, "a filing that the disk refuses", 40)
            assert small.health()[0] in (200, 503)
            small.free()
        time.sleep(1)
    small.wait_until(small.is_green, "workers, beat and sweep at work again", 45)
    small.drain()
    told = [complaint.number for complaint in filers.complaints]
    stored = Counter(each["tracking_number"] for each in small.rows("SELECT tracking_number FROM cases"))
    ledger, half = check(small), half_written(small)
    figures = {"filed": len(told), "answered_503": filers.answers[503], "half_written": len(half)}
    findings.add(16, f"disk filled x {fills}", ledger.figures, **figures)
    assert filers.faults == []
    assert Counter(told) == stored
    assert Counter(sms["to"] for sms in small.sms.accepted) == Counter(each.phone for each in filers.complaints)
    assert half == [] and ledger.faults == []
    again = [*small.programs["web"].children(), *(each.pid for each in small.programs.values() if each.is_running)]
    assert again == pids, "a process died of it"
