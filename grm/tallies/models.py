"""What the figures are read from: the tallies, what each case was last counted as, and which cases are to be counted again.

Codes are numbers here (`figures.CODES`, `cube.SPINES`, `vectors.STATES`) and missing ids are 0: the rows are many, and narrow.
No foreign keys: all of it is made from the ledger and can be made again (`flask tallies rebuild`).
"""

from datetime import date
from typing import Annotated

from sqlalchemy import ARRAY, BigInteger, Column, Index, Integer, SmallInteger, Table
from sqlalchemy import text as _sql
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Base, Model, Small

SmallKey = Annotated[int, mapped_column(SmallInteger, primary_key=True, autoincrement=False)]
Key = Annotated[int, mapped_column(Integer, primary_key=True, autoincrement=False)]
Numbers = Annotated[list[int], mapped_column(ARRAY(Integer))]

tally_due = Table("tally_due", Base.metadata, Column("case_id", BigInteger, nullable=False))
"""Cases that were changed since they were last counted. Triggers append; a case may stand here several times. No key and no
index: whoever files a complaint pays for this row."""


class CaseCount(Model):
    """What a case was last counted as: its vector (`grm/tallies/vectors.py`), whose columns these are in its order."""

    __tablename__ = "case_count"
    __table_args__ = (
        # For the lists behind figures (grm/reports/lists.py).
        Index("ix__case_count__appealed_on", "appealed_on", postgresql_where=_sql("appealed_on IS NOT NULL")),
        Index(
            "ix__case_count__appeal_decided_on",
            "appeal_decided_on",
            postgresql_where=_sql("appeal_decided_on IS NOT NULL"),
        ),
        Index("ix__case_count__rated_on", "rated_on", postgresql_where=_sql("rated_on IS NOT NULL")),
        Index("ix__case_count__programme", "programme_id", "received_on"),
        Index("ix__case_count__open_programme", "programme_id", postgresql_where=_sql("state = 0")),
        Index("ix__case_count__open_district", "district_id", postgresql_where=_sql("state = 0")),
    )

    case_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    office_id: Mapped[int]
    programme_id: Mapped[int]
    category_id: Mapped[int]
    district_id: Mapped[int]
    received_on: Mapped[date]
    received_month: Mapped[date]
    ended_on: Mapped[date | None]
    ended_month: Mapped[date | None]
    days_taken: Mapped[int | None]
    due_on: Mapped[date]
    appealed_on: Mapped[date | None]
    appeal_decided_on: Mapped[date | None]
    rated_on: Mapped[date | None]
    shade: Mapped[Small]
    channel: Mapped[Small]
    sex: Mapped[Small]
    age_group: Mapped[Small]
    disability: Mapped[Small]
    area: Mapped[Small]
    state: Mapped[Small]
    level: Mapped[Small]
    appeal_result: Mapped[Small]
    stars: Mapped[Small]
    is_part: Mapped[bool]
    is_paused: Mapped[bool]
    is_not_informed: Mapped[bool]


class Tally(Model):
    """What happened in a month to the cases of one spine (all, an office, a district) and one value of a dimension.

    A row counts its shade *and the lighter ones*: who may count sensitive cases reads one row, not three. `…_at` and `…_n` are
    a sparse histogram: of days of the month, or of whole days taken, and how many cases each.
    """

    __tablename__ = "tally"

    spine: Mapped[SmallKey]
    dimension: Mapped[SmallKey]
    shade: Mapped[SmallKey]
    month: Mapped[date] = mapped_column(primary_key=True)
    spine_id: Mapped[Key]
    value: Mapped[Key]
    received: Mapped[int]
    in_time: Mapped[int]
    extended: Mapped[int]
    late: Mapped[int]
    declined: Mapped[int]
    withdrawn: Mapped[int]
    appealed: Mapped[int]
    appeals_upheld: Mapped[int]
    appeals_rejected: Mapped[int]
    stars_1: Mapped[int]
    stars_2: Mapped[int]
    stars_3: Mapped[int]
    stars_4: Mapped[int]
    stars_5: Mapped[int]
    received_at: Mapped[Numbers]
    received_n: Mapped[Numbers]
    days_at: Mapped[Numbers]
    days_n: Mapped[Numbers]


class TallyNow(Model):
    """What is open now, by `what` (how it stands and at which level: `cube.py`) and due date, in days since 1970; keyed as
    `Tally` is."""

    __tablename__ = "tally_now"

    spine: Mapped[SmallKey]
    dimension: Mapped[SmallKey]
    shade: Mapped[SmallKey]
    spine_id: Mapped[Key]
    value: Mapped[Key]
    what: Mapped[SmallKey]
    due_at: Mapped[Numbers]
    due_n: Mapped[Numbers]


class TallyRebuild(Model):
    """Somebody wants the tallies made anew: the migration that found cases, or an operator. Empty when that is done."""

    __tablename__ = "tally_rebuild"

    id: Mapped[SmallKey]
    why: Mapped[str]
