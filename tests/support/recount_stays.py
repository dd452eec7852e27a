"""The stays of cases at offices, told from their histories a second time, in plain Python; and the lines of the monthly return
that they add up to. Nothing here is shared with `grm.tallies.stays` or `grm.returns`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy.orm import Session

from tests.support.recount import UPHELD, Event, Life, dhaka_day, happen, histories, lives

ENDS = {
    "resolved": "resolved",
    "complied": "resolved",
    "declined": "declined",
    "withdrawn": "withdrawn",
    "merged": "merged",
}
"""Events that end the work on a case, and how the stay has ended with it."""
MOVES = {"own_motion": "raised", "appealed": "raised"}
BEGINS = {"own_motion": "raised", "contested": "reopened", "sent_back": "reopened", "unmerged": "reopened"}
RENEWALS = {"appealed", "contested", "own_motion", "recommended", "sent_back"}
ONE_DAY = timedelta(days=1)


@dataclass
class Clock:
    """A main clock: until when, and since when it has stood for another that it took over from."""

    kind: str
    due_on: date
    is_extended: bool = False
    taken_over_on: date | None = None
    earlier: "Clock | None" = None
    """What it took over from; None where that stood still then, and made nothing overdue."""

    @property
    def overdue_on(self) -> date:
        """The first day on which a case under it is overdue."""
        if self.taken_over_on is None or self.due_on >= self.taken_over_on:
            return self.due_on + ONE_DAY
        if self.earlier is not None and self.earlier.due_on < self.taken_over_on:
            return self.earlier.due_on + ONE_DAY  # overdue before as well
        return self.taken_over_on


@dataclass
class Stay:
    """One time of a case at an office."""

    life: Life
    office_id: int
    side: str
    shade: int
    began_on: date
    began_how: str
    clock: Clock
    from_office_id: int | None = None
    against_office_id: int | None = None
    to_office_id: int | None = None
    ended_on: date | None = None
    ended_how: str | None = None
    begun_seq: int = 0
    ended_seq: int | None = None
    is_late: bool = False
    days: int | None = None
    is_upheld: bool | None = None
    extended_on: date | None = None
    rated_on: date | None = None
    stars: int | None = None


@dataclass
class Replay:
    """What is known of a case on the way through its history."""

    life: Life
    stays: list[Stay] = field(default_factory=list)
    clock: Clock | None = None
    is_working: bool = True
    is_appeal: bool = False
    appealed_on: date | None = None
    against_office_id: int | None = None
    extensions: list[tuple[int, str, date]] = field(default_factory=list)

    def go_through(self, events: Iterable[Event]) -> None:
        """Replay the whole history."""
        for event in events:
            office_id, clock, was_paused = self.life.office_id, self.clock, self.life.is_paused
            self._clock_before(event)
            happen(self.life, event)
            self._clock_after(event, was_paused)
            if event.kind == "filed":
                self._begin(event, self.life.received_on)
            else:
                self._turn(event, office_id, clock)
        for number, stay in enumerate(self.stays):
            self._extended(stay)
            following = self.stays[number + 1] if number + 1 < len(self.stays) else None
            self._rated(stay, following, events)

    # --- clocks -------------------------------------------------------------------------------------------------------

    def _clock_before(self, event: Event) -> None:
        if event.data.get("was_due_on"):
            assert self.clock is not None
            self.clock.due_on = date.fromisoformat(event.data["was_due_on"])
        if event.kind == "extension_approved":
            self.extensions.append((event.seq, event.data["deadline_kind"], dhaka_day(event.at)))

    def _clock_after(self, event: Event, was_paused: bool) -> None:
        life, data, old = self.life, event.data, self.clock
        day = dhaka_day(event.at)
        is_carried = event.kind in ("merged_in", "unmerged_from") and data.get("deadline_kind") == life.clock
        if event.kind == "filed" or (event.kind in RENEWALS and not data.get("with_lead")):
            self.clock = Clock(life.clock, life.due_on)
        elif is_carried and data.get("to_due_on"):
            self.clock = Clock(life.clock, life.due_on, data["extension_days"] > 0, day, None if was_paused else old)
        elif event.kind == "unmerged":
            assert old is not None
            self.clock = Clock(life.clock, life.due_on, old.is_extended, day, old)
        else:
            assert old is not None
            old.due_on = life.due_on
            if event.kind == "extension_approved" and data["deadline_kind"] == old.kind:
                old.is_extended = True

    # --- stays --------------------------------------------------------------------------------------------------------

    def _turn(self, event: Event, was_at: int, was_under: Clock | None) -> None:
        """A stay ends, another begins, or neither."""
        kind, life = event.kind, self.life
        if kind == "sent_back" and event.data.get("with_lead"):
            return
        was_appeal = self.is_appeal
        if kind in ("appealed", "own_motion", "recommended"):
            self.is_appeal = True
        if kind in ("appealed", "own_motion"):
            self.appealed_on = dhaka_day(event.at)
        if kind == "appealed":
            self.against_office_id = event.data["from_office_id"]
        if kind in ENDS:
            if self.is_working:
                assert was_under is not None
                self._end(event, ENDS[kind], was_under)
            self.is_working = False
        elif kind in RENEWALS or kind in ("referred", "returned", "unmerged"):
            is_new = not self.is_working or was_at != life.office_id or was_appeal != self.is_appeal
            same_side = self.is_working and was_appeal == self.is_appeal
            if self.is_working and is_new:
                assert was_under is not None
                self._end(event, MOVES.get(kind, kind), was_under)
                self.stays[-1].to_office_id = life.office_id if same_side else None
            if is_new:
                self._begin(event, dhaka_day(event.at), was_at if same_side else None)
            elif kind in RENEWALS:
                assert self.clock is not None
                self.stays[-1].clock = self.clock
            self.is_working = True
        if self.is_working:
            assert self.clock is not None
            self.stays[-1].clock = self.clock

    def _begin(self, event: Event, on: date, from_office_id: int | None = None) -> None:
        assert self.clock is not None
        life = self.life
        self.stays.append(
            Stay(
                life,
                life.office_id,
                "appeal" if self.is_appeal else "complaint",
                life.shade,
                on,
                BEGINS.get(event.kind, event.kind),
                self.clock,
                from_office_id,
                self.against_office_id if self.is_appeal else None,
                begun_seq=event.seq,
            )
        )

    def _end(self, event: Event, how: str, under: Clock) -> None:
        stay, day = self.stays[-1], dhaka_day(event.at)
        stay.ended_on, stay.ended_how, stay.ended_seq, stay.clock = day, how, event.seq, under
        if event.kind in ENDS:
            stay.is_late = day > under.due_on
        if event.kind in ("resolved", "complied"):
            begun = self.appealed_on if stay.side == "appeal" else self.life.received_on
            stay.days = (day - begun).days if begun is not None else None
        if stay.side == "appeal":
            if event.kind in ("resolved", "recommended"):
                stay.is_upheld = event.data["outcome"] in UPHELD
            elif event.kind in ("declined", "withdrawn"):
                stay.is_upheld = False

    def _extended(self, stay: Stay) -> None:
        if stay.clock.is_extended:
            granted = [
                day
                for seq, kind, day in self.extensions
                if kind == stay.clock.kind and (stay.ended_seq is None or seq < stay.ended_seq)
            ]
            stay.extended_on = max(granted, default=stay.clock.taken_over_on or stay.began_on)

    def _rated(self, stay: Stay, following: Stay | None, events: Iterable[Event]) -> None:
        if stay.ended_seq is None or stay.ended_how not in ("resolved", "declined", "merged"):
            return
        for event in events:
            if event.kind == "rated":
                of = event.data["decision_seq"]
                if stay.ended_seq <= of and (following is None or of < following.begun_seq):
                    stay.rated_on, stay.stars = dhaka_day(event.at), event.data["stars"]


def stays(session: Session) -> dict[int, list[Stay]]:
    """The stays of every case that is no part of another."""
    told = histories(session)
    found: dict[int, list[Stay]] = {}
    for life in lives(session, is_replayed=False):
        if not life.is_part:
            replay = Replay(life)
            replay.go_through(told[life.case_id])
            found[life.case_id] = replay.stays
    return found


def as_row(stay: Stay, number: int) -> Mapping[str, object]:
    """A stay in the columns in which the ledger keeps it."""
    life = stay.life
    return {
        "case_id": life.case_id,
        "no": number,
        "office_id": stay.office_id,
        "from_office_id": stay.from_office_id,
        "to_office_id": stay.to_office_id,
        "against_office_id": stay.against_office_id,
        "programme_id": life.programme_id,
        "district_id": life.district_id,
        "side": stay.side,
        "channel": life.channel,
        "shade": stay.shade,
        "began_on": stay.began_on,
        "began_how": stay.began_how,
        "ended_on": stay.ended_on,
        "ended_how": stay.ended_how,
        "due_on": stay.clock.due_on,
        "overdue_on": stay.clock.overdue_on,
        "extended_on": stay.extended_on,
        "rated_on": stay.rated_on,
        "stars": stay.stars,
        "days": stay.days,
        "is_paused": stay.ended_on is None and life.is_paused,
        "is_late": stay.is_late,
        "is_upheld": stay.is_upheld,
    }


# --- the monthly return -------------------------------------------------------------------------------------------------

FROM_OFFICES = {"referred", "returned", "raised", "recommended"}
DISPOSED = {"resolved", "declined", "withdrawn", "merged"}
Return = dict[tuple[str, str], list[Stay]]
"""Side and column → the stays behind the number."""


def monthly_return(
    found: Iterable[Stay], is_here: Callable[[int | None], bool], since: date, until: date, as_of: date, is_group: bool
) -> Return:
    """Every number of a return of some offices for a month: `is_group` where what goes between them is no coming and going."""
    lines: Return = {}

    def count(side: str, columns: Iterable[str], stay: Stay) -> None:
        for column in columns:
            lines.setdefault((side, column), []).append(stay)

    for stay in found:
        is_ended = stay.ended_on is not None and stay.ended_on < until
        if is_here(stay.office_id):
            if stay.began_on < until and (stay.ended_on is None or stay.ended_on >= since):
                came = _came(stay, since, is_group and is_here(stay.from_office_id))
                went = _went(stay, is_ended, as_of, is_group and is_here(stay.to_office_id))
                columns = [each for each in (came, went) if each]
                if came:
                    columns.append("total")
                    if came != "carried":
                        columns.append("received")
                if went == "disposed":
                    columns.append("late" if stay.is_late else "in_time")
                if went in ("pending", "overdue") and stay.extended_on is not None and stay.extended_on < until:
                    columns.append("extended")
                count(stay.side, columns, stay)
            if stay.rated_on is not None and since <= stay.rated_on < until:
                count(stay.side, ["rated", *(["satisfied"] if (stay.stars or 0) >= 4 else [])], stay)
        if stay.is_upheld is not None and stay.ended_on is not None and since <= stay.ended_on < until:
            columns = ["decided", *(["upheld"] if stay.is_upheld else [])]
            if is_here(stay.office_id):
                count("appeal", columns, stay)
            if is_here(stay.against_office_id):
                count("complaint", columns, stay)
    return lines


def _came(stay: Stay, since: date, is_inside: bool) -> str | None:
    if stay.began_on < since:
        return "carried"
    if is_inside:
        return None
    if stay.began_how in FROM_OFFICES:
        return "from_offices"
    return "reopened" if stay.began_how == "reopened" else stay.life.channel


def _went(stay: Stay, is_ended: bool, as_of: date, is_inside: bool) -> str | None:
    if is_ended:
        if stay.ended_how in DISPOSED:
            return "disposed"
        return None if is_inside else "sent"
    is_paused = stay.ended_on is None and stay.life.is_paused
    return "overdue" if not is_paused and stay.clock.overdue_on <= as_of else "pending"
