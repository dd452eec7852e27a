"""The forms as the templates' macros see them: light fields that hold what was typed, and what is wrong with it.

They have the face of WTForms fields (name, label.text, errors, flags.optional, a call that renders the input), so that
the shared macros work; WTForms itself would build 60 objects for a form of which a page shows five.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from markupsafe import Markup

from grm.intake import choices, wording
from grm.intake.choices import Offer
from grm.intake.screening import CHECKBOXES, MEDIA, PREFERRED_CHANNELS, UNKNOWN, Problem, is_ticked
from grm.kernel.errors import NotFound
from grm.web import labels
from grm.web.locale import gettext, language
from grm.web.presentation import name as name_of

PAGES: dict[int, tuple[str, ...]] = {
    1: ("programme", "category", "district"),
    2: ("details", "incident_on", "upazila", "place", "about"),
    3: (
        *("anonymous", "on_behalf", "relation", "representative_name", "name", "phone", "email"),
        *("sex", "age_group", "disability", "language", "preferred_channel"),
    ),
    4: ("declaration",),
}
"""The fields of the public form, page by page."""

LAST_PAGE = 4
PUBLIC_FIELDS = tuple(name for names in PAGES.values() for name in names)
DESK_FIELDS = (
    *("medium", "received_on", "programme", "category", "district", "upazila", "place", "incident_on", "details"),
    *("about", "accused_office", "anonymous", "name", "phone", "email", "sex", "age_group", "disability"),
    *("on_behalf", "relation", "representative_name", "language", "preferred_channel"),
)

_REQUIRED = frozenset({"programme", "category", "district", "details", "declaration", "medium"})
_NEVER_MARKED_OPTIONAL = _REQUIRED | CHECKBOXES | {"about", "language", "preferred_channel"}
_SELECTS = frozenset({"programme", "district", "upazila", "accused_office", "relation", "age_group"})
_RADIOS = frozenset({"category", "about", "sex", "disability", "language", "preferred_channel", "medium"})


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
        if name in CHECKBOXES:
            return Field(name, data, "checkbox")
        if name in _SELECTS or (self._is_desk and name == "category"):
            return Field(name, data, "select", inner=self._options(name, data))
        if name in _RADIOS:
            data = data or {"about": "none", "language": language()}.get(name, "")
            return Field(name, data, "radio", options=self._choices(name))
        return Field(name, data, "textarea" if name == "details" else "text")

    def _options(self, name: str, selected: str) -> Markup:
        if name in ("relation", "age_group", "category"):
            listed = [("", gettext("Choose")), *(self._choices(name) if name == "category" else labels.choices(name))]
            return Markup("").join(
                Markup('<option value="{}"{}>{}</option>').format(
                    value, Markup(" selected") if value == selected else "", text
                )
                for value, text in listed
            )
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
    """What was answered, page by page, for checking: (field, label, answer in words). Empty answers are left out."""
    rows: dict[int, list[tuple[str, str, str]]] = {}
    for page in (1, 2, 3):
        rows[page] = []
        for name in PAGES[page]:
            value = filling.get(name, "")
            if value.strip() and not (name in CHECKBOXES and not is_ticked(value)):
                rows[page].append((name, wording.label(name), _in_words(name, value, offer)))
    return rows


def _in_words(name: str, value: str, offer: Offer) -> str:
    if name in CHECKBOXES:
        return gettext("Yes")
    if name in ("programme", "category", "district", "upazila"):
        if value == UNKNOWN:
            return gettext("I do not know")
        book = offer.book
        look_up = {"programme": book.programme, "category": book.category}.get(name, book.place)
        try:
            return name_of(look_up(value))
        except NotFound:
            return value
    if name in labels.LABELS:
        return labels.label(name, value)
    return value
