"""A register is handed in, looked through, and confirmed or thrown away. `batch_run` files its rows.

Nothing is filed before somebody has seen how the file is read. The rows lie in the database, sealed, from the moment the file
is taken in: there is no file that a row could lose, and the file itself is not kept.
"""

import hashlib
import hmac
from collections import Counter
from dataclasses import replace
from datetime import date, datetime
from itertools import chain, islice
from typing import Any

from sqlalchemy import bindparam, delete, func, select, text
from sqlalchemy.orm import Session

from grm.files import sheets
from grm.intake import batch_store as store
from grm.intake import choices
from grm.intake.batch_columns import guess
from grm.intake.batch_models import RegisterBatch, RegisterRow
from grm.intake.batch_names import Names
from grm.intake.batch_rows import Plan, Read, Reader
from grm.intake.batch_store import Checked, Facts, Finding, Unknown
from grm.intake.batch_table import Table, rows_of
from grm.intake.desk_roles import desk_seats
from grm.intake.service import submission_key
from grm.kernel import audit
from grm.kernel.actor import Actor
from grm.kernel.clock import dhaka_date
from grm.kernel.context import settings
from grm.kernel.db import db
from grm.kernel.errors import IllegalAction, InvalidInput, NotFound
from grm.kernel.text import clean_line
from grm.kernel.transaction import transaction
from grm.offices.queries import directory

STREAM = "registers"
MEGABYTES = 10
MOST_OPEN = 10
"""Registers of one officer that were handed in and neither confirmed nor thrown away."""
MOST_UNKNOWN = 40
MOST_FINDINGS = 40
FIRST_ROWS = 5

_KNOWN = text(
    """
    SELECT given.key FROM unnest(CAST(:keys AS bytea[])) AS given(key)
    WHERE EXISTS (SELECT FROM submission WHERE submission.key = given.key)
    """
).bindparams(bindparam("keys"))
_SAME_CELLS = text(
    """
    SELECT DISTINCT r.row_key FROM register_row AS r JOIN register_batch AS b ON b.id = r.batch_id
    WHERE r.row_key = ANY(CAST(:keys AS bytea[])) AND b.office_id = :office_id AND r.state IN ('filed', 'known')
    """
)


def take_in(actor: Actor, file_name: str, data: bytes, *, now: datetime | None = None) -> int:
    """Read a file, keep its rows, and check them by a first guess; returns the register's id.

    Raises `grm.files.sheets.Refused` for a file that cannot be taken, `InvalidInput` (`too-many-open`).
    """
    if not data:
        raise sheets.Refused("empty")
    if len(data) > MEGABYTES * 1024 * 1024:
        raise sheets.Refused("too-big")
    seat = next(iter(desk_seats(actor)), None)
    if seat is None or actor.officer_id is None:
        raise NotFound
    pieces = sheets.read(data)
    db.session().rollback()  # waiting for the reader's turn holds no snapshot and no lock
    beginning = list(islice(pieces, 1))
    with transaction(now) as act:
        waiting = select(func.count()).where(RegisterBatch.officer_id == actor.officer_id, RegisterBatch.state == "new")
        if act.session.execute(waiting).scalar_one() >= MOST_OPEN:
            raise InvalidInput("too-many-open", fields={"file": "too-many-open"})
        batch = RegisterBatch(
            officer_id=actor.officer_id,
            office_id=seat.office_id,
            state="new",
            file_mac=file_mac(data),
            row_count=1,
            uploaded_at=act.now,
        )
        act.session.add(batch)
        act.session.flush()
        table = Table()
        batch.row_count = store.add_rows(act.session, batch.id, rows_of(chain(beginning, pieces), table))
        store.seal_facts(
            batch, Facts(clean_name(file_name), tuple(table.sheets), tuple(table.hidden), tuple(table.others))
        )
        defaults = {"medium": "paper", **({"district": seat.district_code} if seat.district_code else {})}
        plan = Plan(table.headings, tuple(guess(table.headings)), defaults, starts_1904=table.starts_1904)
        store.seal_plan(batch, plan, check(act.session, batch, plan, act.now))
        data_of = {"id": batch.id, "rows": batch.row_count}
        audit.record(act.session, STREAM, "register-handed-in", actor, act.now, **data_of)
        return batch.id


def clean_name(typed: str) -> str:
    """What the officer calls the file, as it can be shown; it is never used as a path."""
    try:
        return clean_line(typed.replace("\\", "/").rpartition("/")[2])[:200]
    except InvalidInput:
        return ""


def file_mac(data: bytes) -> bytes:
    """What the same file has in common with itself: a keyed hash, which tells nobody what was in it."""
    return hmac.digest(settings().tracking_key, b"grm:register:file\0" + hashlib.sha256(data).digest(), "sha256")


def earlier(session: Session, batch: RegisterBatch) -> RegisterBatch | None:
    """The latest register of the same officer made from the very same file and not thrown away."""
    same = select(RegisterBatch).where(
        RegisterBatch.officer_id == batch.officer_id,
        RegisterBatch.file_mac == batch.file_mac,
        RegisterBatch.id < batch.id,
        RegisterBatch.state != "discarded",
    )
    return session.scalars(same.order_by(RegisterBatch.id.desc()).limit(1)).one_or_none()


def reader_for(session: Session, office_id: int, plan: Plan, today: date) -> Reader:
    """Reads rows by a plan, with the names in force on a Dhaka date."""
    book = directory(session)
    offer = choices.offer(session, today)
    return Reader(
        plan,
        Names(book, offer.choices),
        offer.choices,
        today,
        key=settings().tracking_key,
        office=book.office(office_id).code,
    )


