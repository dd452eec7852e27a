"""Changing the deadline policies: a change is a new row from a coming day on, and what held before stays readable.

Cases already filed keep the row they were made by, and nothing that begins or ends in the past can be written: so "which
policy held on that day" has the same answer whenever it is asked.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from grm.deadlines import queries
from grm.deadlines.calendar import dhaka_date
from grm.deadlines.models import KINDS, Deadline, DeadlinePolicy
from grm.deadlines.policy import SPECIFICITY, Policy
from grm.deadlines.policy_csv import Fault, Known, Line, on_day, scope_of
from grm.kernel import audit
from grm.kernel.actor import Actor
from grm.kernel.chain import plain
from grm.kernel.errors import InvalidInput
from grm.offices import edition
from grm.offices.models import PRIORITIES
from grm.offices.queries import directory

STREAM = "policies"
TIERS = ("gro", "appeal", "cell")
CACHE_MARGIN = timedelta(minutes=1)
"""How long before its first midnight a policy must be known: other processes read it some seconds later."""

_WRITTEN = ("code", "kind", "limit", "unit", *SPECIFICITY, "source", "valid_from", "valid_to")


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


class BadPolicies(InvalidInput):
    """Policies that cannot be taken; `faults` lists every reason. Nothing has been written."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("bad-policies", count=len(self.faults))


@dataclass
class Adopted:
    """What an import changed: new rows, rows that now end (with their new end), rows corrected before they began."""

    added: list[Policy] = field(default_factory=list)
    ended: list[Policy] = field(default_factory=list)
    corrected: list[Policy] = field(default_factory=list)
    unchanged: int = 0

    @property
    def is_change(self) -> bool:
        """Whether anything was written."""
        return bool(self.added or self.ended or self.corrected)


def known(session: Session) -> Known:
    """What the lines of a file may refer to."""
    book = directory(session)
    return Known(
        kinds={*KINDS, *(policy.kind for policy in queries.policies(session))},
        offices={office.code: office.id for office in book.offices},
        programmes={programme.slug for programme in book.programmes},
        categories={category.slug for category in book.categories},
        priorities=PRIORITIES,
        tiers=TIERS,
    )


def adopt(session: Session, lines: Sequence[Line], actor: Actor, now: datetime, source: str) -> Adopted:
    """Put the policies of a file in force, each from its day on; the caller commits.

    The row that held before for the same cases ends where an open-ended new one begins; one with an end of its own only
    stands before it for that time. Repeating a file changes nothing. Raises `BadPolicies` with every fault.
    """
    session.execute(text("LOCK TABLE deadline_policy IN SHARE ROW EXCLUSIVE MODE"))
    before = {
        row.id: queries.policy_of(row)
        for row in session.scalars(select(DeadlinePolicy).execution_options(populate_existing=True))
    }
    has_cases = session.scalars(select(Deadline.id).limit(1)).first() is not None
    earliest = dhaka_date(now + CACHE_MARGIN) + timedelta(days=1) if has_cases else date.min
    draft = _Draft(before, earliest)
    faults = [fault for line in sorted(lines, key=lambda each: each.policy.valid_from) for fault in draft.take(line)]
    faults += draft.gaps(dhaka_date(now))
    if faults:
        raise BadPolicies(sorted(faults, key=lambda fault: fault.line))
    done = draft.done
    if done.is_change:
        _write(session, done)
        edition.bump(session)
        audit.record(
            session,
            STREAM,
            "policies-changed",
            actor,
            now,
            source=source,
            added=[_facts(policy) for policy in done.added],
            ended=[_facts(policy) for policy in done.ended],
            corrected=[_facts(policy) for policy in done.corrected],
        )
    return done


