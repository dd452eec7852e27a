"""Floods of acknowledgements: what one recipient, and numbers next to one another, are sent in a day.

Who files may name any number or address, so acknowledgements cost money and bother people at a stranger's will. Three measures,
taken when a message is claimed for the first time, never at the filing:

* One number or e-mail address gets so many acknowledgements a day (`ACKS_PER_RECIPIENT`). More wait for the next day, and end
  with their life: they tell nothing that the receipt has not told. One-time codes have limits of their own
  (`grm/cases/codes.py`) and are not kept waiting, or a stranger who names a number all day would lock its holder out.
* Late notices leave by themselves, to everybody that a complaint names as complaining along, fifty people or more: whoever names
  a stranger in a hundred complaints has a hundred sent months later. One recipient gets three times as many of them a day.
* Numbers in a row are what a program dials, not what people have. Beyond a few a day out of a thousand neighbours, or of a
  hundred thousand, messages lose their right to the reserved share of the budget and go last. Nobody is refused: with room in the
  day's budget they go the same day. What everybody else waits for is not touched.

Nothing in clear is kept: keys are keyed hashes that change with the day.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.kernel.clock import dhaka_date
from grm.notifications.catalogue import SENSITIVE_COMPLAINANT, TRACK_CODE, Channel
from grm.web import throttle
from grm.web.security import keyed_hash

log = structlog.get_logger("grm.notifications")

ACKNOWLEDGED = "case-filed-complainant"
LATE = "case-late-complainant"
COUNTED_AS = {ACKNOWLEDGED: "ack", SENSITIVE_COMPLAINANT: "ack", TRACK_CODE: "code", LATE: "late"}
"""What an outsider can cause. The bare notice is one: it may stand for an acknowledgement. The others are counted apart."""
TIMES = {"ack": 1, "late": 3}
"""How many times `ACKS_PER_RECIPIENT` one recipient gets a day. A centre that files for a village in its own name is told of
some ninety late complaints within the three days that such a notice lives; the page of each says it, too."""

NEIGHBOURHOODS: tuple[tuple[int, int], ...] = ((3, 5), (5, 50))
"""Digits cut off a number, and how many a day of the neighbours that share the rest go by the reserved share. Of a hundred
thousand complaints a day about seventeen name one of a hundred thousand neighbours: people's numbers lie anywhere."""

GOES_LAST = 6
"""The priority of what goes after everything else."""

_GO_LAST = text("UPDATE message SET priority = :priority WHERE id = ANY(CAST(:ids AS bigint[]))")
_told: set[date] = set()


@dataclass(frozen=True, slots=True)
class Fresh:
    """A message that is claimed for the first time, with the number or address it goes to."""

    id: int
    template: str
    address: str = field(repr=False)
    channel: Channel = "sms"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Ids of messages that wait for the next day, and of those that go last from now on."""

    waiting: frozenset[int] = frozenset()
    last: frozenset[int] = frozenset()


def judge(session: Session, fresh: Sequence[Fresh], per_recipient: int, at: datetime) -> Verdict:
    """Count what is claimed for the first time and say what is too much; the caller commits. Two statements, however many.

    `per_recipient` 0 lifts both measures.
    """
    counted = [each for each in fresh if each.template in COUNTED_AS]
    if not per_recipient or not counted:
        return Verdict()
    keys = {each.id: _keys(each, at) for each in counted}
    totals = throttle.count_many(session, Counter(key for each in keys.values() for key in each), at, timedelta(days=1))
    seen = totals - Counter(key for each in keys.values() for key in each)
    waiting, last = set(), set()
    for each in counted:
        own, *around = keys[each.id]
        seen.update(keys[each.id])
        times = TIMES.get(COUNTED_AS[each.template])
        if times and seen[own] > times * per_recipient:
            waiting.add(each.id)
        elif any(seen[key] > most for key, (_cut, most) in zip(around, NEIGHBOURHOODS, strict=False)):
            last.add(each.id)
    if last:
        session.execute(_GO_LAST, {"priority": GOES_LAST, "ids": sorted(last)})
    if (waiting or last) and dhaka_date(at) not in _told:
        _told.add(dhaka_date(at))
        log.error(
            "a flood of acknowledgements: many to one recipient or to neighbouring numbers",
            waiting=len(waiting),
            last=len(last),
        )
    return Verdict(frozenset(waiting), frozenset(last))


def _keys(each: Fresh, at: datetime) -> list[str]:
    """The recipient's own key, then one for each neighbourhood of a number."""
    purpose = f"{each.channel}-{COUNTED_AS[each.template]}:{dhaka_date(at)}"
    if each.channel == "email":
        return [keyed_hash(purpose, each.address.casefold())]
    return [keyed_hash(purpose, each.address), *(keyed_hash(purpose, each.address[:-cut]) for cut, _ in NEIGHBOURHOODS)]
