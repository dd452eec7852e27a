"""Alarms: what was found each morning that somebody should look at, and the mornings on which it was looked for."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model, one_of

KINDS = ("surge", "behind", "silent", "unheard")
STATES = ("open", "acknowledged", "over")


class Alarm(Model):
    """One alarm: a kind, about a subject (a place with a category, a programme, an office, a district), from a day on.

    While it lives there is no other of its kind and subject; over, it never comes back: what begins again is another one, with
    another first day. ``until_on`` is the last day it counts, ``seen_on`` the last morning on which it was found; ``evidence``
    are the numbers that raised it, as `grm/alarms/rules.py` gives them.
    """

    __tablename__ = "alarm"
    __table_args__ = (
        CheckConstraint(one_of("kind", KINDS), "kind_known"),
        CheckConstraint(one_of("state", STATES), "state_known"),
        CheckConstraint(
            "(acknowledged_at IS NULL) = (acknowledged_by_id IS NULL) AND (acknowledged_at IS NULL) = (words IS NULL) "
            "AND (state <> 'acknowledged' OR acknowledged_at IS NOT NULL) "
            "AND (state <> 'open' OR acknowledged_at IS NULL)",
            "acknowledged_by_whom",
        ),
        CheckConstraint("(state = 'over') = (over_at IS NOT NULL)", "over_has_instant"),
        UniqueConstraint("kind", "subject", "starts_on"),
        Index("uq__alarm__live", "kind", "subject", unique=True, postgresql_where=text("state <> 'over'")),
    )

    id: Mapped[Id]
    kind: Mapped[str]
    subject: Mapped[str]
    starts_on: Mapped[date]
    state: Mapped[str] = mapped_column(default="open", server_default="open")
    district_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("place.id"))
    programme_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("programme.id"))
    category_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("category.id"))
    office_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("office.id"))
    until_on: Mapped[date]
    evidence: Mapped[dict[str, Any]]
    raised_at: Mapped[datetime]
    seen_on: Mapped[date]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))
    words: Mapped[str | None]
    over_at: Mapped[datetime | None]


class AlarmCount(Model):
    """How many cases of a category were received on a day (by the date of receipt) from a district, or about a programme.

    Made of the cases each morning, the latest days anew (`grm/alarms/counting.py`). The row of dimension ``day`` says that a day
    was counted, and how many came in all.
    """

    __tablename__ = "alarm_count"
    __table_args__ = (CheckConstraint(one_of("dimension", ("day", "district", "programme")), "dimension_known"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    dimension: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    category_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    cases: Mapped[int]


class AlarmRun(Model):
    """A morning (a Dhaka date) on which alarms were looked for: once, whoever ticks and however often."""

    __tablename__ = "alarm_run"

    day: Mapped[date] = mapped_column(primary_key=True)
    ran_at: Mapped[datetime]
    raised: Mapped[int] = mapped_column(default=0, server_default="0")
    ended: Mapped[int] = mapped_column(default=0, server_default="0")
