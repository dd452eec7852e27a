"""Files handed in with a form that is not filed yet: taken or refused each for itself, taken out again, and forgotten.

The text of the form is a draft already when its files come: whatever becomes of them, it is kept. A file is checked, cleaned,
scanned and stored before any transaction, as for a case (`grm/cases/attachments.py`). Its row hangs on the token of the form;
the statement that files the form makes an attachment of it (`grm/intake/statement.py`). A file lives as long as its draft.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Row, delete, exists, func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from grm.cases import attachments
from grm.cases.attachment_models import DraftFile
from grm.cases.attachment_names import clean_name
from grm.cases.attachments import Kept, Received, Refusal, Upload
from grm.intake.draft_file_rows import forget_names, lock_draft
from grm.intake.models import Draft, Submission
from grm.intake.service import draft_hash, submission_key
from grm.kernel import audit, clock
from grm.kernel.actor import SYSTEM
from grm.kernel.clock import dhaka_date
from grm.kernel.context import keyring, settings
from grm.kernel.errors import GrmError, Unavailable
from grm.kernel.transaction import transaction
from grm.web import throttle
from grm.web.security import keyed_hash

log = structlog.get_logger("grm.intake.files")
MOST = 10
"""Files of one form; more can be handed in once it is filed."""
LIFETIME = timedelta(hours=72)
"""How long a file is kept whose form is gone, where nobody took it out."""
BATCH = 100


class AlreadyFiled(GrmError):
    """The form was filed meanwhile; its files go to the tracking page now."""

    default_code = "form-filed"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the files of one post. What was there already is neither taken nor refused."""

    taken: int = 0
    refused: tuple[Refusal, ...] = ()


def take(token: str, uploads: Sequence[Upload], *, is_anonymous: bool, source: str | None = None) -> Taken:
    """Take files in for the form with this token; `source` is the address they come from, None for staff.

    Raises `Unavailable` naming the file that cannot be stored (nothing is left behind then), and `AlreadyFiled`.
    """
    if refused := _over_quota(uploads, source):
        return Taken(0, refused)
    received = attachments.receive(uploads)
    refused = tuple(each for each in received.refused if each.code != "duplicate")
    _note_infected(refused)
    if not received.kept:
        return Taken(0, refused)
    try:
        surplus = _add(token, received, is_anonymous)
    except DBAPIError:
        raise  # whether the commit was done is in doubt: what it left is found later
    except BaseException:
        attachments.discard(received.kept)
        raise
    attachments.settle(received.kept)
    return Taken(len(received.kept), (*refused, *surplus))


def remove(token: str, file_id: int | None = None) -> int:
    """Take one file out of a form that is not filed, or all; returns how many. Any number of calls ends the same."""
    digest = draft_hash(token)
    with transaction() as act:
        lock_draft(act.session, digest)
        wanted = [DraftFile.token_hash == digest, *([DraftFile.id == file_id] if file_id is not None else [])]
        rows = act.session.execute(select(DraftFile.id, DraftFile.stored_name).where(*wanted).with_for_update()).all()
        names = _drop(act.session, rows)
        _recount(act.session, digest)
    _delete(names)
    return len(names)


def forget(now: datetime | None = None) -> int:
    """Delete a batch of files whose form is gone, 72 hours after they came; returns how many.

    A draft that has expired and is still there may be kept for longer at any moment: its files go after it, never before.
    """
    with transaction(now) as act:
        is_alive = exists().where(Draft.token_hash == DraftFile.token_hash)
        statement = select(DraftFile.id, DraftFile.stored_name).where(
            DraftFile.added_at <= act.now - LIFETIME, ~is_alive
        )
        rows = act.session.execute(
            statement.order_by(DraftFile.id).limit(BATCH).with_for_update(skip_locked=True)
        ).all()
        names = _drop(act.session, rows)
    _delete(names)
    return len(names)


# --- coming in ------------------------------------------------------------------------------------------------------


def _over_quota(uploads: Sequence[Upload], source: str | None) -> tuple[Refusal, ...]:
    """All files refused, where too much came from one source within a day; counted in kilobytes, before any work is done."""
    most = settings().upload_megabytes_per_day
    if not most or source is None:
        return ()
    with transaction() as act:
        key = keyed_hash(f"upload-source:{dhaka_date(act.now)}", source)
        kilobytes = sum(len(each.data) for each in uploads) // 1024 + 1
        total = throttle.count(act.session, key, act.now, timedelta(hours=24), by=kilobytes)
    if total <= most * 1024:
        return ()
    return tuple(Refusal(each.name, "too-much-today") for each in uploads)


def _add(token: str, received: Received, is_anonymous: bool) -> list[Refusal]:
    """Write the rows; what the form has already and what is too much is left out and deleted. Returns what was too much."""
    digest, surplus = draft_hash(token), list[Refusal]()
    with transaction() as act:
        session = act.session
        lock_draft(session, digest)
        if session.scalar(select(exists().where(Submission.key == submission_key(token)))):
            raise AlreadyFiled
        known = set(session.scalars(select(DraftFile.sha256).where(DraftFile.token_hash == digest)))
        for each in list(received.kept):
            if each.file.sha256 in known or len(known) >= MOST:
                received.kept.remove(each)
                attachments.discard([each])
                if each.file.sha256 not in known:
                    surplus.append(Refusal(each.name, "too-many-in-form"))
            else:
                known.add(each.file.sha256)
                session.add(_row(digest, each, is_anonymous, act.now))
        session.flush()
        if is_anonymous:
            forget_names(session, digest)  # of those, too, that came before the box was ticked
        _recount(session, digest)
    return surplus


def _row(digest: bytes, kept: Kept, is_anonymous: bool, now: datetime) -> DraftFile:
    name = "" if is_anonymous else clean_name(kept.name, kept.file.kind)
    return DraftFile(
        token_hash=digest,
        stored_name=kept.stored_name,
        name_sealed=keyring().seal(name, attachments.name_context(kept.stored_name)) if name else None,
        media_type=kept.file.kind.media_type,
        size=len(kept.file.data),
        sha256=kept.file.sha256,
        state="quarantined" if kept.is_scanned is False else "stored",
        taken_out=list(kept.file.taken_out),
        added_at=now,
        scanned_at=now if kept.is_scanned else None,
    )


def _recount(session: Session, digest: bytes) -> None:
    count = select(func.count()).where(DraftFile.token_hash == digest).scalar_subquery()
    session.execute(update(Draft).where(Draft.token_hash == digest).values(file_count=count))


def _note_infected(refused: Sequence[Refusal]) -> None:
    """A trace in the audit trail (stream `files`), though nothing of the file is kept, nor whose it was."""
    if infected := sum(each.code == "infected" for each in refused):
        with transaction() as act:
            audit.record(act.session, "files", "infected-file-refused", SYSTEM, clock.now(act.session), count=infected)


# --- going away -----------------------------------------------------------------------------------------------------


def _drop(session: Session, rows: Sequence[Row[int, str]]) -> list[str]:
    """Delete rows; their files are marked first, so that a kill before they are deleted is made good by the sweep."""
    place = attachments.store()
    try:
        for row in rows:
            place.unsettle(row.stored_name)
    except OSError as error:
        raise Unavailable("attachments-away", file_name="") from error
    if rows:
        session.execute(delete(DraftFile).where(DraftFile.id.in_([row.id for row in rows])))
    return [row.stored_name for row in rows]


def _delete(names: Sequence[str]) -> None:
    place = attachments.store()
    for name in names:
        try:
            place.remove(name)
        except OSError as error:
            log.warning("a file cannot be deleted; the sweep will", error=type(error).__name__)
