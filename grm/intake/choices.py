"""What the forms offer: the codes in force, and the long lists as ready markup, made once per edition, day and language.

A page differs from its neighbour by what is selected only; that is put into the finished list by one replacement, so
the 58 programmes and 64 districts cost nothing per visitor.
"""

import time
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from grm.intake.programme_names import ProgrammeNames
from grm.intake.screening import UNKNOWN, Choices
from grm.kernel import clock
from grm.offices.directory import Directory, in_force
from grm.offices.queries import directory
from grm.web.locale import gettext

STAGES = ("old-age", "disability", "pregnancy-early-childhood", "school-age", "working-age", "all-ages")
HELPLINE_CATEGORIES = frozenset({"abuse-safeguarding"})
"""Complaints that show the helplines 109, 1098 and 999 at once."""

_DAY_GOOD_FOR_SECONDS = 60.0


@dataclass(frozen=True)
class Offer:
    """What may be chosen on a day."""

    day: date
    book: Directory
    choices: Choices


class _Today:
    """The day for showing lists, read at most once a minute: what is posted is checked by the exact day."""

    day: date | None = None
    read_at = float("-inf")


def today(session: Session) -> date:
    """The Dhaka date, up to a minute old; for lists only."""
    if _Today.day is None or time.monotonic() - _Today.read_at > _DAY_GOOD_FOR_SECONDS:
        _Today.day = clock.dhaka_date(clock.now(session))
        _Today.read_at = time.monotonic()
    return _Today.day


def offer(session: Session, day: date | None = None) -> Offer:
    """What may be chosen on a Dhaka date, or today; from caches."""
    return _offer(directory(session), day or today(session))


_offers: dict[tuple[int, date], Offer] = {}


def _offer(book: Directory, day: date) -> Offer:
    held = _offers.get((book.edition, day))
    if held is None or held.book is not book:
        if len(_offers) > 16:
            _offers.clear()
        held = _offers[book.edition, day] = Offer(day, book, _choices(book, day))
    return held


def _choices(book: Directory, day: date) -> Choices:
    upazilas: dict[str, str] = {}
    for district in in_force(book.districts, day):
        upazilas |= {place.code: district.code for place in in_force(book.children(district.id), day)}
    return Choices(
        programmes=frozenset(programme.slug for programme in book.programmes_on(day)),
        categories={category.slug: category.is_sensitive for category in book.categories_on(day)},
        districts=frozenset(district.code for district in in_force(book.districts, day)),
        upazilas=upazilas,
        offices=frozenset(office.code for office in in_force(book.offices, day)),
        find_programmes=_names(book, day).find,
        providers={office.code: str(office.provider_kind) for office in book.providers_on(day)},
    )


def _names(book: Directory, day: date) -> ProgrammeNames:
    """Every name of the programmes of a day, former and common ones among them."""
    return ProgrammeNames(
        {
            each.slug: (each.name_bn, each.name_en, *book.aliases.get(("programme", each.slug), ()))
            for each in book.programmes_on(day)
        }
    )


def stage_label(stage: str) -> str:
    """The heading of a group of programmes."""
    return {
        "old-age": gettext("Old age"),
        "disability": gettext("Disability"),
        "pregnancy-early-childhood": gettext("Mothers and small children"),
        "school-age": gettext("Pupils and students"),
        "working-age": gettext("Working age"),
        "all-ages": gettext("For all ages"),
    }.get(stage, stage)


def options(offer: Offer, language: str, name: str, selected: str = "", district: str = "") -> Markup:
    """The `<option>` elements of a select, with one selected: programme, district, upazila (of a district), accused_office."""
    listed = _options(_Key(offer), language, name, district)
    if not selected:
        return listed
    mark = f' value="{escape(selected)}"'
    # On the plain text: Markup.replace would escape what it puts in.
    return Markup(str(listed).replace(f"{mark}>", f"{mark} selected>", 1))


class _Key:
    """An offer as a cache key: two of the same edition and day are equal."""

    def __init__(self, offer: Offer) -> None:
        self.offer = offer
        self._identity = (id(offer.book), offer.book.edition, offer.day)

    def __hash__(self) -> int:
        return hash(self._identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._identity == other._identity


@lru_cache(maxsize=400)
def _options(key: _Key, language: str, name: str, district: str) -> Markup:
    offer = key.offer
    book, day = offer.book, offer.day
    parts = [_option("", gettext("Choose"))]
    if name == "programme":
        parts.append(_option(UNKNOWN, gettext("I do not know, or it is not in the list")))
        programmes = book.programmes_on(day)
        known = [*STAGES, *sorted({each.lifecycle_stage for each in programmes} - set(STAGES))]
        for stage in known:
            group = [each for each in programmes if each.lifecycle_stage == stage]
            if group:
                label = stage_label(stage)
                parts.append(Markup('<optgroup label="{}">').format(label) + _named(group, language, "slug"))
                parts.append(Markup("</optgroup>"))
    elif name == "district":
        parts.append(_named(in_force(book.districts, day), language, "code"))
        parts.append(_option(UNKNOWN, gettext("I do not know, or outside Bangladesh")))
    elif name == "upazila":
        parts.append(_option(UNKNOWN, gettext("I do not know")))
        if district in offer.choices.districts:
            parts.append(_named(in_force(book.children(district), day), language, "code"))
        else:
            for each in in_force(book.districts, day):
                label = each.name_bn if language == "bn" else each.name_en
                parts.append(Markup('<optgroup label="{}">').format(label))
                parts.append(_named(in_force(book.children(each.id), day), language, "code"))
                parts.append(Markup("</optgroup>"))
    elif name == "accused_office":
        parts.append(_named(in_force(book.offices, day), language, "code"))
    return Markup("").join(parts)


def _named(entries: Any, language: str, key: str) -> Markup:
    names = [(getattr(each, key), each.name_bn if language == "bn" else each.name_en) for each in entries]
    names = names if key == "slug" else sorted(names, key=lambda pair: pair[1])
    return Markup("").join(_option(value, name) for value, name in names)


def _option(value: str, label: str) -> Markup:
    return Markup('<option value="{}">{}</option>').format(value, label)
