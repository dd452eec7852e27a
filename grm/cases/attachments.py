"""Files of a case: taken in, stored, and attached in one act (`attachment_serving.py` hands them out again).

`receive` checks, cleans, scans and stores what was handed in, before any transaction: a slow file holds no lock. The act that
follows writes the rows with `add_rows`; then `settle` says that they are committed. Whoever gives up calls `discard`; a
process that is killed in between leaves a file without a row, which `grm/cases/attachment_care.py` finds and deletes. The
tracking page (`track_files.py`) and the forms that are not filed yet (`grm/intake/draft_files.py`) use the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from grm.cases import lifecycle, queries
from grm.cases.attachment_models import Attachment
from grm.cases.attachment_names import clean_name
from grm.cases.content import Content
from grm.cases.models import Case
from grm.cases.spine import Step, acting, apply
from grm.cases.states import Action
from grm.files import scanner
from grm.files.cleaning import Clean, clean
from grm.files.kinds import Refused
from grm.files.store import Store, StoreFull, new_name
from grm.files.stores import open_store
from grm.kernel import audit, clock
from grm.kernel.actor import Actor
from grm.kernel.context import keyring, settings
from grm.kernel.db import db
from grm.kernel.errors import IllegalAction, InvalidInput, NotFound, Unavailable
from grm.kernel.transaction import transaction

log = structlog.get_logger("grm.cases.attachments")
MEGABYTE = 1024 * 1024
AT_ONCE = 10
"""Files in one post."""


@dataclass(frozen=True, slots=True, repr=False)
class Upload:
    """A file as it was handed in. `name` is what the sender calls it: shown, never trusted."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Kept:
    """A file in the store, for which the caller now writes the row. `is_scanned`: found clean; None: nobody scans here."""

    name: str
    stored_name: str
    file: Clean
    is_scanned: bool | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that was not taken: what the sender calls it, and a code (`grm/cases/attachment_wording.py`)."""

    name: str
    code: str


@dataclass(slots=True)
class Received:
    """What became of the files of one post."""

    kept: list[Kept] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


class FilesRefused(InvalidInput):
    """Some files were not taken; the others, if there are any, are attached. `version` is the case's after that."""

    def __init__(self, refused: Sequence[Refusal], attached: int, version: int | None) -> None:
        super().__init__(fields={"files": refused[0].code})
        self.refused = tuple(refused)
        self.attached = attached
        self.version = version


def store() -> Store:
    """The store of the running application."""
    return open_store(settings())


# --- taking in ------------------------------------------------------------------------------------------------------


def receive(uploads: Sequence[Upload]) -> Received:
    """Check, clean, scan and store files, each for itself: one that is refused does not hold up the others.

    Raises `Unavailable` naming the file where it cannot be stored; nothing is left behind then.
    """
    received, place = Received(), store()
    for number, upload in enumerate(uploads):
        try:
            if number >= AT_ONCE:
                raise Refused("too-many-at-once")
            if len(upload.data) > settings().attachment_megabytes * MEGABYTE:
                raise Refused("too-big")
            file = clean(upload.data)
            kept = Kept(upload.name, new_name(), file, _is_scanned(file.data))
            if any(each.file.sha256 == file.sha256 for each in received.kept):
                raise Refused("duplicate")
            place.put(kept.stored_name, file.data)
            received.kept.append(kept)
        except Refused as refused:
            received.refused.append(Refusal(upload.name, refused.code))
        except (StoreFull, OSError) as error:
            discard(received.kept)
            log.error("a file cannot be stored", error=type(error).__name__)
            code = "attachments-full" if isinstance(error, StoreFull) else "attachments-away"
            raise Unavailable(code, file_name=upload.name) from error
    return received


def _is_scanned(data: bytes) -> bool | None:
    url = settings().clamav_url
    if not url:
        return None
    try:
        finding = scanner.scan(url, data)
    except scanner.ScannerAway as error:
        log.warning("the virus scanner does not answer; the file waits", error=str(error))
        return False
    if finding:
        log.warning("an infected file was refused", finding=finding)
        raise Refused("infected")
    return True


def discard(kept: Sequence[Kept]) -> None:
    """Delete files for which no row will be written; what cannot be deleted, the sweep finds."""
    _try(store().remove, kept)


def settle(kept: Sequence[Kept]) -> None:
    """The rows of these files are committed; where the store cannot be told, the sweep tells it."""
    _try(store().settle, kept)


def _try(do: Callable[[str], None], kept: Sequence[Kept]) -> None:
    """What follows an act, done or given up, changes nothing about its answer."""
    for each in kept:
        try:
            do(each.stored_name)
        except OSError as error:
            log.warning("the store of files does not answer; the sweep goes on", error=type(error).__name__)
            return


def add_rows(
    session: Session,
    case: Case,
    seq: int,
    kept: Sequence[Kept],
    *,
    now: datetime,
    officer_id: int | None,
    is_for_complainant: bool,
) -> None:
    """Write the rows of stored files that the event `seq` of a case attaches, in the caller's transaction."""
    session.flush()  # the rows point to the event
    for each in kept:
        name = "" if case.is_anonymous else clean_name(each.name, each.file.kind)
        session.add(
            Attachment(
                case_id=case.id,
                seq=seq,
                stored_name=each.stored_name,
                name_sealed=keyring().seal(name, name_context(each.stored_name)) if name else None,
                media_type=each.file.kind.media_type,
                size=len(each.file.data),
                sha256=each.file.sha256,
                state="quarantined" if each.is_scanned is False else "stored",
                is_for_complainant=is_for_complainant,
                taken_out=list(each.file.taken_out),
                attached_at=now,
                officer_id=officer_id,
                scanned_at=now if each.is_scanned else None,
            )
        )


