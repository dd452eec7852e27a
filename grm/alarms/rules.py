"""What is worth an alarm: pure rules over numbers, so that anybody can work out again why one was raised, and why not.

A *surge* is more cases alike (of one category) in seven days than the same place, or the same programme, ever explains by
itself. Its own thirteen weeks before are its measure: their median, and how far they usually lie from it. Numbers of
cases are compared by the square roots (Anscombe 1948), where chance is about as wide for three as for three hundred; so the same
rule serves a quiet upazila's district and Dhaka. Where chance alone would explain it once in a hundred thousand weeks, nothing is
said (`SURGE_SCORE`), nor about fewer than `SURGE_FEWEST` cases or less than twice the usual. What comes every year in the same
weeks, with the stipends of January or the floods of July, is usual in them: where last year is known, the greater of the two
explains, and only what goes beyond it is a surge.

A district is *silent* where its usual pace lets expect `SILENT_EXPECTED` cases or more since it was last heard: by chance that
happens once in a thousand times. It was *never heard* where the country's complaints, evenly shared, would let expect as many.

An office *falls behind* where, against its own six months before, clearly more of its answers are late, they take much longer, or
it answers clearly less of what comes in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from statistics import median

WEEK = 7
WINDOW_DAYS = 7
HISTORY_WEEKS = 13
LONGEST_SURGE_WEEKS = 8
"""After so many weeks what was a surge has become usual: its history moves on with it."""
SURGE_SCORE = 4.5
CALM_SCORE = 2.0
"""A surge that is known is over when it is no more than this above its usual: else it would come and go with every quiet day."""
SURGE_FEWEST = 8
SURGE_TIMES = 2.0

SILENT_EXPECTED = 7.0
SILENT_DAYS = 14
UNHEARD_DAYS = 90
"""How long the country must have been heard before a district that never was is a finding."""

BEHIND_MONTHS = 6
BEHIND_FEWEST = 20
BEHIND_SCORE = 3.0
BEHIND_LATE_POINTS = 10.0
BEHIND_SLOWER_TIMES = 1.5
BEHIND_SLOWER_DAYS = 7
BEHIND_ANSWERS_SHARE = 0.7


@dataclass(frozen=True, slots=True)
class Surge:
    """What raised a surge: `cases` received from `starts_on` through `until_on`, where `usual` come in as many days. `score` is
    how far the latest seven days lie above the usual, or above `last_year` where that is more."""

    starts_on: date
    until_on: date
    cases: int
    usual: float
    score: float
    last_year: int | None = None


def season(last_day: date) -> tuple[date, date]:
    """The first and the last day of three weeks of last year: those that end, by the day of the week, where this one does, a week
    earlier and a week later. The fullest of them is what last year explains; a season does not keep to a date."""
    same = last_day - timedelta(weeks=52)
    return same - timedelta(days=2 * WEEK - 1), same + timedelta(days=WEEK)


def surge(by_day: Mapping[date, int], last_day: date, last_year: int | None = None) -> Surge | None:
    """Whether the seven days up to `last_day` (the last whole day) are a surge; `by_day` are the cases received, by day, and
    `last_year` those of the fullest week of the same `season`, None where that is not known."""
    first = last_day - timedelta(days=WINDOW_DAYS - 1)
    cases, usual, score = _measured(by_day, first, last_day, first, last_year)
    if cases < SURGE_FEWEST or cases < SURGE_TIMES * max(usual, last_year or 0) or score < SURGE_SCORE:
        return None
    return Surge(first, last_day, cases, usual, score, last_year)


def lasting(by_day: Mapping[date, int], last_day: date, starts_on: date, last_year: int | None = None) -> Surge | None:
    """Whether a surge that began on `starts_on` goes on in the seven days up to `last_day`, against what was usual before it and
    what `last_year` explains."""
    first = last_day - timedelta(days=WINDOW_DAYS - 1)
    before = max(min(starts_on, first), first - timedelta(weeks=LONGEST_SURGE_WEEKS))
    cases, usual, score = _measured(by_day, first, last_day, before, last_year)
    if not cases or score < CALM_SCORE:
        return None
    in_all = sum(count for day, count in by_day.items() if starts_on <= day <= last_day)
    days = (last_day - starts_on).days + 1
    return Surge(starts_on, last_day, in_all, round(usual * days / WINDOW_DAYS, 1), score, last_year)


def _measured(
    by_day: Mapping[date, int], first: date, last_day: date, before: date, last_year: int | None
) -> tuple[int, float, float]:
    """The cases of some days, what is usual in a week of the thirteen before a day, and how far the former lie above that and
    above last year's."""
    cases = sum(by_day.get(first + timedelta(days=day), 0) for day in range((last_day - first).days + 1))
    weeks = [
        sum(by_day.get(before - timedelta(days=WEEK * week + day + 1), 0) for day in range(WEEK))
        for week in range(HISTORY_WEEKS)
    ]
    usual = float(median(weeks))
    roots = [_root(count) for count in weeks]
    middle = median(roots)
    # 1 is chance alone; a place whose weeks differ more than by chance must do more to be a surge.
    spread = max(1.0, 1.4826 * float(median(abs(root - middle) for root in roots)))
    return cases, usual, round((_root(cases) - _root(max(usual, last_year or 0))) / spread, 2)


