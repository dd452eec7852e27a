"""What is asked about a closed case, which answers are findings, and who may ask. Pure.

The questions are the commonest faults of closures that audits elsewhere found: the complainant was never spoken to, a reply that
is blank or about something else, passed on and closed, and no look at the place where one was needed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

ANSWERS: Mapping[str, tuple[str, ...]] = {
    "contacted": ("yes", "no", "unclear"),
    "to_the_point": ("yes", "no"),
    "passed_on": ("yes", "no"),
    "evidence": ("yes", "no", "not_needed"),
    "reopen": ("yes", "no"),
}
"""The questions and their answers. `reopen`: would an appeal likely succeed, so that it should be opened again?"""
FAULTY: Mapping[str, str] = {
    "contacted": "no",
    "to_the_point": "no",
    "passed_on": "yes",
    "evidence": "no",
    "reopen": "yes",
}
"""The answer to each question that is a finding."""
FAULTS = tuple(FAULTY)
LONGEST_REMARK = 2_000


@dataclass(frozen=True, slots=True)
class Written:
    """A filled form: an answer to each question, and a remark in words."""

    contacted: str = ""
    to_the_point: str = ""
    passed_on: str = ""
    evidence: str = ""
    reopen: str = ""
    remark: str = ""

    @property
    def faults(self) -> tuple[str, ...]:
        """The questions whose answer is a finding; none: the closure is sound."""
        return tuple(question for question, answer in FAULTY.items() if getattr(self, question) == answer)


def what_is_wrong(written: Written, needs_evidence: bool) -> dict[str, str]:
    """The faults of a filled form by field: each question needs an answer that it has, a finding needs words, and evidence that a
    matter needs cannot be called needless."""
    wrong = {question: "choose-one" for question, known in ANSWERS.items() if getattr(written, question) not in known}
    if needs_evidence and written.evidence == "not_needed":
        wrong["evidence"] = "evidence-is-needed"
    if len(written.remark) > LONGEST_REMARK:
        wrong["remark"] = "too-long"
    elif not wrong and written.faults and len(written.remark.strip()) < 10:
        wrong["remark"] = "say-what-was-found"
    return wrong


@dataclass(frozen=True, slots=True)
class Closure:
    """What decides who may review a closed case: the office that closed it, and who decided it, ever; of what the cell itself has
    closed, who had any hand in it."""

    office_id: int
    decider_ids: Collection[int]
    is_of_cell: bool = False
    is_sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Reviewer:
    """An officer of the cell, or the coordinator of a cluster, with all the offices where he sits today."""

    officer_id: int
    office_ids: Collection[int]
    is_of_cell: bool = True


def why_not(reviewer: Reviewer, closure: Closure) -> str:
    """Why an officer may not review a closure: a code, or empty if he may.

    Coordinators review what the cell has closed, and nothing else. That a case accuses somebody is no reason here: he cannot even
    see it.
    """
    if closure.is_of_cell:
        return "own-hand" if reviewer.officer_id in closure.decider_ids else ""
    if not reviewer.is_of_cell:
        return "not-your-part"
    if closure.office_id in reviewer.office_ids:
        return "own-office"
    return "own-decision" if reviewer.officer_id in closure.decider_ids else ""


def assign(
    closures: Mapping[int, Closure],
    reviewers: Collection[Reviewer],
    hidden: Collection[tuple[int, int]],
    held: Mapping[int, int],
) -> dict[int, int]:
    """Give each closure (by any key) to the reviewer who has the fewest and may review it: key → officer.

    `hidden` are the pairs (key, officer) of whom a case must not be seen by; `held` is how many each officer has already.
    What the cell has closed goes to somebody outside it first, and to a colleague who had no hand in it where nobody is; what is
    sensitive among it the other way round, for the cell may read it anyway. Closures that nobody may review are left out.
    """
    load = {each.officer_id: held.get(each.officer_id, 0) for each in reviewers}
    given: dict[int, int] = {}
    for key in sorted(closures):
        closure = closures[key]
        fitting = [
            (each.is_of_cell != closure.is_sensitive, load[each.officer_id], each.officer_id)
            for each in reviewers
            if not why_not(each, closure) and (key, each.officer_id) not in hidden
        ]
        if fitting:
            given[key] = min(fitting)[-1]
            load[given[key]] += 1
    return given