def facts_of(kept: Sequence[Kept]) -> list[dict[str, Any]]:
    """What the history keeps of the files: enough to prove that none was changed."""
    return [
        {"sha256": each.file.sha256.hex(), "media_type": each.file.kind.media_type, "size": len(each.file.data)}
        for each in kept
    ]


def name_context(stored_name: str) -> str:
    """What a sealed name is bound to."""
    return f"attachment.name:{stored_name}"


# --- the act --------------------------------------------------------------------------------------------------------


def attach_files(
    actor: Actor,
    tracking_number: str,
    uploads: Sequence[Upload],
    note: str,
    *,
    is_for_complainant: bool = False,
    now: datetime | None = None,
) -> int:
    """Attach files to a case, with a note what they are; returns the new version.

    Compares no version: a file is right whatever happened meanwhile. Files that cannot be taken are left out and the others
    attached; `FilesRefused` then says which and why, and the same if none is left. `Unavailable` where the store is full.
    """
    content = Content()
    text = content.text("note", note)
    if not uploads:
        content.faults["files"] = "choose-files"
    require(actor, tracking_number, Action.ATTACH, now)
    content.check()
    return carry_in(
        actor,
        tracking_number,
        uploads,
        lambda received: _attach(actor, tracking_number, received, text, is_for_complainant, now),
    )


def carry_in(actor: Actor, tracking_number: str, uploads: Sequence[Upload], write: Callable[[Received], int]) -> int:
    """Take files in and have `write` attach in one act those that can be; returns the version it makes.

    `FilesRefused` where some or all cannot. What `write` gives up on leaves no file behind.
    """
    received = receive(uploads)
    _note_infected(actor, tracking_number, received)
    if not received.kept:
        raise FilesRefused(received.refused, 0, None)
    try:
        version = write(received)
    except DBAPIError:
        raise  # whether the commit was done is in doubt: what it left is found later
    except BaseException:
        discard(received.kept)
        raise
    settle(received.kept)
    if received.refused:
        raise FilesRefused(received.refused, len(received.kept), version)
    return version


def _attach(
    actor: Actor, tracking_number: str, received: Received, note: str, is_for_complainant: bool, now: datetime | None
) -> int:
    with acting(actor, tracking_number, None, Action.ATTACH, now) as step:
        case, session = step.case, step.session
        leave_out_known(session, case, received)
        if not received.kept:
            raise FilesRefused(received.refused, 0, None)
        data = {"files": facts_of(received.kept), "is_for_complainant": is_for_complainant}
        apply(step, "attached", data, {"note": note})
        add_rows(
            session,
            case,
            case.history_length,
            received.kept,
            now=step.act.now,
            officer_id=actor.officer_id,
            is_for_complainant=is_for_complainant,
        )
        return case.version


def apply_with(
    step: Step, kind: str, data: Mapping[str, Any], texts: Mapping[str, str], received: Received | None
) -> None:
    """`spine.apply` for an act of the complainant that may bring files. What the case has already and what is too much is left
    out; where neither a file nor a text is left, `FilesRefused`."""
    if received is None:
        apply(step, kind, data, texts)
        return
    leave_out_known(step.session, step.case, received)
    if not received.kept and not any(texts.values()):
        raise FilesRefused(received.refused, 0, None)
    files = {"files": facts_of(received.kept)} if received.kept else {}
    apply(step, kind, {**data, **files}, texts)
    seq = step.case.history_length
    add_rows(step.session, step.case, seq, received.kept, now=step.act.now, officer_id=None, is_for_complainant=False)


def leave_out_known(session: Session, case: Case, received: Received) -> None:
    """Take out what the case has already, and what is too much; their files are deleted. The case is locked."""
    known = {row.sha256: row.state for row in session.execute(
        select(Attachment.sha256, Attachment.state).where(Attachment.case_id == case.id)
    )}  # fmt: skip
    room = settings().attachments_per_case - len(known)
    for each in list(received.kept):
        code = "duplicate" if each.file.sha256 in known else "too-many" if room <= 0 else ""
        if code:
            received.kept.remove(each)
            received.refused.append(Refusal(each.name, code))
            discard([each])
        else:
            room -= 1


def require(actor: Actor, tracking_number: str, action: Action, now: datetime | None) -> None:
    """Refuse before any work is done what the act itself would refuse; holds no lock and no connection afterwards."""
    session = db.session()
    try:
        _, facts = queries.find_case(session, actor, tracking_number)
        verdict = lifecycle.decide(facts, action, actor, now or clock.now(session))
    finally:
        session.rollback()
    if verdict.is_hidden:
        raise NotFound
    if not verdict.is_allowed:
        raise IllegalAction(verdict.why)


def _note_infected(actor: Actor, tracking_number: str, received: Received) -> None:
    """An infected file leaves a trace in the audit trail (stream `files`), though nothing of it is kept."""
    infected = sum(each.code == "infected" for each in received.refused)
    if infected:
        with transaction() as act:
            data = {"tracking_number": tracking_number, "count": infected}
            audit.record(act.session, "files", "infected-file-refused", actor, act.now, **data)
