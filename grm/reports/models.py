"""How many people a programme serves: what complaints are measured against."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model


class BeneficiaryCount(Model):
    """People served by a programme in a fiscal year (like 2025-26), in one district or, without one, in the whole country."""

    __tablename__ = "beneficiary_count"
    __table_args__ = (
        CheckConstraint("people >= 0", "people_not_negative"),
        CheckConstraint("fiscal_year ~ '^[0-9]{4}-[0-9]{2}$'", "fiscal_year_like_2025_26"),
        Index(
            "ix__beneficiary_count__in_district",
            "programme_id",
            "fiscal_year",
            "district_id",
            unique=True,
            postgresql_where=text("district_id IS NOT NULL"),
        ),
        Index(
            "ix__beneficiary_count__in_country",
            "programme_id",
            "fiscal_year",
            unique=True,
            postgresql_where=text("district_id IS NULL"),
        ),
    )

    id: Mapped[Id]
    programme_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("programme.id"))
    district_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("place.id"))
    fiscal_year: Mapped[str]
    people: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str]
    imported_at: Mapped[datetime]