class _Draft:
    """The policies as they would be, built line by line."""

    def __init__(self, stored: Mapping[int, Policy], earliest: date) -> None:
        self._stored = dict(stored)
        self._now = dict(stored)
        self._earliest = earliest
        self._lines: dict[int, int] = {}

    def take(self, line: Line) -> Iterator[Fault]:
        """Add a line, or say why not."""
        new = line.policy
        namesake = next((each for each in self._now.values() if each.code == new.code), None)
        if namesake is not None and scope_of(namesake) != scope_of(new):
            shown = {"code": new.code}
            yield Fault(line.number, _("the code %(code)s is taken by a rule for other cases"), shown)
            return
        same_day = next((each for each in self._of(new) if each.valid_from == new.valid_from), None)
        faults = list(self._change(line, same_day) if same_day else self._add(line))
        if not faults:
            self._lines[new.id if same_day is None else same_day.id] = line.number
        yield from faults

    def gaps(self, today: date) -> Iterator[Fault]:
        """The kinds that would have no policy for everybody from some coming day on: nothing could be filed then."""
        for kind in sorted({policy.kind for policy in self._now.values()}):
            general = [p for p in self._now.values() if p.kind == kind and not any(scope_of(p)[1])]
            ends = {policy.valid_to for policy in general if policy.valid_to is not None and policy.valid_to > today}
            for end in sorted(ends):
                if not any(on_day(policy, end) for policy in general):
                    line = max((self._lines.get(policy.id, 0) for policy in general), default=0)
                    text = _("from %(day)s on there would be no %(kind)s limit for all cases; nothing could be filed")
                    yield Fault(line, text, {"day": end, "kind": kind})

    @property
    def done(self) -> Adopted:
        """What differs from what is stored."""
        done = Adopted(unchanged=len(self._lines))
        for policy in self._now.values():
            old = self._stored.get(policy.id)
            if old is None:
                done.added.append(policy)
            elif replace(policy, valid_to=old.valid_to) != old:
                done.corrected.append(policy)
            elif policy != old:
                done.ended.append(policy)
        changed = {policy.id for policy in (*done.added, *done.ended, *done.corrected)}
        done.unchanged = sum(policy_id not in changed for policy_id in self._lines)
        return done

    def _add(self, line: Line) -> Iterator[Fault]:
        new = line.policy
        if new.valid_from < self._earliest:
            yield self._too_early(line, "valid_from")
        for other in self._of(new):
            if other.valid_from < new.valid_from and new.valid_to is None and on_day(other, new.valid_from):
                self._now[other.id] = replace(other, valid_to=new.valid_from)
            later = other.valid_from > new.valid_from and other.valid_to is None
            if later and (new.valid_to is None or new.valid_to > other.valid_from):
                new = replace(new, valid_to=other.valid_from)
        self._now[new.id] = new

    def _change(self, line: Line, old: Policy) -> Iterator[Fault]:
        new = replace(line.policy, id=old.id)
        if new == old:
            return
        # What ended because a successor began is said by the successor's line, not by this one.
        if replace(new, valid_to=old.valid_to) == old and new.valid_to is None and self._has_successor(old):
            return
        if replace(new, valid_to=old.valid_to) != old and old.valid_from < self._earliest:
            text = _("%(code)s has held since %(day)s: a change must begin on a later day, from %(earliest)s on")
            yield Fault(line.number, text, {"code": old.code, "day": old.valid_from, "earliest": self._earliest})
        if new.valid_to != old.valid_to:
            if old.valid_to is not None and old.valid_to < self._earliest:
                text = _("%(code)s has ended on %(day)s already: what follows must begin anew, from %(earliest)s on")
                yield Fault(line.number, text, {"code": old.code, "day": old.valid_to, "earliest": self._earliest})
            elif new.valid_to is not None and new.valid_to < self._earliest:
                yield self._too_early(line, "valid_to")
        self._now[old.id] = new

    def _too_early(self, line: Line, column: str) -> Fault:
        text = _("%(column)s must be %(earliest)s or later: cases have been filed, and they keep their limits")
        return Fault(line.number, text, {"column": column, "earliest": self._earliest})

    def _of(self, policy: Policy) -> list[Policy]:
        return [each for each in self._now.values() if scope_of(each) == scope_of(policy)]

    def _has_successor(self, policy: Policy) -> bool:
        return any(each.valid_from == policy.valid_to for each in self._of(policy))


def _write(session: Session, done: Adopted) -> None:
    for policy in (*done.ended, *done.corrected):
        row = update(DeadlinePolicy).where(DeadlinePolicy.id == policy.id).values(_columns(policy))
        session.execute(row.execution_options(synchronize_session=False))
    if done.added:
        session.execute(insert(DeadlinePolicy), [_columns(policy) for policy in done.added])
    session.expire_all()


def _columns(policy: Policy) -> dict[str, Any]:
    return {name: getattr(policy, name) for name in _WRITTEN}


def _facts(policy: Policy) -> dict[str, Any]:
    return {name: plain(value) for name, value in _columns(policy).items() if value is not None}
