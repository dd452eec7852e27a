"""Files cut off on their way: by a broken line, a full disk, a dead scanner and SIGKILL at every step between file and commit.

Whatever happens, the complaint is safe, no row lacks its file, and no file is left that belongs to nothing.
"""

import contextlib
import dataclasses
import hashlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grm.cases import attachment_care
from grm.kernel import context
from tests.support import files
from tests.support.clamd import running_clamd
from tests.support.fault_table import Findings, Form
from tests.support.faults import BIN, FaultRig, Program
from tests.support.invariants import half_written
from tests.support.mailbox import free_port
from tests.support.uploader import FILES, FORM, STEPS, Answer, File, Uploader

pytestmark = pytest.mark.faults

ROWS = "SELECT stored_name, sha256 FROM attachment UNION ALL SELECT stored_name, sha256 FROM draft_file"


class Web:
    """Two web workers that die where they are told to; the virus scanner is not there unless a test starts one."""

    def __init__(self, rig: FaultRig) -> None:
        self.rig, self.port = rig, free_port()
        self.folder = rig.home / "attachments"
        self.note = rig.home / "die-at"
        self.scanner = rig.places.sockets / "clamd.sock"
        env = {**rig.env, "FAULTS_DIE_AT": str(self.note), "CLAMAV_URL": f"unix://{self.scanner}"}
        argv = [BIN / "gunicorn", "--bind", f"127.0.0.1:{self.port}", "--worker-class", "gthread", "--workers", "2"]
        argv += ["--threads", "4", "--preload", "--no-control-socket", "tests.support.fault_files:app"]
        self.program = Program("web-files", argv, env, rig.log, signal.SIGQUIT)

    def is_up(self) -> bool:
        with contextlib.suppress(AssertionError):
            return bool(Uploader(self.port))
        return False

    def clear(self) -> None:
        """Nothing stored, no step at which anybody dies."""
        self.note.unlink(missing_ok=True)
        for path in self.folder.glob("*"):
            shutil.rmtree(path)

    def incoming(self) -> list[Path]:
        return [path for path in self.folder.glob("incoming/*") if path.name != "clock"]

    def faults(self) -> list[str]:
        """Let an hour pass for the store, sweep, and compare rows and files by content."""
        for path in self.incoming():
            os.utime(path, (1, 1))
        with self.rig.session():
            attachment_care.sweep_orphans()
            found = attachment_care.reconcile()
        rows = {row["stored_name"]: bytes(row["sha256"]) for row in self.rig.rows(ROWS)}
        stored = {path.name: hashlib.sha256(path.read_bytes()).digest() for path in self.folder.glob("??/??/*")}
        left = [f"{path.name} left" for path in self.incoming()]
        return [
            *(f"row without file {name}" for name in rows.keys() - stored.keys()),
            *(f"file without row {name}" for name in stored.keys() - rows.keys()),
            *(f"changed {name}" for name, digest in rows.items() if stored.get(name, digest) != digest),
            *(f"reconcile: {fault}" for fault in found.faults),
            *left,
            *half_written(self.rig),
        ]


@pytest.fixture(scope="module")
def _running_web(_running_rig: FaultRig) -> Iterator[Web]:
    web = Web(_running_rig)
    web.program.start()
    try:
        _running_rig.wait_until(web.is_up, "the web server that dies at will", 30)
        yield web
    finally:
        web.program.end()


@pytest.fixture
def web(rig: FaultRig, _running_web: Web) -> Iterator[Web]:
    _running_web.clear()
    yield _running_web
    _running_web.clear()


def sound(length: int) -> File:
    return f"{length}.wav", files.wav(length)


def test_killed_at_every_step_between_file_and_commit(web: Web, rig: FaultRig, findings: Findings) -> None:
    killed, codes = 0, []
    for action, steps in STEPS.items():
        for number, step in enumerate(steps):
            person = Uploader(web.port, f"{action} {step}")
            page = person.add(sound(2000 + number)) if action != "add" else person.last_page()
            web.note.write_text(step)
            do = {"add": lambda: person.add(sound(1600), sound(1800)), "send": person.send}.get(action)  # noqa: B023
            cut = do() if do else person.remove(page)
            killed += cut.status == 0 and not web.note.exists()
            again = _until_answered(person, cut)
            assert step == "case committed" or person.details in again.text, "what was typed is kept"
            if action == "add":
                assert person.add(sound(1600), sound(1800)).text.count("Added") == 2, step
            elif action == "remove":
                assert "Added" not in person.remove(again).text, step
            codes.append(person.send().codes[0])
    found = web.faults()
    cases = [row["tracking_number"] for row in rig.rows("SELECT tracking_number FROM cases")]
    attached = rig.number("SELECT count(*) FROM attachment")
    findings.add(26, f"kill -9 at each of {killed} steps", lost=len(codes) - len(cases), files=attached)
    assert killed == sum(len(steps) for steps in STEPS.values())
    assert sorted(codes) == sorted(cases) and attached == 2 * len(STEPS["add"]) + len(STEPS["send"])
    assert found == [] and rig.number("SELECT count(*) FROM draft_file") == 0


def _until_answered(person: Uploader, answer: Answer) -> Answer:
    """The last page again, from the worker that is left or the new one."""
    ends = time.monotonic() + 10
    while not answer.status and time.monotonic() < ends:
        answer = person.last_page()
    return answer


