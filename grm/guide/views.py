"""The pages of the guide: programmes, how to complain, questions; and what search engines ask for. Nobody is looked up here."""

from datetime import date
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from grm.guide.content import Question, content, is_of_an_earlier_budget
from grm.guide.promises import promises
from grm.intake import choices
from grm.kernel import clock
from grm.kernel.db import db
from grm.kernel.errors import NotFound
from grm.kernel.text import clean_line, has_forbidden_characters
from grm.offices.directory import Directory, Programme
from grm.offices.queries import directory
from grm.web.guard import public
from grm.web.indexing import address, indexable
from grm.web.locale import LANGUAGES, language

blueprint = Blueprint("guide", __name__)
HELP_TOPICS = ("how-to-complain", "follow-and-appeal", "without-fear", "questions")
LONGEST_TYPED = 100


@blueprint.get("/programmes")
@public("information for everybody")
@indexable
def programmes() -> str:
    """List the programmes by life stage, and find one by any name it has or had."""
    session = db.session()
    offer = choices.offer(session)
    typed = _typed(request.args.get("q", ""))
    found = [offer.book.programme(slug) for slug in offer.choices.find_programmes(typed).slugs] if typed else []
    return render_template(
        "guide/programmes.html",
        typed=typed,
        found=found,
        groups=_by_stage(offer.book, offer.day),
        book=offer.book,
        aliases=_aliases(offer.book),
        stage_label=choices.stage_label,
    )


@blueprint.get("/programmes/<slug>")
@public("information for everybody")
@indexable
def programme(slug: str) -> str:
    """Say what a programme gives to whom, who answers complaints about it and by when, and what to have at hand."""
    session = db.session()
    book = directory(session)
    now = clock.now(session)
    try:
        shown = book.programme(slug)
    except NotFound:
        abort(404)
    today = clock.dhaka_date(now)
    if shown not in book.programmes_on(today):
        abort(404)
    text = content()
    gives = text.facts_of(slug, "gives")
    ministry = book.ministry(shown.ministry_id)
    return render_template(
        "guide/programme.html",
        programme=shown,
        ministry=ministry,
        aliases=_aliases(book).get(slug, ()),
        gives=gives,
        may_have_changed=any(is_of_an_earlier_budget(fact.source, today) for fact in gives),
        facts={about: text.facts_of(slug, about) for about in ("who", "how", "papers")},
        contact=text.contacts.get(ministry.slug),
        promise=promises(session, shown, now),
        questions=_of_programme(shown),
    )


@blueprint.get("/help")
@public("information for everybody")
@indexable
def help_overview() -> str:
    """Lead to the pages of help."""
    return render_template("guide/help.html")


@blueprint.get("/help/<topic>")
@public("information for everybody")
@indexable
def help_topic(topic: str) -> str:
    """One page of help."""
    if topic not in HELP_TOPICS:
        abort(404)
    return render_template(f"guide/{topic}.html", questions=content().questions)


@blueprint.get("/robots.txt")
@public("for search engines")
@indexable
def robots() -> ResponseReturnValue:
    """Tell crawlers where the list of pages is. What they must not list says so itself (`X-Robots-Tag`), so they may look."""
    text = f"User-agent: *\nDisallow: /gateway/\nSitemap: {address('/sitemap.xml')}\n"
    return Response(text, mimetype="text/plain")


@blueprint.get("/sitemap.xml")
@public("for search engines")
@indexable
def sitemap() -> ResponseReturnValue:
    """List every page that may be listed, each with its languages."""
    offer = choices.offer(db.session())
    paths = ["/", "/programmes", *(f"/programmes/{each.slug}" for each in offer.book.programmes_on(offer.day))]
    paths += ["/help", *(f"/help/{topic}" for topic in HELP_TOPICS), "/open-data"]
    entries = "".join(_entry(path, chosen) for path in paths for chosen in LANGUAGES)
    return Response(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml">\n'
        f"{entries}</urlset>\n",
        mimetype="application/xml",
    )


def _entry(path: str, chosen: str) -> str:
    links = [(other, address(path, other)) for other in LANGUAGES] + [("x-default", address(path))]
    alternates = "".join(
        f'<xhtml:link rel="alternate" hreflang="{other}" href={quoteattr(url)}/>' for other, url in links
    )
    return f"<url><loc>{escape(address(path, chosen))}</loc>{alternates}</url>\n"


def _typed(text: str) -> str:
    """What somebody looks for, on one line and short; what cannot be stored anywhere is not looked for either."""
    return "" if has_forbidden_characters(text) else clean_line(text[:LONGEST_TYPED])


def _by_stage(book: Directory, day: date) -> list[tuple[str, list[Programme]]]:
    order = {stage: place for place, stage in enumerate(choices.STAGES)}
    shown = sorted(
        book.programmes_on(day), key=lambda each: (order.get(each.lifecycle_stage, 99), each.lifecycle_stage)
    )
    return [(stage, list(group)) for stage, group in groupby(shown, key=lambda each: each.lifecycle_stage)]


def _aliases(book: Directory) -> dict[str, tuple[str, ...]]:
    """The other names of each programme: in Bangla those in Bangla script and abbreviations, in English the Latin ones."""
    found: dict[str, tuple[str, ...]] = {}
    for (kind, slug), names in book.aliases.items():
        if kind == "programme":
            latin = tuple(name for name in names if name.isascii())
            bangla = tuple(name for name in names if not name.isascii())
            found[slug] = latin if language() == "en" else (*bangla, *(name for name in latin if name.isupper()))
    return found


def _of_programme(shown: Programme) -> tuple[Question, ...]:
    return content().questions_of(shown.slug, f"kind:{shown.kind}")
