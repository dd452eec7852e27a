"""Tables of the web edge: throttles, and the heartbeats that `/healthz` reads."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Model


class Throttle(Model):
    """How often something happened in a running window; the key is a keyed hash, never an address or number in clear."""

    __tablename__ = "throttle"
    __table_args__ = (Index(None, "window_ends_at"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    window_ends_at: Mapped[datetime]
    blocked_until: Mapped[datetime | None]


class Heartbeat(Model):
    """The last proof of life of a part of the system (worker, beat, sweep, delivery)."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