def test_killed_at_random_moments_nothing_is_lost_and_nothing_is_twice(
    web: Web, rig: FaultRig, form: Form, findings: Findings
) -> None:
    people, kills, chance = 3, form.of(2, 120), form.chance("files")
    told: list[str] = []
    stop = threading.Event()

    def go_on(number: int) -> None:
        filed = 0
        while not stop.is_set() or not filed:
            try:
                person = Uploader(web.port, f"person {number}, complaint {filed}")
            except AssertionError:
                continue  # killed before there was anything to keep
            told.append(_to_the_receipt(person))
            filed += 1

    threads = [threading.Thread(target=go_on, args=(number,)) for number in range(people)]
    for thread in threads:
        thread.start()
    killed = 0
    for _ in range(kills):
        time.sleep(chance.uniform(0.1, form.of(0.8, 4.0)))  # a new worker needs a moment to be of use
        for child in web.program.children()[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
                killed += 1
    stop.set()
    for thread in threads:
        thread.join(60)
    found = web.faults()
    cases = [row["tracking_number"] for row in rig.rows("SELECT tracking_number FROM cases")]
    counts = rig.rows(
        "SELECT count(a.id) AS files FROM cases AS c LEFT JOIN attachment AS a ON a.case_id = c.id GROUP BY c.id"
    )
    findings.add(26, f"kill -9 x {killed} under load", lost=len(set(told) - set(cases)), filed=len(told))
    assert killed == kills and len(told) >= people
    assert sorted(told) == sorted(cases), "each receipt is one case"
    assert {row["files"] for row in counts} == {2} and found == []


def _to_the_receipt(person: Uploader) -> str:
    """Hand in two files and file, again and again until each is answered; the tracking number."""
    ends = time.monotonic() + 45
    while person.add(sound(1600), sound(1800)).text.count("Added") != 2:
        assert time.monotonic() < ends, "files are never taken"
    while not (codes := person.send().codes):
        assert time.monotonic() < ends, "never filed"
    return codes[0]


def test_a_line_cut_in_mid_body_stores_nothing_and_the_text_stays(
    web: Web, rig: FaultRig, form: Form, findings: Findings
) -> None:
    person, chance = Uploader(web.port, "কাটা লাইন"), form.chance("cut")
    cuts = form.of(4, 200)
    for number in range(cuts):
        everything = {"step": "send", "declaration": "1"} if number % 2 else {}
        person.cut_off(FORM if number % 2 else FILES, everything, sound(400_000), share=chance.uniform(0.1, 0.98))
    page = person.last_page()
    assert "কাটা লাইন" in page.text and "Added" not in page.text
    stored = [*web.folder.glob("??/??/*"), *web.incoming()]
    assert (
        stored == [] and rig.number("SELECT count(*) FROM draft_file") == rig.number("SELECT count(*) FROM cases") == 0
    )
    assert "Added" in person.add(sound(400_000)).text and len(person.send().codes) == 2
    findings.add(25, f"line cut in mid-upload x {cuts}", lost=0, files=len(stored))
    assert web.faults() == []


def test_a_full_disk_holds_up_the_file_and_not_the_complaint(web: Web, rig: FaultRig, findings: Findings) -> None:
    web.folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", str(web.folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"there is no mount here: {error}")
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    try:
        ballast = web.folder / "ballast"
        ballast.write_bytes(bytes(1_700_000))
        person = Uploader(web.port, "ভরা ডিস্ক")
        assert "Added" in person.add(sound(100_000)).text
        page = person.add(sound(1_000_000))
        assert page.status == 503 and "“1000000.wav” cannot be stored at the moment." in page.text
        assert "ভরা ডিস্ক" in page.text and page.text.count("Added") == 1 and web.incoming() == []
        codes = person.send().codes
        full = person.track(codes, {"action": "add_information", "information": "পরে"}, sound(1_000_000))
        assert full.status == 503 and "পরে" in full.text and "“1000000.wav” cannot be stored" in full.text
        ballast.unlink()
        later = person.track(codes, {"action": "add_information", "information": "পরে"}, sound(1_000_000))
        assert later.status == 200 and "You added something – files: 1" in later.text
        findings.add(25, "attachment disk full in mid-upload", lost=0, files=2)
        assert rig.number("SELECT count(*) FROM attachment") == 2 and web.faults() == []
    finally:
        subprocess.run(["umount", str(web.folder)], check=True)


def test_a_dead_scanner_holds_up_nobody_and_nothing_is_served_before_it_is_back(
    web: Web, rig: FaultRig, findings: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Uploader(web.port)
    assert "Added" in person.add(sound(2000)).text
    codes = person.send().codes
    [row] = rig.rows("SELECT id, state FROM attachment")
    page = person.track(codes, {"action": "none"})
    assert row["state"] == "quarantined" and "It is being checked." in page.text
    asked = {"view": person.value(page, "view"), "file": str(row["id"])}
    assert person.post("/track/file", asked).status == 404
    told = dataclasses.replace(rig.app.extensions[context.SETTINGS], clamav_url=f"unix://{web.scanner}")
    monkeypatch.setitem(rig.app.extensions, context.SETTINGS, told)
    with running_clamd(web.scanner) as clamd, rig.session():
        assert attachment_care.scan_waiting() == 1 and len(clamd.seen) == 1
    served = person.post("/track/file", asked)
    findings.add(41, "virus scanner dead", lost=0, served_before=0)
    assert served.status == 200 and rig.number("SELECT count(*) FROM attachment WHERE state = 'stored'") == 1
    assert web.faults() == []
