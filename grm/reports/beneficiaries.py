"""People served by the programmes: importing the numbers, and asking for those that a figure is measured against.

A person served by two programmes counts in both: these are places in programmes, as the ministries count them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from grm.kernel import audit
from grm.kernel.actor import Actor
from grm.offices import edition
from grm.offices.edition import per_edition
from grm.reports.beneficiary_csv import Line
from grm.reports.models import BeneficiaryCount

STREAM = "beneficiaries"


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of one fiscal year: (programme, district or None for the whole country) → people."""

    fiscal_year: str
    people: Mapping[tuple[int, int | None], int]

    def of(self, programme_ids: Collection[int] | None, district_ids: Collection[int] | None) -> int | None:
        """Return the people served by some programmes (None: all) in some districts (None: the country); None: nobody knows.

        For the country the country's own number goes before the sum of its districts, which may not all be loaded.
        """
        found: dict[int, int] = {}
        countries: dict[int, int] = {}
        for (programme_id, district_id), people in self.people.items():
            if programme_ids is not None and programme_id not in programme_ids:
                continue
            if district_id is None:
                countries[programme_id] = people
            elif district_ids is None or district_id in district_ids:
                found[programme_id] = found.get(programme_id, 0) + people
        if district_ids is None:
            found |= countries
        return sum(found.values()) if found else None


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import changed."""

    added: int
    changed: int
    unchanged: int


@per_edition
def loaded(session: Session) -> tuple[Numbers, ...]:
    """Return all numbers, the latest fiscal year first; read once per process and edition."""
    columns = (BeneficiaryCount.programme_id, BeneficiaryCount.district_id, BeneficiaryCount.people)
    years: dict[str, dict[tuple[int, int | None], int]] = {}
    for year, programme_id, district_id, people in session.execute(select(BeneficiaryCount.fiscal_year, *columns)):
        years.setdefault(year, {})[programme_id, district_id] = people
    return tuple(Numbers(year, years[year]) for year in sorted(years, reverse=True))


def numbers_for(session: Session, fiscal_year: str) -> Numbers | None:
    """Return the numbers that a fiscal year is measured against: its own, else the last before it, else the first after."""
    known = loaded(session)
    return next((each for each in known if each.fiscal_year <= fiscal_year), known[-1] if known else None)


def adopt(session: Session, lines: Sequence[Line], actor: Actor, now: datetime, source: str) -> Imported:
    """Write the numbers of a file; the caller commits. Repeating a file changes nothing, and other numbers stay."""
    session.execute(text("LOCK TABLE beneficiary_count IN SHARE ROW EXCLUSIVE MODE"))
    columns = (BeneficiaryCount.programme_id, BeneficiaryCount.district_id, BeneficiaryCount.fiscal_year)
    there = {
        (programme_id, district_id, year): (key, people, words)
        for programme_id, district_id, year, key, people, words in session.execute(
            select(*columns, BeneficiaryCount.id, BeneficiaryCount.people, BeneficiaryCount.source)
        )
    }
    new = [line for line in lines if line.key not in there]
    other = [line for line in lines if line.key in there and there[line.key][1:] != (line.people, line.source)]
    if new:
        session.execute(
            insert(BeneficiaryCount),
            [
                {
                    "programme_id": line.programme_id,
                    "district_id": line.district_id,
                    "fiscal_year": line.fiscal_year,
                    "people": line.people,
                    "source": line.source,
                    "imported_at": now,
                }
                for line in new
            ],
        )
    if other:
        session.execute(
            update(BeneficiaryCount),
            [
                {"id": there[line.key][0], "people": line.people, "source": line.source, "imported_at": now}
                for line in other
            ],
        )
    if new or other:
        edition.bump(session)
        audit.record(session, STREAM, "numbers-imported", actor, now, source=source, added=len(new), changed=len(other))
    return Imported(len(new), len(other), len(lines) - len(new) - len(other))
