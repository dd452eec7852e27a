"""Loading a registry from a file, all of it or nothing; loading it again changes what it says anew and doubles nobody."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grm.kernel import audit
from grm.kernel.actor import SYSTEM, Actor
from grm.offices.queries import directory
from grm.registry import loaded
from grm.registry.csv_file import Entry, read_registry
from grm.registry.models import BeneficiaryRow

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Loaded:
    """What an import did: how many beneficiaries the file has, how many there are, and how many older ones were removed."""

    read: int
    removed: int
    there: int


def load(
    session: Session,
    now: datetime,
    lines: Iterable[str],
    as_of: date,
    *,
    replaces: bool = False,
    actor: Actor = SYSTEM,
) -> Loaded:
    """Take the beneficiaries of a file over, within the caller's transaction. Of a long file only the keys are held
    in memory, to find a beneficiary whose rows do not stand together.

    Whom the registry has already gets what the file says. `replaces`: who is not in the file is removed. Raises
    `csv_file.RegistryFaults`; the caller's transaction must then end without a commit.
    """
    book = directory(session)
    providers = [office.code for office in book.offices if office.kind == "provider"]

    def programme_of(text: str) -> str | None:
        hits = book.find_programmes(text)
        return hits[0].slug if len(hits) == 1 else None

    entries = read_registry(lines, as_of, programme_of, providers)
    read = 0
    for batch in _batches(entries):
        rows = [{**loaded.values_of(each.person, each.id_key, each.nid_key), "loaded_at": now} for each in batch]
        statement = insert(BeneficiaryRow)
        news = {name: statement.excluded[name] for name in ("nid_index", "sealed", "as_of", "loaded_at")}
        session.execute(statement.on_conflict_do_update(index_elements=["id_index"], set_=news), rows)
        read += len(rows)
    removed = 0
    if replaces:
        gone = session.execute(delete(BeneficiaryRow).where(BeneficiaryRow.loaded_at < now))
        removed = int(gone.rowcount)  # type: ignore[attr-defined]
    there = session.scalar(select(func.count()).select_from(BeneficiaryRow)) or 0
    audit.record(session, "registry", "loaded", actor, now, read=read, removed=removed, as_of=as_of.isoformat())
    return Loaded(read, removed, there)


def _batches(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    while batch := list(islice(entries, BATCH)):
        yield batch
