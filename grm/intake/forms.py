"""The forms as the templates' macros see them: light fields that hold what was typed, and what is wrong with it.

They have the face of WTForms fields (name, label.text, errors, flags.optional, a call that renders the input), so that
the shared macros work; WTForms itself would build 60 objects for a form of which a page shows five.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from markupsafe import Markup

from grm.intake import choices, facts_fields, wording
from grm.intake.choices import Offer
from grm.intake.facts import CORRECTION_CATEGORIES, CORRECTION_FIELDS, FACT_FIELDS, PAYMENT_FIELDS, fields_for
from grm.intake.screening import (
    CHECKBOXES,
    IDENTIFYING,
    MEDIA,
    NONE_OF_THESE,
    PREFERRED_CHANNELS,
    UNKNOWN,
    Problem,
    is_ticked,
    programme_of,
)
from grm.kernel.errors import NotFound
from grm.web import labels
from grm.web.locale import gettext, language
from grm.web.presentation import name as name_of

PAGES: dict[int, tuple[str, ...]] = {
    1: ("programme", "programme_words", "category", "district"),
    2: (*CORRECTION_FIELDS, "details", *PAYMENT_FIELDS, "incident_on", "upazila", "place", "about"),
    3: (
        *("anonymous", "on_behalf", "relation", "representative_name", "name", "phone", "email", "others"),
        *("sex", "age_group", "disability", "language", "preferred_channel"),
    ),
    4: ("declaration",),
}
"""The fields of the public form, page by page; `asked` says which of them a category is asked."""

FILE_FIELDS = ("attachments",)
"""Not among what was typed, but with a place for what is wrong with them."""

LAST_PAGE = 4
PUBLIC_FIELDS = tuple(name for names in PAGES.values() for name in names)
DESK_FIELDS = (
    *(
        "medium",
        "received_on",
        "programme",
        "programme_words",
        "category",
        "district",
        "upazila",
        "place",
        "incident_on",
        "details",
    ),
    *("about", "accused_office", "anonymous", "name", "phone", "email", "others", "sex", "age_group", "disability"),
    *("on_behalf", "relation", "representative_name", "language", "preferred_channel"),
    *FACT_FIELDS,
)

_REQUIRED = frozenset({"programme", "category", "district", "details", "declaration", "medium"})
_NEVER_MARKED_OPTIONAL = _REQUIRED | CHECKBOXES | {"about", "language", "preferred_channel"}
_SELECTS = facts_fields.SELECTS | {"programme", "district", "upazila", "accused_office", "relation", "age_group"}
_TEXTAREAS = frozenset({"details", "others"})
_NOT_FOR_CORRECTIONS = ("incident_on", "place", "about")
"""What a request to correct data need not say; who has said it sees it all the same."""
_RADIOS = facts_fields.RADIOS | {
    *("category", "about", "sex", "disability", "language", "preferred_channel", "medium"),
}


def asked(page: int, filling: Mapping[str, str]) -> tuple[str, ...]:
    """The fields that a page of the public form asks, by the category chosen."""
    if page != 2:
        return PAGES[page]
    category = filling.get("category", "")
    left_out = set(FACT_FIELDS) - set(fields_for(category))
    if category in CORRECTION_CATEGORIES:
        left_out |= {name for name in _NOT_FOR_CORRECTIONS if filling.get(name, "").strip() in ("", "none")}
    return tuple(name for name in PAGES[page] if name not in left_out)


@dataclass
class Field:
    """One field of a form being shown."""

    name: str
    data: str
    kind: str
    errors: list[str] = field(default_factory=list)
    inner: Markup = field(default_factory=Markup)
    options: tuple[tuple[str, str], ...] = ()

    @property
    def id(self) -> str:
        """The element's id: the field's name."""
        return self.name

    @property
    def type(self) -> str:
        """The name WTForms would give the class; the macros ask for hidden ones."""
        return "HiddenField" if self.kind == "hidden" else "Field"

    @property
    def label(self) -> Any:
        """What the field is called."""
        return SimpleNamespace(text=wording.label(self.name))

    @property
    def description(self) -> str:
        """The hint under the label."""
        return wording.hint(self.name)

    @property
    def flags(self) -> Any:
        """Whether "(optional)" is written."""
        return SimpleNamespace(optional=self.name not in _NEVER_MARKED_OPTIONAL)

    def __iter__(self) -> Iterator[Any]:
        """The choices of a group of radio buttons."""
        for number, (value, text) in enumerate(self.options):
            yield SimpleNamespace(
                id=f"{self.name}-{number}",
                data=value,
                checked=value == self.data,
                label=SimpleNamespace(text=text),
            )

    def __call__(self, **attributes: Any) -> Markup:
        """The input element, with what was typed in it."""
        shown = Markup("").join(
            Markup(' {}="{}"').format(key, value)
            for key, value in attributes.items()
            if value not in (None, False, "") and key not in ("id", "name", "type")
        )
        start = Markup(' id="{0}" name="{0}"').format(self.name) + shown
        if self.kind == "textarea":
            # The first line break after the tag is not part of the value; an extra one keeps a leading one typed.
            return Markup("<textarea{}>\n{}</textarea>").format(start, self.data)
        if self.kind == "select":
            return Markup("<select{}>{}</select>").format(start, self.inner)
        if self.kind == "checkbox":
            checked = Markup(" checked") if is_ticked(self.data) else Markup("")
            return Markup('<input type="checkbox" value="1"{}{}>').format(start, checked)
        kind = attributes.get("type") or "text"
        return Markup('<input type="{}" value="{}"{}>').format(kind, self.data, start)


class FormView:
    """A form as a template sees it: fields by name, faults beside them, general faults in `form_errors`."""

    def __init__(
        self,
        names: Iterable[str],
        filling: Mapping[str, str],
        problems: Iterable[Problem],
        offer: Offer,
        is_desk: bool = False,
    ) -> None:
        self.form_errors: list[str] = []
        self.filling = filling
        self.offer = offer
        self._is_desk = is_desk
        self._district = "" if is_desk else filling.get("district", "")
        problems = tuple(problems)
        self._asks_which = {"programme-several", "programme-perhaps"} & {problem.code for problem in problems}
        self._fields = {name: self._field(name) for name in names}
        for problem in problems:
            if problem.field in self._fields:
                self._fields[problem.field].errors.append(wording.sentence(problem))

    @property
    def errors(self) -> bool:
        """Whether anything is wrong; the page's title then begins with "Error"."""
        return bool(self.form_errors) or any(each.errors for each in self._fields.values())

    def __iter__(self) -> Iterator[Field]:
        return iter(self._fields.values())

    def __getattr__(self, name: str) -> Field:
        try:
            return self.__dict__["_fields"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(name) from None

    def _field(self, name: str) -> Field:
        data = self.filling.get(name, "")
        if name == "programme":
            return self._programme(data)
        if name in CHECKBOXES:
            return Field(name, data, "checkbox")
        if name in _SELECTS or (self._is_desk and name == "category"):
            return Field(name, data, "select", inner=self._options(name, data))
        if name in _RADIOS:
            data = data or {"about": "none", "language": language()}.get(name, "")
            return Field(name, data, "radio", options=self._choices(name))
        return Field(name, data, "textarea" if name in _TEXTAREAS else "text")

    def _programme(self, chosen: str) -> Field:
        """The list of programmes; where a name was written that several go by, these to choose from."""
        if self._asks_which or chosen == NONE_OF_THESE:
            found = self.offer.choices.find_programmes(self.filling.get("programme_words", ""))
            if found.slugs and not found.is_sure:
                named = tuple((slug, name_of(self.offer.book.programme(slug))) for slug in found.slugs)
                none = (NONE_OF_THESE, gettext("None of these, or I do not know"))
                return Field("programme", chosen, "radio", options=(*named, none))
        chosen = UNKNOWN if chosen == NONE_OF_THESE else chosen
        return Field("programme", chosen, "select", inner=self._options("programme", chosen))

    @property
    def programme_hints(self) -> dict[str, str]:
        """What people call each of the programmes to choose from, in the page's script: official names tell them little."""
        in_bangla, shown = language() == "bn", {}
        for slug, _name in self.programme.options:
            called = self.offer.book.aliases.get(("programme", slug), ())
            if fitting := [each for each in called if each.isascii() != in_bangla]:
                shown[slug] = ", ".join(fitting)
        return shown

    def _options(self, name: str, selected: str) -> Markup:
        if name in ("relation", "age_group", "category"):
            listed = [("", gettext("Choose")), *(self._choices(name) if name == "category" else labels.choices(name))]
            return Markup("").join(
                Markup('<option value="{}"{}>{}</option>').format(
                    value, Markup(" selected") if value == selected else "", text
                )
                for value, text in listed
            )
        if name in facts_fields.SELECTS:
            return facts_fields.options(self.offer.book, self.offer.day, name, selected)
        return choices.options(self.offer, language(), name, selected, self._district)

    def _choices(self, name: str) -> tuple[tuple[str, str], ...]:
        if name == "category":
            return tuple((each.slug, name_of(each)) for each in self.offer.book.categories_on(self.offer.day))
        if name == "medium":
            return tuple((code, labels.label("channel", code)) for code in MEDIA)
        if name == "preferred_channel":
            return tuple((code, labels.label(name, code)) for code in PREFERRED_CHANNELS)
        return tuple(labels.choices(name))


def category_hints(offer: Offer) -> dict[str, str]:
    """The line under each category: what it means, with an example; for abuse, whom to call now."""
    call_now = gettext("In danger, call now: 999 (emergency), 109 (women and children), 1098 (children).")
    shown = {}
    for each in offer.book.categories_on(offer.day):
        text = each.description_bn if language() == "bn" else each.description_en
        shown[each.slug] = f"{text} {call_now}" if each.slug in choices.HELPLINE_CATEGORIES else text
    return shown


def answer_rows(filling: Mapping[str, str], offer: Offer) -> dict[int, list[tuple[str, str, str]]]:
    """What was answered and counts, page by page, for checking: (field, label, answer in words). Empty answers are left out."""
    silent = _silent(filling, offer)
    rows: dict[int, list[tuple[str, str, str]]] = {}
    for page in (1, 2, 3):
        rows[page] = []
        for name in asked(page, filling):
            value = filling.get(name, "")
            if name == "programme" and value not in offer.choices.programmes:
                value = programme_of(filling, offer.choices) or UNKNOWN
            if value.strip() and name not in silent and not (name in CHECKBOXES and not is_ticked(value)):
                rows[page].append((name, wording.label(name), _in_words(name, value, offer)))
    return rows


def _silent(filling: Mapping[str, str], offer: Offer) -> set[str]:
    """Fields whose answers do not count beside others."""
    silent: set[str] = set()
    if is_ticked(filling.get("anonymous")):
        silent |= IDENTIFYING
    if not is_ticked(filling.get("on_behalf")):
        silent |= {"relation", "representative_name"}
    if filling.get("programme") in offer.choices.programmes:
        silent.add("programme_words")
    return silent


def _in_words(name: str, value: str, offer: Offer) -> str:
    if name in CHECKBOXES:
        return gettext("Yes")
    if name in ("programme", "category", "district", "upazila"):
        if value in (UNKNOWN, NONE_OF_THESE):
            return gettext("I do not know")
        book = offer.book
        look_up = {"programme": book.programme, "category": book.category}.get(name, book.place)
        try:
            return name_of(look_up(value))
        except NotFound:
            return value
    if name in FACT_FIELDS:
        return facts_fields.in_words(offer.book, name, value)
    if name in labels.LABELS:
        return labels.label(name, value)
    return value
