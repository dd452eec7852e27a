"""Hearings: a day, an hour and a place are set, moved or called off, both sides are told, and what came of it is recorded.

Acts like those of `grm/cases/service.py`, by the same spine and with the same errors. Messages name day and hour and nothing
else; place and note are on the tracking page. The day before, a tick reminds both sides (`remind`), once.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Label, func, select
from sqlalchemy.orm import Session

from grm.cases import events, hearing_rows
from grm.cases.closing_models import Hearing
from grm.cases.content import Content
from grm.cases.models import Case
from grm.cases.spine import Step, acting, apply
from grm.cases.states import Action
from grm.kernel.actor import Actor
from grm.kernel.clock import DHAKA, dhaka_date
from grm.kernel.errors import IllegalAction
from grm.kernel.transaction import transaction

RESULTS = ("held", "complainant_missed", "office_missed", "cancelled")
"""What can have become of a hearing."""
LONGEST_AHEAD = timedelta(days=366)
BATCH = 200


def schedule_hearing(
    actor: Actor,
    tracking_number: str,
    version: int | None,
    *,
    on: date | None,
    hour: time | None,
    place: str,
    note: str = "",
    now: datetime | None = None,
) -> int:
    """Set a hearing on a day and hour (Dhaka) to come, or move the one that is planned; `note` tells what to bring.

    `IllegalAction` `record-hearing-first` where one has passed and nobody has said what came of it.
    """
    content = Content()
    where = content.text("place", place)
    bring = content.text("bring", note, is_required=False)
    with acting(actor, tracking_number, version, Action.SCHEDULE_HEARING, now) as step:
        at = datetime.combine(on, hour, DHAKA) if on is not None and hour is not None else None
        if on is None or (at is not None and not step.act.now < at <= step.act.now + LONGEST_AHEAD):
            content.faults["hearing_on"] = "day-to-come"
        if hour is None:
            content.faults["hour"] = "hour-not-read"
        content.check()
        assert at is not None
        hearing, was = _set(step, at, where, bring)
        moved = {"from_at": was} if was is not None else {}
        kind = "hearing_set" if was is None else "hearing_moved"
        apply(step, kind, {"hearing_at": at, **moved}, {"place": where, "bring": bring})
        step.act.record(
            events.HearingSet(
                **step.about(), hearing_id=hearing.id, at=at, is_moved=was is not None, **_whom_to_tell(step)
            )
        )
        return step.case.version


def record_hearing(
    actor: Actor, tracking_number: str, version: int | None, result: str, note: str = "", *, now: datetime | None = None
) -> int:
    """Say what became of the hearing: it was held (`note` says what was said), one side did not come, or it is called off
    (`note` says why). `IllegalAction` `hearing-to-come` for what can be said only afterwards."""
    content = Content()
    content.choice("result", result, RESULTS)
    minutes = content.text("minutes", note, is_required=result in ("held", "cancelled"))
    with acting(actor, tracking_number, version, Action.RECORD_HEARING, now) as step:
        content.check()
        hearing = hearing_rows.planned(step.session, step.case.id)
        if hearing is None:
            raise IllegalAction("no-hearing")
        if result != "cancelled" and hearing.at > step.act.now:
            raise IllegalAction("hearing-to-come")
        party = result.removesuffix("_missed") if result.endswith("_missed") else None
        state = "missed" if party else result
        hearing_rows.end(hearing, state, step.act.now, party)
        data = {"hearing_at": hearing.at, **({"missed_by": party} if party else {})}
        apply(step, f"hearing_{state}", data, {"minutes": minutes})
        if state == "cancelled":
            step.act.record(
                events.HearingCancelled(**step.about(), hearing_id=hearing.id, at=hearing.at, **_whom_to_tell(step))
            )
        return step.case.version


def _set(step: Step, at: datetime, place: str, note: str) -> tuple[Hearing, datetime | None]:
    """The row of the hearing, new or moved, and for when it had been set."""
    now, hearing = step.act.now, hearing_rows.planned(step.session, step.case.id)
    was = hearing.at if hearing is not None else None
    if hearing is None:
        assert step.actor.officer_id is not None
        hearing = Hearing(case_id=step.case.id, set_by_id=step.actor.officer_id, set_at=now, state="planned")
        step.session.add(hearing)
    else:
        hearing.times_moved += 1
    hearing.at, hearing.place, hearing.note = at, place, note
    hearing.remind_at = hearing_rows.remind_at(at, now)
    step.session.flush()
    return hearing, was


def _whom_to_tell(step: Step) -> dict[str, Any]:
    """Who has the case hears of it, unless he has just done it himself; where nobody has, it was who answers for the desk."""
    assignee_id = step.case.assignee_id
    return {"officer_id": assignee_id, "officer_is_told": assignee_id not in (None, step.actor.officer_id)}


# --- the day before -----------------------------------------------------------------------------------------------------


def remind(now: datetime | None = None) -> int:
    """Remind both sides of the hearings whose eve has come, and return of how many; again at the same instant it is none.

    Message and mark are written in one transaction. A hearing that has passed meanwhile is told of no more.
    """
    with transaction(now) as act:
        due = act.session.execute(
            select(Hearing, Case)
            .join(Case, Case.id == Hearing.case_id)
            .where(Hearing.remind_at <= act.now)
            .order_by(Hearing.remind_at, Hearing.id)
            .limit(BATCH)
            .with_for_update(of=Hearing, skip_locked=True)
        ).all()
        told = 0
        for hearing, case in due:
            hearing.remind_at = None
            if hearing.at > act.now:
                told += 1
                act.record(
                    events.HearingNear(
                        **events.about(case), hearing_id=hearing.id, at=hearing.at, officer_id=case.assignee_id
                    )
                )
        return told


# --- reading --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HearingLine:
    """A hearing as pages show it."""

    at: datetime
    place: str
    note: str
    state: str
    missed_by: str | None

    @property
    def on(self) -> date:
        """Its day in Dhaka."""
        return dhaka_date(self.at)


def hearings_column() -> Label[Any]:
    """The hearings of the case as a JSON column, so that its pages need no statement of their own for them."""
    return (
        select(
            func.jsonb_agg(
                func.jsonb_build_object(
                    "at", Hearing.at, "place", Hearing.place, "note", Hearing.note,
                    "state", Hearing.state, "missed_by", Hearing.missed_by,
                )
            )
        )
        .where(Hearing.case_id == Case.id)
        .scalar_subquery()
        .label("hearings")
    )  # fmt: skip


def hearings_of(rows: list[dict[str, Any]] | None) -> tuple[HearingLine, ...]:
    """The hearings out of `hearings_column`, the one planned first, then the latest."""
    lines = [HearingLine(**{**row, "at": datetime.fromisoformat(row["at"])}) for row in rows or ()]
    return tuple(sorted(lines, key=lambda line: (line.state == "planned", line.at), reverse=True))


def planned_of(session: Session, case_id: int) -> HearingLine | None:
    """The hearing that is planned, for the tracking page (one statement)."""
    row = session.scalars(select(Hearing).where(Hearing.case_id == case_id, Hearing.state == "planned")).one_or_none()
    return HearingLine(row.at, row.place, row.note, row.state, None) if row is not None else None