def change_plan(actor: Actor, batch_id: int, plan: Plan, *, now: datetime | None = None) -> Checked:
    """Read the register by another plan and check all of it. Raises `NotFound`, `IllegalAction` (`register-begun`)."""
    with transaction(now) as act:
        batch = _new(act.session, actor, batch_id)
        checked = check(act.session, batch, plan, act.now)
        store.seal_plan(batch, plan, checked)
    return checked


def confirm(actor: Actor, batch_id: int, *, now: datetime | None = None) -> None:
    """Let the rows be filed, by the plan checked last. Raises `NotFound`, `IllegalAction`."""
    with transaction(now) as act:
        batch = _new(act.session, actor, batch_id)
        plan, checked = store.open_plan(batch)
        # The day of a row without one must not change where the filing goes on after midnight.
        given = plan.defaults.get("received_on") or dhaka_date(act.now).isoformat()
        store.seal_plan(batch, replace(plan, defaults={**plan.defaults, "received_on": given}), checked)
        batch.state, batch.confirmed_at = "running", act.now
        audit.record(act.session, STREAM, "register-confirmed", actor, act.now, id=batch.id, rows=batch.row_count)


def discard(actor: Actor, batch_id: int, *, now: datetime | None = None) -> None:
    """Throw a register away before anything of it is filed. Raises `NotFound`, `IllegalAction`."""
    with transaction(now) as act:
        batch = _new(act.session, actor, batch_id)
        empty(act.session, batch, act.now)
        audit.record(act.session, STREAM, "register-thrown-away", actor, act.now, id=batch.id)


def empty(session: Session, batch: RegisterBatch, now: datetime) -> None:
    """Delete the rows of a register that is not to be filed, and what the file was."""
    session.execute(delete(RegisterRow).where(RegisterRow.batch_id == batch.id))
    batch.state = "discarded"
    batch.finished_at = batch.secrets_forgotten_at = batch.forgotten_at = now
    batch.facts_sealed = batch.plan_sealed = None


def check(session: Session, batch: RegisterBatch, plan: Plan, now: datetime) -> Checked:
    """Read every row as it would be filed today, and say how many are good and what is wrong with the others."""
    reader = reader_for(session, batch.office_id, plan, dhaka_date(now))
    facts = store.open_facts(batch)
    tally = _Tally(facts)
    piece: list[tuple[Any, Read]] = []
    for row in store.rows(session, batch.id):
        content = store.open_cells(batch.id, row)
        piece.append((row, reader.read(content.cells, content.mark)))
        if len(piece) == store.PIECE:
            tally.add(session, batch.office_id, piece)
            piece = []
    tally.add(session, batch.office_id, piece)
    return tally.checked()


class _Tally:
    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._seen: set[bytes] = set()
        self._counts: Counter[str] = Counter()
        self._faults: Counter[tuple[str, str]] = Counter()
        self._first: dict[tuple[str, str], list[str]] = {}
        self._unknown: Counter[tuple[str, str]] = Counter()
        self._near: dict[tuple[str, str], tuple[str, ...]] = {}

    def add(self, session: Session, office_id: int, piece: list[tuple[Any, Read]]) -> None:
        keys = {id(read): submission_key(read.token) for _, read in piece if read.answers}
        filed = set(map(bytes, session.execute(_KNOWN, {"keys": list(keys.values())}).scalars())) if keys else set()
        given = {"keys": [read.row_key for _, read in piece], "office_id": office_id}
        same = set(map(bytes, session.execute(_SAME_CELLS, given).scalars())) if piece else set()
        for row, read in piece:
            self._note(row, read, read.row_key in same or keys.get(id(read)) in filed, keys.get(id(read)))

    def _note(self, row: Any, read: Read, is_known: bool, key: bytes | None) -> None:
        if is_known:
            self._counts["known"] += 1
        elif key is None:
            self._counts["bad"] += 1
            for problem in read.problems:
                fault = (problem.field, problem.code)
                self._faults[fault] += 1
                first = self._first.setdefault(fault, [])
                if len(first) < FIRST_ROWS:
                    first.append(store.label(self._facts, row.sheet, row.number))
        elif key in self._seen:
            self._counts["twice"] += 1
        else:
            self._seen.add(key)
            self._counts["good"] += 1
            self._counts["sensitive"] += bool(read.answers and read.answers.is_sensitive)
        for name, typed in read.unknown.items():
            if len(self._unknown) < 2000 or (name, typed) in self._unknown:
                self._unknown[name, typed] += 1
                near = next((tuple(each.params.get("near", ())) for each in read.problems if each.field == name), ())
                self._near[name, typed] = near

    def checked(self) -> Checked:
        findings = tuple(
            Finding(field, code, count, tuple(self._first[field, code]))
            for (field, code), count in self._faults.most_common(MOST_FINDINGS)
        )
        unknown = tuple(
            Unknown(field, typed[:120], count, self._near[field, typed])
            for (field, typed), count in self._unknown.most_common(MOST_UNKNOWN)
        )
        counts = {name: self._counts[name] for name in ("good", "bad", "twice", "known", "sensitive")}
        return Checked(**counts, findings=findings, unknown=unknown)


def _new(session: Session, actor: Actor, batch_id: int) -> RegisterBatch:
    batch = store.find(session, actor, batch_id, is_locked=True)
    if batch.state != "new":
        raise IllegalAction("register-begun")
    return batch
