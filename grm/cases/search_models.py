"""What cases are found by: the keys of their words, beside `cases` because that row changes often and this one does not."""

from sqlalchemy import DDL, BigInteger, ForeignKey, Index, event
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model


class CaseSearch(Model):
    """The terms of one case (`grm/cases/search_terms.py`): words of the complaint, and marks for place, programme, offices
    and, under a key that is not in the database, for names and telephone numbers. No name or number can be read from it."""

    __tablename__ = "case_search"
    __table_args__ = (Index(None, "terms", postgresql_using="gin"),)

    case_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    terms: Mapped[str] = mapped_column(TSVECTOR)


class SearchDue(Model):
    """A case that is to be indexed (again). Triggers write it; a case may stand here several times."""

    __tablename__ = "search_due"

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(BigInteger)


class SearchWord(Model):
    """Every word of a complaint ever indexed, once, to find similar ones; read by the search alone and shown to nobody."""

    __tablename__ = "search_word"
    __table_args__ = (Index(None, "word", postgresql_using="gin", postgresql_ops={"word": "gin_trgm_ops"}),)

    word: Mapped[str] = mapped_column(primary_key=True)


_TRIGRAMS = DDL("CREATE EXTENSION IF NOT EXISTS pg_trgm")  # type: ignore[no-untyped-call]
event.listen(SearchWord.__table__, "before_create", _TRIGRAMS)
