"""The beneficiary registry as loaded from a file: one row a beneficiary, readable only with the keys."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model


class BeneficiaryRow(Model):
    """One beneficiary: found by the blind index of the beneficiary id or of the NID; all else is sealed.

    ``as_of`` is the day on which the list was drawn, as its file says.
    """

    __tablename__ = "beneficiary"
    __table_args__ = (Index(None, "nid_index"),)

    id: Mapped[Id]
    id_index: Mapped[bytes] = mapped_column(unique=True)
    nid_index: Mapped[bytes | None]
    sealed: Mapped[bytes]
    as_of: Mapped[date]
    loaded_at: Mapped[datetime]