def _root(count: float) -> float:
    return 2 * sqrt(count + 0.375)


@dataclass(frozen=True, slots=True)
class Silence:
    """What raised a silence: the last case came on `last_on`; since then `expected` would have come at the usual pace, which is
    `usual` cases a week."""

    last_on: date
    days: int
    expected: float
    usual: float


def silence(by_day: Mapping[date, int], last_day: date, counted_from: date) -> Silence | None:
    """Whether a district that was heard is silent up to `last_day`; days before `counted_from` are not known.

    The pace is that of the thirteen weeks before it fell silent, of which a tenth with the most cases is left out: one great
    surge must not make every quiet month after it a silence.
    """
    last_on = max((day for day, cases in by_day.items() if cases and day <= last_day), default=None)
    if last_on is None:
        return None
    days = (last_day - last_on).days
    known_weeks = min(HISTORY_WEEKS, ((last_on - counted_from).days + 1) // WEEK)
    if days < SILENT_DAYS or known_weeks < 4:
        return None
    weeks = sorted(
        sum(by_day.get(last_on - timedelta(days=WEEK * week + day), 0) for day in range(WEEK))
        for week in range(known_weeks)
    )
    kept = weeks[: len(weeks) - max(1, len(weeks) // 10)]
    usual = sum(kept) / len(kept)
    expected = usual * days / WEEK
    if expected < SILENT_EXPECTED:
        return None
    return Silence(last_on, days, round(expected, 1), round(usual, 1))


def unheard(total: int, districts: int, days: int) -> float | None:
    """How many cases a district that was never heard should have had, were the country's shared out evenly; None: too few, or too
    short a time, to wonder."""
    if not districts or days < UNHEARD_DAYS:
        return None
    share = total / districts
    return round(share, 1) if share >= SILENT_EXPECTED else None


@dataclass(frozen=True, slots=True)
class Pace:
    """What an office did in some months: what it received and ended, how many of its answers were late, and how long they took
    (whole days → how many)."""

    received: int = 0
    ended: int = 0
    resolved: int = 0
    late: int = 0
    median_days: float | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One way in which an office falls behind: `late`, `slower` or `fewer`, with the number now and before."""

    code: str
    now: float
    before: float


def behind(now: Pace, before: Pace) -> tuple[Reason, ...]:
    """In which ways an office falls behind its own past; none where there is too little to tell."""
    found = (_more_late(now, before), _slower(now, before), _fewer(now, before))
    return tuple(each for each in found if each is not None)


def _more_late(now: Pace, before: Pace) -> Reason | None:
    if min(now.resolved, before.resolved) < BEHIND_FEWEST:
        return None
    share, past = now.late / now.resolved, before.late / before.resolved
    pooled = (now.late + before.late) / (now.resolved + before.resolved)
    chance = sqrt(pooled * (1 - pooled) * (1 / now.resolved + 1 / before.resolved))
    is_clear = 100 * (share - past) >= BEHIND_LATE_POINTS and chance > 0 and (share - past) / chance >= BEHIND_SCORE
    return Reason("late", round(100 * share, 1), round(100 * past, 1)) if is_clear else None


def _slower(now: Pace, before: Pace) -> Reason | None:
    if min(now.resolved, before.resolved) < BEHIND_FEWEST or now.median_days is None or before.median_days is None:
        return None
    is_clear = (
        now.median_days >= BEHIND_SLOWER_TIMES * before.median_days
        and now.median_days - before.median_days >= BEHIND_SLOWER_DAYS
    )
    return Reason("slower", now.median_days, before.median_days) if is_clear else None


def _fewer(now: Pace, before: Pace) -> Reason | None:
    """It ends clearly less of what comes in than it used to: so it is found, too, that answers nothing at all any more."""
    if before.received < BEHIND_FEWEST or before.ended < BEHIND_FEWEST or not now.received:
        return None
    share = min(1.0, before.ended / before.received)
    expected = now.received * share
    is_clear = (
        expected >= BEHIND_FEWEST
        and now.ended <= BEHIND_ANSWERS_SHARE * expected
        and (expected - now.ended) / sqrt(expected) >= BEHIND_SCORE
    )
    return Reason("fewer", round(100 * now.ended / now.received, 1), round(100 * share, 1)) if is_clear else None


def missed_mornings(done: Sequence[date], today: date, most: int) -> tuple[date, ...]:
    """The mornings to look at now: today, and before it those since the last one that were missed (`most` at most), in order."""
    last = max((day for day in done if day < today), default=None)
    first = today if last is None else max(last + timedelta(days=1), today - timedelta(days=most - 1))
    if today in done:
        return ()
    return tuple(first + timedelta(days=day) for day in range((today - first).days + 1))
