"""Two at once: a form pressed by twenty threads, and two officers who act on one case in the same moment."""

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.support.citizen import CODE
from tests.support.fault_table import Findings, Form
from tests.support.faults import FaultRig, check
from tests.support.filers import Answer, new_form, press
from tests.support.invariants import broken_chains
from tests.support.web import Browser, Page
from tests.support.web import Form as WebForm

pytestmark = pytest.mark.faults

PRESSES = 20


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Do all of it in the same moment, each in a thread of its own; what each returned."""
    barrier = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(number: int) -> None:
        barrier.wait(10)
        results[number] = acts[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def work_done(rig: FaultRig) -> dict[int, int]:
    """Clock ticks of processor time that each web worker has used."""
    workers = rig.programs["web"].children()
    stats = {pid: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in workers}
    return {pid: int(fields[11]) + int(fields[12]) for pid, fields in stats.items()}


def test_a_form_pressed_by_twenty_threads_on_two_web_workers_is_one_case(
    rig: FaultRig, form: Form, findings: Findings
) -> None:
    rounds, worked = form.of(4, 60), work_done(rig)
    assert len(worked) == 2
    for _ in range(rounds):
        new = new_form(rig.url)
        assert new is not None
        complaint, fields = new

        def send(complaint: Any = complaint, fields: Any = fields) -> Answer:
            return press(rig.url, complaint, fields)

        answers = at_once(*[send] * PRESSES)
        answers += [send()]  # after Back, or by a proxy that tries again
        assert {answer.status for answer in answers} == {200}
        assert len({tuple(CODE.findall(answer.text)) for answer in answers}) == 1, "one page for all"
        [count] = rig.rows(
            "SELECT count(*) AS n, count(DISTINCT m.id) AS told FROM cases AS c JOIN message AS m ON m.case_id = c.id"
            " WHERE c.tracking_number = %s AND m.template = 'case-filed-complainant'",
            complaint.number,
        )
        assert (count["n"], count["told"]) == (1, 1)
    rig.drain()
    made = rig.number("SELECT count(*) FROM cases")
    ledger = check(rig)
    findings.add(30, f"{PRESSES + 1} presses of each of {rounds} forms", ledger.figures, cases=made)
    assert made == rounds
    assert ledger.faults == []
    both = work_done(rig)
    assert all(both[pid] > worked[pid] for pid in worked), "one web worker did it all"


# --- two officers -------------------------------------------------------------------------------------------------


def note(page: Page, text: str) -> WebForm:
    return page.form("note").fill(note=text)


def claim(page: Page, text: str) -> WebForm:
    return page.form(action="CLAIM")


def acknowledge(page: Page, text: str) -> WebForm:
    return page.form(action="ACKNOWLEDGE")


def assign(page: Page, text: str) -> WebForm:
    form = page.form("assignee")
    return form.fill(assignee=[each for each in form.choices("assignee") if each][-1])


def resolve(page: Page, text: str) -> WebForm:
    form = page.form("reply", "root_cause")
    chosen = {name: next(each for each in form.choices(name) if each) for name in ("outcome", "contact")}
    return form.fill(reply=text, root_cause=text, prevention=text, reason=text, **chosen)


Act = Callable[[Page, str], WebForm]
PAIRS: tuple[tuple[Act, Act], ...] = (
    (note, note),
    (assign, claim),
    (acknowledge, claim),
    (note, acknowledge),
    (resolve, note),
    (assign, note),
)
"""What the GRO does, and what the officer of the same desk does in that moment."""


def test_of_two_officers_who_act_at_once_one_wins_and_the_other_keeps_the_text(
    rig: FaultRig, form: Form, findings: Findings
) -> None:
    rounds, chance = form.of(12, 200), form.chance("officers")
    people = tuple(signed_in(rig, username) for username in ("gro.social-welfare", "officer.social-welfare"))
    wrong: list[str] = []
    for number in range(rounds):
        acts = PAIRS[number % len(PAIRS)]
        new = new_form(rig.url)
        assert new is not None
        press(rig.url, *new)
        case = new[0].number
        texts = [
            f"পরীক্ষা {number}: {who} {chance.random()} এই বিষয়ে আমার বক্তব্য যথেষ্ট দীর্ঘ।" for who in ("GRO", "officer")
        ]
        forms = [act(person.get(f"/cases/{case}"), text) for act, person, text in zip(acts, people, texts, strict=True)]
        answers = at_once(*(submission(person, made) for person, made in zip(people, forms, strict=True)))
        wrong += [f"round {number} {acts}: {fault}" for fault in faults_of(rig, case, acts, texts, answers)]
    rig.drain()
    ledger = check(rig)
    findings.add(31, f"two officers at once x {rounds}", ledger.figures, wrong=len(wrong))
    assert wrong == []
    assert ledger.faults == []
    assert broken_chains(rig) == []


def signed_in(rig: FaultRig, username: str) -> Browser:
    browser = Browser(rig.url, "en")
    page = browser.get("/login")
    page = browser.submit(page.form("username", "password").fill(username=username, password="demo"))
    assert page.status == 200 and page.path != "/login", page.text[:300]
    return browser


def submission(person: Browser, made: WebForm) -> Callable[[], Page]:
    return lambda: person.submit(made)


def faults_of(rig: FaultRig, case: str, acts: Iterable[Act], texts: list[str], answers: list[Page]) -> Iterable[str]:
    """What is not as it should be after one round."""
    statuses = sorted(answer.status for answer in answers)
    if statuses != [200, 409]:
        yield f"answered {statuses}"
        return
    [row] = rig.rows("SELECT version, history_length FROM cases WHERE tracking_number = %s", case)
    if (row["version"], row["history_length"]) != (2, 2):
        yield f"version {row['version']}, {row['history_length']} events"
    for act, text, answer in zip(acts, texts, answers, strict=True):
        if answer.status == 409 and act in (note, resolve) and text not in answer.html:
            yield "the slower officer's text is gone"
        if answer.status == 409 and "Somebody else was faster" not in answer.text:
            yield "the slower officer is not told why"
