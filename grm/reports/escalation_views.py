"""The escalation report: what is late, where, at whose desk, since when; who answers in the end; and what will be late next."""

from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus, urlencode

from flask import Blueprint, render_template, request

from grm.accounts.sessions import opened_at
from grm.cases import why
from grm.kernel import clock
from grm.kernel.actor import Actor
from grm.kernel.db import db
from grm.kernel.errors import NotFound
from grm.offices.directory import Directory
from grm.offices.queries import directory
from grm.reports import acting, escalation_cases, escalation_figures, escalation_gaps, wording
from grm.reports.measures import AGE_BANDS, LEVELS, Selection, selection_from
from grm.tallies import scope as scopes
from grm.tallies.scope import Scope
from grm.web.guard import actor, requires

blueprint = Blueprint("escalations", __name__, url_prefix="/reports")
CHOICES = ("ministry", "level", "programme", "district", "age")
_quoted = lru_cache(4096)(quote_plus)


@blueprint.get("/escalations")
@requires(*scopes.REPORT_ROLES)
def report() -> str:
    """Open escalated cases by ministry, level, age, programme, district and holder, with what will be late next."""
    session, now = db.session(), opened_at()
    book, today = directory(session), clock.dhaka_date(now)
    scope, chosen = _asked(actor(), book)
    found = escalation_figures.figures(session, actor(), book, scope, chosen, now)
    number = found.total.number if found.total else None
    has_names = scope.has_lists and bool(number) and (number or 0) <= escalation_figures.NAMED
    late = None
    if scope.has_lists and number != 0:
        limit = escalation_cases.ON_REPORT
        late = escalation_cases.page(
            session, actor(), book, scope, chosen, now, limit=limit, office_ids=found.office_ids
        )
    offices = scope.ids if scope.spine == "office" else None
    return render_template(
        "reports/escalations.html",
        **_common(book, scope, chosen, today),
        found=found,
        holders=escalation_figures.holders(session, actor(), book, scope, chosen, now) if has_names else None,
        late=late,
        last=escalation_gaps.last(session, book, today),
        gaps=escalation_gaps.gaps(session, actor()),
        undelivered=escalation_gaps.undelivered(session, actor()),
        aside=escalation_gaps.set_aside(session, actor()),
        vacancies=escalation_gaps.vacancies(session, offices, today) if scope.spine != "district" else (),
        bands=AGE_BANDS,
        levels=LEVELS,
        as_of=now,
        words_of=why.holder_in_words,
    )


@blueprint.get("/escalations/paths")
@requires(*scopes.REPORT_ROLES)
def paths() -> str:
    """The same cases one by one, each with the days of every post that had it; the sum is the age."""
    session, now = db.session(), opened_at()
    book, today = directory(session), clock.dhaka_date(now)
    scope, chosen = _asked(actor(), book)
    if not scope.has_lists:
        raise NotFound
    found = escalation_figures.figures(session, actor(), book, scope, chosen, now)
    late = escalation_cases.page(
        session,
        actor(),
        book,
        scope,
        chosen,
        now,
        escalation_cases.mark_from(request.args.get("after", "")),
        office_ids=found.office_ids,
    )
    common = _common(book, scope, chosen, today)
    return render_template(
        "reports/escalation_paths.html",
        **common,
        found=found,
        late=late,
        acting=acting.offer(
            actor(),
            chosen.as_query(),
            [each.row for each in late.cases],
            found.total.number if found.total else len(late.cases),
        ),
        next_url=common["path_link"](after=late.after) if late.after else None,
        first_url=common["path_link"]() if request.args.get("after") else None,
        as_of=now,
        words_of=why.holder_in_words,
    )


def _asked(who: Actor, book: Directory) -> tuple[Scope, Selection]:
    """The scope and the choice of an address. Raises `NotFound` for who has no scope at all."""
    chosen = selection_from(request.args)
    scope = scopes.chosen(scopes.scopes_of(who, book), chosen.scope)
    if scope is None:
        raise NotFound
    kept = {name: getattr(chosen, name) for name in CHOICES}
    return scope, Selection(measure="escalated", scope=scope.code if chosen.scope else None, **kept)


def _common(book: Directory, scope: Scope, chosen: Selection, today: date) -> dict[str, Any]:
    own = scopes.scopes_of(actor(), book)

    def link(selection: Selection = chosen, **changes: Any) -> str | None:
        """The address of the list behind a figure; None where the reader may not open it."""
        if not scope.has_lists:
            return None
        # As urlencode, which takes its time to quote the same codes hundreds of times a page.
        found = selection.with_(**changes).as_query()
        return "/reports/cases?" + "&".join([f"{key}={_quoted(value)}" for key, value in found.items()])

    def path_link(after: str = "") -> str:
        values = {key: value for key, value in chosen.as_query().items() if key != "measure"}
        return "/reports/escalations/paths?" + urlencode({**values, "after": after} if after else values)

    return {
        "book": book,
        "scope": scope,
        "scopes": [(each.code, wording.scope_title(each)) for each in own],
        "chosen": chosen,
        "choices": [(name, wording.dimension_title(name), _options(book, name)) for name in CHOICES],
        "titles": {name: wording.value_titles(book, name) for name in CHOICES},
        "chosen_words": wording.selection_words(book, chosen),
        "link": link,
        "path_link": path_link,
        "today": today,
    }


def _options(book: Directory, name: str) -> list[tuple[str, str]]:
    return list(wording.options(book, name)[name])
