"""One-time codes: written when they are asked for, opened for the sender alone, wiped once they have gone.

Whether or not anybody is to be told, the same statement runs. The code is in no message row, neither in its parameters nor as
its text: it stays sealed in `track_code` until the moment of sending.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Row, select, text, update
from sqlalchemy.orm import Session

from grm.cases.codes import context_of
from grm.cases.tracking_models import TrackCode
from grm.kernel import context
from grm.kernel.crypto import CannotOpen, Keyring
from grm.kernel.db import among
from grm.kernel.transaction import Act
from grm.notifications.catalogue import TRACK_CODE, entry_of
from grm.notifications.service import address_context


class Asked(Protocol):
    """A code that was asked for (`grm.cases.events.CodeAsked`)."""

    @property
    def code_id(self) -> int: ...
    @property
    def case_id(self) -> int | None: ...
    @property
    def language(self) -> str: ...
    @property
    def phone(self) -> str: ...
    @property
    def made_at(self) -> datetime: ...


_INSERT = text(
    """
    INSERT INTO message (key, template, channel, language, priority, case_id, address_sealed, params, next_attempt_at,
                         created_at, expires_at)
    SELECT :key, :template, 'sms', :language, :priority, :case_id, :address,
           jsonb_build_object('track_code_id', CAST(:code_id AS bigint)), :at, :at, :expires
    WHERE CAST(:case_id AS bigint) IS NOT NULL
    ON CONFLICT (key) DO NOTHING
    """
)


def on_code_asked(act: Act, event: Asked) -> None:
    """Send the code, at once and at night, too: somebody waits for it."""
    entry = entry_of(TRACK_CODE)
    key = f"{TRACK_CODE}:{event.case_id}:{event.code_id}-{event.made_at.timestamp() * 1000:.0f}:sms"
    act.session.execute(
        _INSERT,
        {
            "key": key,
            "template": entry.key,
            "language": event.language,
            "priority": entry.priority,
            "case_id": event.case_id,
            "address": context.keyring().seal(event.phone, address_context(key)),
            "code_id": event.code_id,
            "at": act.now,
            "expires": act.now + entry.life,
        },
    )


def opened(session: Session, keyring: Keyring, rows: Sequence[Row[Any]], at: datetime) -> Mapping[int, str]:
    """The codes that messages are to tell, by message id; none for one that is used, too old or overtaken by a newer one."""
    wanted = {int(row.params["track_code_id"]): row for row in rows if "track_code_id" in row.params}
    found: dict[int, str] = {}
    if not wanted:
        return found
    columns = select(TrackCode.id, TrackCode.code_sealed, TrackCode.made_at)
    of_rows = (TrackCode.id == among(wanted), TrackCode.used_at.is_(None), TrackCode.expires_at > at)
    for code_id, sealed, made_at in session.execute(columns.where(*of_rows)):
        row = wanted[code_id]
        if sealed is not None and made_at == row.created_at:
            try:
                found[row.id] = keyring.open(sealed, context_of(code_id))
            except CannotOpen:
                continue
    return found


def wipe(session: Session, code_ids: Collection[int]) -> None:
    """Forget codes that have been handed over, or never will be."""
    if code_ids:
        session.execute(update(TrackCode).where(TrackCode.id == among(code_ids)).values(code_sealed=None))
