"""Looking after stored files: scanning those that wait, deleting what no row names, and finding what is gone or changed.

Rows of two tables name files: `attachment`, and `draft_file` for forms that are not filed yet; packages above add their own.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import structlog
from sqlalchemy import select, union_all, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from grm.cases import history
from grm.cases.attachment_models import Attachment, DraftFile
from grm.cases.attachments import store
from grm.cases.models import Case
from grm.files import scanner
from grm.files.store import Store, StoreAway
from grm.kernel import audit
from grm.kernel.actor import SYSTEM
from grm.kernel.context import settings
from grm.kernel.db import db
from grm.kernel.transaction import transaction

log = structlog.get_logger("grm.cases.attachments")
ORPHAN_SECONDS = 3600.0
"""A file without a row that is older belongs to an act that never came to its end."""
SCANS_AT_ONCE = 20
_ROWS_AT_ONCE = 500
_ELSEWHERE: list[InstrumentedAttribute[str]] = []


def also_named_in(column: InstrumentedAttribute[str]) -> None:
    """Say that a column of a table above this package names stored files as well, so that none of them is taken for an orphan."""
    if column not in _ELSEWHERE:
        _ELSEWHERE.append(column)


def sweep_orphans(age_seconds: float = ORPHAN_SECONDS) -> int:
    """Delete files that came longer ago and whose row was never committed; returns how many. Cost: what is unsettled."""
    place = store()
    names = place.unsettled(age_seconds)
    known = _known(db.session(), names)
    for name in names:
        if name in known:
            place.settle(name)  # killed between commit and settling, or before a row was deleted
        else:
            place.remove(name)
            log.warning("a stored file that belonged to nothing was deleted")
    return len(set(names) - known)


def _known(session: Session, names: list[str]) -> set[str]:
    """Which of the names a row has, apart from files that were found infected.

    One statement for all tables: a form that is filed meanwhile moves its files from one to the other.
    """
    if not names:
        return set()
    attached = select(Attachment.stored_name).where(Attachment.stored_name.in_(names), Attachment.state != "infected")
    others = [select(column).where(column.in_(names)) for column in (DraftFile.stored_name, *_ELSEWHERE)]
    found = set(session.scalars(union_all(attached, *others)))
    session.rollback()
    return found


# --- scanning later -------------------------------------------------------------------------------------------------


def scan_waiting(limit: int = SCANS_AT_ONCE) -> int:
    """Scan files that nobody has scanned yet, the oldest first; returns how many. Nothing where no scanner is configured, or
    as long as it does not answer."""
    url, session, done = settings().clamav_url, db.session(), 0
    if not url:
        return 0
    statement = select(Attachment.id, Attachment.stored_name).where(
        Attachment.scanned_at.is_(None), Attachment.state != "missing"
    )
    waiting = session.execute(statement.order_by(Attachment.id).limit(limit)).all()
    session.rollback()
    for attachment_id, name in waiting:
        try:
            finding = scanner.scan(url, store().read(name))
        except scanner.ScannerAway as error:
            log.warning("the virus scanner does not answer", error=str(error), waiting=len(waiting) - done)
            break
        except StoreAway:
            log.warning("the store of files does not answer", waiting=len(waiting) - done)
            break
        except OSError:
            log.error("a stored file is missing", attachment_id=attachment_id)
            _mark(attachment_id, "missing")
            continue
        if finding:
            _condemn(attachment_id, finding)
        else:
            _release(attachment_id)
        done += 1
    return done


def _release(attachment_id: int) -> None:
    with transaction() as act:
        values = {"state": "stored", "scanned_at": act.now}
        act.session.execute(
            update(Attachment).where(Attachment.id == attachment_id, Attachment.scanned_at.is_(None)).values(**values)
        )


def _mark(attachment_id: int, state: str) -> None:
    with transaction() as act:
        act.session.execute(update(Attachment).where(Attachment.id == attachment_id).values(state=state))


def _condemn(attachment_id: int, finding: str) -> None:
    """The file is deleted; its row, its hash and the fact stay."""
    with transaction() as act:
        session = act.session
        row = session.get_one(Attachment, attachment_id)
        case = session.scalars(
            select(Case)
            .where(Case.id == row.case_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        ).one()
        session.refresh(row)
        if row.state == "infected":
            return
        row.state, row.finding, row.scanned_at = "infected", finding, act.now
        data = {"sha256": row.sha256.hex(), "media_type": row.media_type}
        history.append(session, case, "attachment_infected", SYSTEM, act.now, data)
        about = {"tracking_number": case.tracking_number, "attachment_id": row.id}
        audit.record(session, "files", "infected-file-deleted", SYSTEM, act.now, **about)
        name = row.stored_name
    store().remove(name)
    log.warning("an infected file was deleted", finding=finding)


# --- reconciling ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Reconciled:
    """What a comparison of rows and files found. `faults`: (what, tracking number, attachment id)."""

    rows: int = 0
    orphans: int = 0
    restored: int = 0
    unknown: int = 0
    faults: list[tuple[str, str, int]] = field(default_factory=list)
    """Empty in place of the tracking number: a form that is not filed yet."""


def reconcile(say: Callable[[str], None] = lambda line: None, *, delete_unknown: bool = False) -> Reconciled:
    """Compare every row with its file by content, and delete files that an act left behind which never came to its end.

    Files that once had a row and have none now are only counted, unless `delete_unknown`: the database may be the wrong one.

    A file that is gone or differs is marked `missing` and no longer served; one that is back and right is served again. Of a
    form that is not filed yet such a file is only named. Reads every file: minutes for a large store. Memory does not grow with
    their number. Raises `StoreAway` where the store does not answer: nothing is marked then.
    """
    found, place, session, last = Reconciled(orphans=sweep_orphans()), store(), db.session(), 0
    while True:
        rows = session.execute(
            select(Attachment.id, Attachment.stored_name, Attachment.sha256, Attachment.state, Attachment.scanned_at)
            .add_columns(Case.tracking_number)
            .join(Case, Case.id == Attachment.case_id)
            .where(Attachment.id > last, Attachment.state != "infected")
            .order_by(Attachment.id)
            .limit(_ROWS_AT_ONCE)
        ).all()
        session.rollback()
        if not rows:
            break
        for row in rows:
            last, found.rows = row.id, found.rows + 1
            fault = _fault(place, row.stored_name, row.sha256)
            if fault:
                found.faults.append((fault, row.tracking_number, row.id))
                say(f"{fault.upper():8} {row.tracking_number} attachment {row.id}")
            if fault and row.state != "missing":
                _mark(row.id, "missing")
            elif not fault and row.state == "missing":
                is_waiting = row.scanned_at is None and bool(settings().clamav_url)
                _mark(row.id, "quarantined" if is_waiting else "stored")
                found.restored += 1
    _compare_drafted(found, place, session, say)
    for name in _unknown(place, session):
        if delete_unknown:
            place.remove(name)
            found.orphans += 1
        else:
            found.unknown += 1
    return found


def _compare_drafted(found: Reconciled, place: Store, session: Session, say: Callable[[str], None]) -> None:
    """The same for files of forms that are not filed yet: three days' worth of rows."""
    rows = session.execute(select(DraftFile.id, DraftFile.stored_name, DraftFile.sha256).order_by(DraftFile.id)).all()
    session.rollback()
    for row in rows:
        found.rows += 1
        fault = _fault(place, row.stored_name, row.sha256)
        if fault and _known(session, [row.stored_name]):  # else it was taken out, or its form was filed, meanwhile
            found.faults.append((fault, "", row.id))
            say(f"{fault.upper():8} file {row.id} of a form that is not filed")


def _fault(place: Store, name: str, sha256: bytes) -> str:
    try:
        return "" if hashlib.sha256(place.read(name)).digest() == sha256 else "changed"
    except StoreAway:
        raise
    except OSError:
        return "missing"


def _unknown(place: Store, session: Session) -> Iterator[str]:
    """Files in their places that no row names though one did: infected ones whose deletion was cut off, or files newer than
    the database, which was put back to an earlier day."""
    names = place.names()
    while batch := list(islice(names, _ROWS_AT_ONCE)):
        known = _known(session, batch)
        yield from (name for name in batch if name not in known and place.age_seconds(name) > ORPHAN_SECONDS)
