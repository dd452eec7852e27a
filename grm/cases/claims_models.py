"""What a payment complaint and a request to correct data say beside the story."""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from grm.cases.claim_kinds import CORRECT_WHAT, KINDS, WAYS_OF_PAYMENT
from grm.kernel.db import Model, one_of


class Claim(Model):
    """The facts of one case: `payment` (which months, how much came of how much, by whom) or `correction` (what is wrong).

    Periods are first days of months, both inclusive; amounts whole taka. ``sealed`` holds what names a person or an account:
    the note on the account, what stands in the list now and what it should be (`grm/cases/claims.py`).
    """

    __tablename__ = "claim"
    __table_args__ = (
        CheckConstraint(one_of("kind", KINDS), "kind_known"),
        CheckConstraint("period_to >= period_from", "period_in_order"),
        CheckConstraint("taka_expected >= 0 AND taka_received >= 0", "amounts_not_negative"),
        CheckConstraint(one_of("provider_kind", WAYS_OF_PAYMENT), "provider_kind_known"),
        CheckConstraint(one_of("correct_what", CORRECT_WHAT), "correct_what_known"),
    )

    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"), primary_key=True, autoincrement=False)
    kind: Mapped[str]
    period_from: Mapped[date | None]
    period_to: Mapped[date | None]
    taka_expected: Mapped[int | None]
    taka_received: Mapped[int | None]
    provider_kind: Mapped[str | None]
    provider_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("office.id"))
    correct_what: Mapped[str | None]
    sealed: Mapped[bytes | None]
