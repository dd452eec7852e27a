"""Reading the routing rules, and the facts that they decide on."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.offices.directory import Directory
from grm.offices.edition import per_edition
from grm.routing.models import RoutingRule
from grm.routing.rules import Facts, Rule, RuleBook


@per_edition
def rule_book(session: Session) -> RuleBook:
    """All rules, past and future ones too, arranged for deciding; read once per process and edition."""
    rows = session.scalars(select(RoutingRule).order_by(RoutingRule.id), execution_options={"populate_existing": True})
    return RuleBook(
        Rule(
            id=row.id,
            code=row.code,
            programme=row.programme,
            category=row.category,
            sensitivity=row.sensitivity,
            division=row.division,
            district=row.district,
            about=row.about,
            office_id=row.office_id,
            desk=row.desk,  # type: ignore[arg-type]  # ck__routing_rule__desk_known
            rank=row.rank,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            source=row.source,
        )
        for row in rows
    )


def rules(session: Session) -> tuple[Rule, ...]:
    """All rules, past and future ones too."""
    return rule_book(session).rules


def facts_of(
    known: Directory,
    *,
    programme: str | None,
    category: str | None,
    place: str | None,
    about: str,
    filed_on: date,
) -> Facts:
    """What routing may know of a grievance, from slugs and the code of the innermost place that was told.

    Raises `NotFound` for a category or place that does not exist. An unknown programme is left to triage.
    """
    where = known.place(place) if place else None
    district = known.district_of(where) if where else None
    division = known.division_of(where) if where else None
    return Facts(
        programme=programme,
        category=category,
        sensitivity=known.category(category).sensitivity if category else None,
        division=division.code if division else None,
        district=district.code if district else None,
        upazila=where.code if where and where is not district and where is not division else None,
        about=about,
        filed_on=filed_on,
    )
