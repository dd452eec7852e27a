"""The administrator's page: is everything in place that cases rest on? Directory, calendar, limits, ladder; no case content.

Read only: the directory, the calendar and accounts are changed by commands (see README), which leave a record.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import Blueprint, render_template
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.deadlines import queries as deadlines
from grm.deadlines.calendar import dhaka_date
from grm.deadlines.coverage import coverage_of
from grm.kernel import clock
from grm.kernel.db import db
from grm.offices.queries import directory, vacant_posts
from grm.routing.queries import rules
from grm.web.guard import requires

blueprint = Blueprint("administration", __name__)
COMING_DAYS = 12


@blueprint.get("/admin")
@requires("admin")
def administration() -> str:
    """Show what is in force today, and what is missing."""
    session = db.session()
    today = dhaka_date(clock.now(session))
    calendar = deadlines.calendar(session)
    book = directory(session)
    return render_template(
        "reports/administration.html",
        today=today,
        counts=_counts(session, today),
        calendar=calendar,
        coverage=coverage_of(calendar, today),
        coming=_coming_days(session, today),
        policies=[
            policy for policy in deadlines.policies(session) if policy.valid_to is None or policy.valid_to > today
        ],
        rungs=deadlines.rungs(session),
        vacancies=vacant_posts(session, today),
        bounced=_bounced(session),
        book=book,
    )


def _counts(session: Session, today: date) -> dict[str, int]:
    book = directory(session)
    return {
        "ministries": len(book.ministries_on(today)),
        "offices": len(book.offices),
        "programmes": len(book.programmes_on(today)),
        "categories": len(book.categories_on(today)),
        "places": len(book.places),
        "rules": sum(rule.valid_to is None or rule.valid_to > today for rule in rules(session)),
        "officers": session.execute(select(func.count()).select_from(Officer).where(Officer.is_active)).scalar_one(),
    }


def _bounced(session: Session) -> Sequence[Any]:
    """Officers whose mail comes back, the latest first."""
    columns = (Officer.name_bn, Officer.name_en, Officer.email, Officer.phone, Officer.email_bounced_at)
    marked = select(*columns).where(Officer.is_active, Officer.email_bounced == Officer.email)
    return session.execute(marked.order_by(Officer.email_bounced_at.desc(), Officer.id)).all()


def _coming_days(session: Session, today: date) -> list[Any]:
    """The next announced holidays and ordered working days."""
    days = deadlines.days_in_force(session)
    return [days[on] for on in sorted(days) if on >= today][:COMING_DAYS]
