"""The forms of the actions, written once for all pages on which they are the same.

A case page holds a dozen forms or more that nobody has filled in yet, alike on every page but for the token, the number of the
case and its version: writing them anew took most of the page's time. What was written is kept, with holes for these three,
under everything else that it depends on, so nothing need be thrown away; a form that was sent, with what somebody typed, is
never kept.
"""

from collections.abc import Callable
from typing import Any

from markupsafe import Markup, escape

from grm.cases.action_form import ActionForm
from grm.web.locale import language

_MOST = 1024
_written: dict[Any, str] = {}
_HOLES = ("\ue000token\ue000", "\ue000number\ue000", "\ue000version\ue000")


def act(
    section: Any,
    can_be_kept: bool,
    token: str,
    number: str,
    version: int,
    write: Callable[[Any, str, str, Any], Markup],
) -> Markup:
    """What the macro `write` writes for a section of the case page (`grm/cases/casepage.py`), from memory where that is
    known."""
    if section.is_open or not can_be_kept:
        return write(section, token, number, version)
    key = (language(), section.title, *_key(section.form))
    found = _written.get(key)
    if found is None:
        if len(_written) >= _MOST:
            _written.clear()
        found = _written[key] = str(write(section, *_HOLES))
    for hole, value in zip(_HOLES, (token, number, version), strict=True):
        found = found.replace(hole, str(escape(value)))
    return Markup(found)  # made by our own templates, values escaped


def _key(form: ActionForm) -> tuple[Any, ...]:
    """All that the fields of a form that nobody has filled in are written from."""
    extra = tuple((each.id, each.name_bn, each.name_en) for each in getattr(form, "offered", ()))
    return (
        form.action,
        extra,
        tuple(
            (
                *(field.name, str(field.label.text), str(field.description), str(field.data or "")),
                *(bool(field.flags.optional), _choices(field)),
            )
            for field in form
        ),
    )


def _choices(field: Any) -> tuple[Any, ...]:
    choices = getattr(field, "choices", None) or ()
    return tuple((key, tuple(group)) for key, group in choices.items()) if isinstance(choices, dict) else tuple(choices)
