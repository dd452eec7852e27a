"""Where a new grievance goes, and whom it must never reach: the rules' decision and the accused that follow from it."""

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.orm import Session

from grm.intake.screening import Answers
from grm.intake.statement import AccusedPost
from grm.kernel.errors import NotFound
from grm.offices.directory import Directory
from grm.routing.queries import facts_of, rule_book
from grm.routing.rules import Facts, decide

_ACCUSED_ROLE = {"gro": "gro", "appeal-officer": "appeal_officer"}


@dataclass(frozen=True, slots=True)
class Route:
    """The queue chosen, and who is kept out of it."""

    office_id: int
    desk: str
    rule_id: int
    about: str
    accused_office_ids: tuple[int, ...] = ()
    accused_posts: tuple[AccusedPost, ...] = ()


def choose(session: Session, book: Directory, answers: Answers, on: date) -> Route:
    """Choose exactly one queue by the rules in force on a Dhaka date; what no rule places goes to triage at the cell.

    Reads caches only. An office that a desk names as accused and that would get the case makes it a complaint against
    the ministry, which goes to the cell.
    """
    facts = facts_of(
        book,
        programme=answers.programme,
        category=answers.category,
        place=answers.upazila or answers.district,
        about=answers.about,
        filed_on=on,
    )
    decision = decide(rule_book(session), facts)
    named = book.office(answers.accused_office).id if answers.accused_office else None
    if named is not None and named == decision.office_id:
        facts = replace(facts, about="ministry")
        decision = decide(rule_book(session), facts)
    offices, posts = _accused(book, facts, answers)
    return Route(
        decision.office_id,
        decision.desk,
        decision.rule.id,
        facts.about,
        tuple(sorted({*offices, *([named] if named is not None else [])})),
        posts,
    )


def _accused(book: Directory, facts: Facts, answers: Answers) -> tuple[list[int], tuple[AccusedPost, ...]]:
    """The offices and posts accused. Without a programme nobody can tell which ministry is meant: triage will."""
    if facts.about == "field-office" and facts.district:
        try:
            return [book.district_office(facts.district).id], ()
        except NotFound:
            return [], ()
    if facts.about in ("none", "field-office") or answers.programme is None:
        return [], ()
    office = book.office_of(book.programme(answers.programme).ministry_id)
    if facts.about == "ministry":
        return [office.id], ()
    return [], (AccusedPost(office.id, _ACCUSED_ROLE[facts.about]),)
