"""How often the same text came: told to officers, never held against anybody.

People copy a text from one another, helpers write one for a whole village, and programs send one a thousand times. All are
taken; whoever handles one is told how many there are among the cases they may see, so that they can be answered together. The
mark of the text is made where cases are indexed (`grm/cases/search_terms.py`), not where they are filed.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import Label, Text, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import aliased

from grm.cases import queries
from grm.cases.models import Case
from grm.cases.search_models import CaseSearch
from grm.cases.search_terms import TEXT_MARK
from grm.kernel.actor import Actor
from grm.web.locale import gettext
from grm.web.presentation import number

FEWEST = 3
"""From here on it is worth a word."""
MOST = 200
"""More are not counted."""
LOOKED_AT = 1000
NEAR_IN_TIME = timedelta(days=30)


def repeats_in_words(count: int) -> str:
    """What an officer is told of so many cases with one text; empty where it is no more than happens."""
    if count < FEWEST:
        return ""
    if count >= MOST:
        return gettext(
            "The same text came at least %(count)s times within a month, as far as you may see.", count=number(count)
        )
    return gettext("The same text came %(count)s times within a month, as far as you may see.", count=number(count))


_OWN, _OTHER = aliased(Case), aliased(Case)
_OWN_SEARCH, _OTHER_SEARCH = aliased(CaseSearch), aliased(CaseSearch)


def repeats_column(actor: Actor, tracking_number: Any) -> Label[Any]:
    """How many cases with the text of one, it among them, the actor may see; a column for a page about it. `tracking_number` is
    a parameter of the statement. Filed within a month of it; at most `MOST` are counted."""
    own = select(_OWN.id).where(_OWN.tracking_number == tracking_number).scalar_subquery()
    filed_at = select(_OWN.filed_at).where(_OWN.tracking_number == tracking_number).scalar_subquery()
    terms = func.unnest(func.tsvector_to_array(_OWN_SEARCH.terms))
    term = terms.table_valued("term").render_derived(name="own_term")
    mark = (
        select(cast(func.quote_literal(term.c.term), TSQUERY))
        .select_from(_OWN_SEARCH)
        .join(term, literal_column("true"))
        .where(_OWN_SEARCH.case_id == own, cast(term.c.term, Text).like(f"{TEXT_MARK}%"))
        .limit(1)
        .scalar_subquery()
    )
    # Found by the mark alone first, and no more than can be looked at: the planner knows nothing of how rare a mark is.
    marked = select(_OTHER_SEARCH.case_id).where(_OTHER_SEARCH.terms.op("@@")(mark)).limit(LOOKED_AT)
    same = marked.correlate(None).subquery("marked")
    alike = (
        select(_OTHER.id)
        .join(same, same.c.case_id == _OTHER.id)
        .where(
            _OTHER.filed_at.between(filed_at - NEAR_IN_TIME, filed_at + NEAR_IN_TIME),
            queries.visible_to(actor, _OTHER),
        )
        .limit(MOST)
        .correlate(None)
        .subquery("same_text")
    )
    return select(func.count()).select_from(alike).correlate(None).scalar_subquery().label("same_text")
