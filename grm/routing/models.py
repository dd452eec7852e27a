"""Dated routing rules: which office's queue answers for which grievance."""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model, Small
from grm.offices.models import ValidFrom

DESKS = ("gro", "appeal", "cell")


class RoutingRule(Model):
    """If every filled-in condition holds, the case goes to the desk of the office; NULL means any."""

    __tablename__ = "routing_rule"
    __table_args__ = (CheckConstraint("desk IN ('gro', 'appeal', 'cell')", "desk_known"),)

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(unique=True)
    programme: Mapped[str | None]
    category: Mapped[str | None]
    sensitivity: Mapped[str | None]
    division: Mapped[str | None]
    district: Mapped[str | None]
    about: Mapped[str | None]
    office_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("office.id"))
    desk: Mapped[str]
    rank: Mapped[Small] = mapped_column(default=0, server_default="0")
    source: Mapped[str]
    valid_from: Mapped[ValidFrom]
    valid_to: Mapped[date | None]
