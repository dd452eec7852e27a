"""What has been published as open data."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Model


class OpenDataEdition(Model):
    """A published edition of a month, exactly as it was published, with what was hidden already gone; never changed. JSON, not
    JSONB: the order of the columns is part of the file."""

    __tablename__ = "open_data_edition"
    __table_args__ = (
        CheckConstraint("number >= 1", "number_positive"),
        CheckConstraint("extract(day from month) = 1", "month_is_a_first"),
    )

    month: Mapped[date] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    made_at: Mapped[datetime]
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
