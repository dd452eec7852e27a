"""The fields of an action's form, written once for all pages on which they are the same.

A case page holds a dozen forms or more that nobody has filled in yet, alike on every page but for a few words: writing them
anew took most of the page's time. What was written is kept under everything that it depends on, so nothing need be thrown
away; a form that was sent, with what somebody typed, is never kept.
"""

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from grm.cases.action_form import ActionForm
from grm.web.locale import language

_MOST = 1024
_written: dict[Any, Markup] = {}


def fields(form: ActionForm, is_open: bool, caller: Callable[[], Markup]) -> Markup:
    """What `caller` (a `{% call %}` block of a template) writes for the form, from memory where that is known."""
    if is_open:
        return caller()
    key = (language(), *_key(form))
    found = _written.get(key)
    if found is None:
        if len(_written) >= _MOST:
            _written.clear()
        found = _written[key] = caller()
    return found


def _key(form: ActionForm) -> tuple[Any, ...]:
    """All that the fields of a form that nobody has filled in are written from."""
    extra = tuple((each.id, each.name_bn, each.name_en) for each in getattr(form, "offered", ()))
    return (
        form.action,
        extra,
        tuple(
            (field.name, str(field.label.text), str(field.description), str(field.data or ""), _choices(field))
            for field in form
        ),
    )


def _choices(field: Any) -> tuple[Any, ...]:
    choices = getattr(field, "choices", None) or ()
    return tuple((key, tuple(group)) for key, group in choices.items()) if isinstance(choices, dict) else tuple(choices)
