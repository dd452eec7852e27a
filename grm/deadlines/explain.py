"""Why this date: every day of a stored deadline, counted, skipped or paused, with reason and source.

The explanation is reckoned anew from what the deadline was made of (its start, its policy, its pauses and its version of
the calendar) and compared with the stored date. Where the two differ it says so: somebody has edited a date.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from grm.deadlines import queries
from grm.deadlines.calendar import DHAKA
from grm.deadlines.models import CalendarEdition, Deadline
from grm.deadlines.policy import Policy
from grm.deadlines.reckoning import DayLine, Pause, reckon
from grm.kernel.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Explanation:
    """A deadline with its working shown. `due_on` and `due_at` are the stored ones; `lines` lead to `reckoned_due_on`."""

    deadline_id: int
    kind: str
    epoch: int
    state: str
    started_at: datetime
    begun_at: datetime
    """Since when there is this clock: later than `started_at` where it has taken over the start of an earlier one."""
    start_on: date
    due_on: date
    due_at: datetime
    reckoned_due_on: date
    reckoned_due_at: datetime
    needed: int
    extension_days: int
    lines: tuple[DayLine, ...]
    policy: Policy
    pauses: tuple[Pause, ...]
    calendar_version: int
    calendar_source: str
    covered_until: date
    is_provisional: bool

    @property
    def is_consistent(self) -> bool:
        """Whether the sum of the days is the stored date."""
        return (
            (self.reckoned_due_on, self.reckoned_due_at) == (self.due_on, self.due_at)
            and self.counted == self.needed
            and self.is_provisional == (self.due_on > self.covered_until)
        )

    @property
    def counted(self) -> int:
        """How many days were counted: the policy's limit and what was granted on top, if all is well."""
        return self._how_many("counted")

    @property
    def weekends(self) -> int:
        """How many days were skipped as weekly days off."""
        return self._how_many("skipped-weekend")

    @property
    def holidays(self) -> int:
        """How many days were skipped as announced holidays."""
        return self._how_many("skipped-holiday")

    @property
    def paused_days(self) -> int:
        """How many days were not counted because the clock stood still."""
        return self._how_many("paused")

    @property
    def holiday_names(self) -> tuple[DayLine, ...]:
        """The holidays that were skipped, each once: the first day of those with one name."""
        found: dict[str, DayLine] = {}
        for line in self.lines:
            if line.verdict == "skipped-holiday":
                found.setdefault(line.name_en, line)
        return tuple(found.values())

    @property
    def weekdays_off(self) -> tuple[int, ...]:
        """The weekdays (Monday is 0) that were skipped as weekly days off."""
        return tuple(sorted({line.on.weekday() for line in self.lines if line.verdict == "skipped-weekend"}))

    @property
    def paused_since(self) -> datetime | None:
        """Since when the clock has stood still; the date moves when it goes on. None while it runs."""
        return next((pause.from_at for pause in self.pauses if pause.until_at is None), None)

    @property
    def has_estimates(self) -> bool:
        """Whether a holiday on the way is only estimated, because the moon decides."""
        return any(line.is_estimated for line in self.lines)

    def _how_many(self, verdict: str) -> int:
        return sum(line.verdict == verdict for line in self.lines)


def explain(session: Session, deadline: Deadline) -> Explanation:
    """Reckon a stored deadline anew and show every day of it. Raises `Misconfigured` where its calendar or policy is gone.

    A pause that still stands is left out: the stored date is the one before it.
    """
    return _explain(session, deadline, queries.pauses_of(session, [deadline.id]).get(deadline.id, ()))


