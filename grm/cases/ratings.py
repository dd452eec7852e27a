"""How good the complainant found an answer: 1 to 5 stars and a word if they like, for the complaint and for each appeal.

An answer is rated once and the rating changed as long as it can be objected to (`lifecycle.decide`). Each rating is an event
of the history, with the words as a text of it; the table `rating` has the last one of each answer, for counting. Only a post
records one: whatever follows links in mails and messages rates nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grm.cases import events, queries
from grm.cases.content import Content
from grm.cases.models import Case
from grm.cases.queries import EventLine
from grm.cases.spine import Step, acting, apply
from grm.cases.states import Action
from grm.cases.tracking_models import STAGES, Rating
from grm.deadlines.calendar import dhaka_midnight
from grm.kernel.actor import Actor
from grm.kernel.errors import IllegalAction

DECISIONS = ("resolved", "declined", "complied", "answered_together")
"""The events that are an answer to the complainant. What the cell recommends is rated when the ministry has done it."""
STARS = (1, 2, 3, 4, 5)
LONGEST_COMMENT = 1_000


@dataclass(frozen=True, slots=True)
class Rated:
    """A rating as pages show it: of which answer (its place in the history), when, and what was said."""

    stage: str
    decision_seq: int
    stars: int
    at: datetime
    comment: str


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """The ratings of one stage: how many of each number of stars, from 1 to 5."""

    stage: str
    counts: tuple[int, int, int, int, int]

    @property
    def count(self) -> int:
        """How many answers were rated."""
        return sum(self.counts)

    @property
    def mean(self) -> float | None:
        """The mean number of stars; None where nothing was rated."""
        return sum(stars * n for stars, n in zip(STARS, self.counts, strict=True)) / self.count if self.count else None

    @property
    def satisfied(self) -> int:
        """How many gave 4 or 5 stars."""
        return self.counts[3] + self.counts[4]


def rate_case(
    actor: Actor,
    tracking_number: str,
    stars: int | None,
    comment: str = "",
    *,
    version: int | None = None,
    now: datetime | None = None,
) -> int:
    """The complainant rates the last answer, or changes the rating; the same again changes nothing. Returns the version."""
    content = Content()
    text = content.text("comment", comment, is_required=False)
    if stars not in STARS:
        content.faults["stars"] = "choose-one"
    elif len(text) > LONGEST_COMMENT:
        content.faults["comment"] = "too-long"
    with acting(actor, tracking_number, version, Action.RATE, now) as step:
        content.check()
        lines = queries.events_of(step.session, step.case.id)
        decision = next((line for line in reversed(lines) if line.kind in DECISIONS), None)
        if decision is None:
            raise IllegalAction("not-answered")
        stage = stage_of(step.facts.tier)
        if (last := last_rating(lines)) is not None and (last.stars, last.comment) == (stars, text):
            return step.case.version
        assert stars is not None
        apply(step, "rated", {"stage": stage, "decision_seq": decision.seq, "stars": stars}, {"comment": text})
        _keep(step, stage, decision.seq, stars)
        step.act.record(events.CaseRated(**step.about(), stage=stage, stars=stars))
        return step.case.version


def stage_of(tier: str) -> str:
    """What an answer given on a tier is an answer to."""
    return "complaint" if tier == "gro" else "appeal"


def _keep(step: Step, stage: str, decision_seq: int, stars: int) -> None:
    values = {
        "case_id": step.case.id,
        "stage": stage,
        "decision_seq": decision_seq,
        "stars": stars,
        "rated_at": step.act.now,
        "office_id": step.case.office_id,
        "desk": step.case.desk,
    }
    statement = insert(Rating).values(values)
    changed = {"stars": stars, "rated_at": step.act.now}
    step.session.execute(statement.on_conflict_do_update(index_elements=["case_id", "decision_seq"], set_=changed))


# --- reading ------------------------------------------------------------------------------------------------------------


def ratings_of(lines: Sequence[EventLine]) -> tuple[Rated, ...]:
    """The ratings in a history, the last one of each answer, in the order of the answers."""
    found: dict[int, Rated] = {}
    for line in lines:
        if line.kind == "rated":
            seq = int(line.data["decision_seq"])
            comment = line.texts.get("comment") or ""
            found[seq] = Rated(line.data["stage"], seq, int(line.data["stars"]), line.at, comment)
    return tuple(found[seq] for seq in sorted(found))


def last_rating(lines: Sequence[EventLine]) -> Rated | None:
    """The rating of the last answer; None where it was not rated yet."""
    decisions = [line.seq for line in lines if line.kind in DECISIONS]
    rated = ratings_of(lines)
    return rated[-1] if decisions and rated and rated[-1].decision_seq == decisions[-1] else None


def satisfaction(
    session: Session, actor: Actor, since: date, until: date, where: ColumnElement[bool] | None = None
) -> dict[str, Satisfaction]:
    """The ratings given from one Dhaka date up to before another, by stage, of the cases that the actor may see and that
    satisfy `where` (a condition on `Case` or `Rating`). One statement; stages without a rating have zeros."""
    rows = session.execute(
        select(Rating.stage, Rating.stars, func.count())
        .join(Case, Case.id == Rating.case_id)
        .where(
            *(Rating.rated_at >= dhaka_midnight(since), Rating.rated_at < dhaka_midnight(until)),
            *(queries.visible_to(actor), where if where is not None else true()),
        )
        .group_by(Rating.stage, Rating.stars)
    )
    counts = {(stage, stars): count for stage, stars, count in rows}
    return {
        stage: Satisfaction(stage, tuple(counts.get((stage, stars), 0) for stars in STARS))  # type: ignore[arg-type]
        for stage in STAGES
    }