def _explain(session: Session, deadline: Deadline, pauses: tuple[Pause, ...]) -> Explanation:
    edition = session.get(CalendarEdition, deadline.calendar_version)
    policy = queries.policy_by_id(session, deadline.policy_id)
    if edition is None or policy is None:
        raise Misconfigured("deadline-without-sources", deadline_id=deadline.id)
    ended = [pause for pause in pauses if pause.until_at is not None]
    calendar = queries.calendar_at(session, edition.id)
    extension = deadline.extension_days
    result = reckon(deadline.started_at, policy.limit, policy.unit, ended, calendar, extension_days=extension)
    return Explanation(
        deadline_id=deadline.id,
        kind=deadline.kind,
        epoch=deadline.epoch,
        state=deadline.state,
        started_at=deadline.started_at,
        begun_at=deadline.begun_at or deadline.started_at,
        start_on=result.start_on,
        due_on=deadline.due_on,
        due_at=deadline.due_at,
        reckoned_due_on=result.due_on,
        reckoned_due_at=result.due_at,
        needed=result.needed,
        extension_days=extension,
        lines=result.days,
        policy=policy,
        pauses=pauses,
        calendar_version=edition.id,
        calendar_source=edition.source,
        covered_until=edition.covered_until,
        is_provisional=deadline.is_provisional,
    )


def explain_case(session: Session, case_id: int) -> list[Explanation]:
    """The explanations of all clocks of a case, the acknowledging one first: two statements, and one for each calendar."""
    deadlines = queries.deadlines_of(session, case_id)
    pauses = queries.pauses_of(session, [deadline.id for deadline in deadlines])
    return [_explain(session, deadline, pauses.get(deadline.id, ())) for deadline in deadlines]


_WORDS = {
    "start": "start, not counted",
    "counted": "counted",
    "skipped-weekend": "skipped: weekly day off",
    "skipped-holiday": "skipped: holiday",
    "paused": "skipped: the clock stood still",
}


def as_text(explanation: Explanation) -> str:
    """The explanation for a terminal, in English: a heading, a line a day, the sum."""
    policy = explanation.policy
    unit = policy.unit.replace("_", " ")
    extended = f" + {explanation.extension_days} granted on top" if explanation.extension_days else ""
    lines = [
        f"{explanation.kind} (epoch {explanation.epoch}, {explanation.state}): due on {explanation.due_on}"
        f"{', provisional' if explanation.is_provisional else ''}",
        f"  policy    {policy.code}: {policy.limit} {unit}{extended} ({policy.source})",
        f"  calendar  version {explanation.calendar_version}, announced until {explanation.covered_until}"
        f" ({explanation.calendar_source})",
        f"  started   {explanation.started_at.astimezone(DHAKA):%Y-%m-%d %H:%M} Dhaka time",
    ]
    if explanation.begun_at > explanation.started_at:
        since = f"{explanation.begun_at.astimezone(DHAKA):%Y-%m-%d %H:%M}"
        lines.append(f"  taken     over on {since} from an earlier clock, with its start and its pauses")
    lines += [_line_as_text(line) for line in explanation.lines]
    lines.append(
        f"  sum       {explanation.counted} counted, {explanation.weekends} weekly days off, "
        f"{explanation.holidays} holidays, {explanation.paused_days} paused = {explanation.reckoned_due_on}"
    )
    if explanation.paused_since is not None:
        since = f"{explanation.paused_since.astimezone(DHAKA):%Y-%m-%d %H:%M}"
        lines.append(f"  paused    since {since}: the date moves when the clock goes on")
    if explanation.is_consistent:
        lines.append("  The sum is the stored date.")
    else:
        lines.append(
            f"  !!! THE SUM IS NOT THE STORED DATE: reckoned {explanation.reckoned_due_on}"
            f" ({explanation.counted} of {explanation.needed} days), stored {explanation.due_on}"
            f" (late from {explanation.due_at.astimezone(DHAKA):%Y-%m-%d %H:%M} Dhaka time)"
        )
    return "\n".join(lines)


def _line_as_text(line: DayLine) -> str:
    number = "" if line.number is None else str(line.number)
    reason = [_WORDS[line.verdict]]
    if line.verdict == "paused":
        reason.append(line.source)
    elif line.name_en:
        reason += [f"{line.name_en}{' (estimated)' if line.is_estimated else ''}", line.source]
    return f"  {line.on} {line.on:%a} {number:>3}  {'; '.join(part for part in reason if part)}"
