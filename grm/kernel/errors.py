"""What can go wrong in a way the caller must explain to a person.

Services raise these; only `grm/web/errors.py` turns them into HTTP. Each error carries a `code`
(kebab-case, the key of the sentence shown) and `params` (values for that sentence). Neither ever holds a
phone number, a secret or case text.
"""

from collections.abc import Mapping
from typing import Any


class GrmError(Exception):
    """An expected failure. `code` names the sentence to show, `params` fills it."""

    default_code = "error"

    def __init__(self, code: str = "", **params: Any) -> None:
        self.code: str = code or self.default_code
        self.params: dict[str, Any] = params
        super().__init__(self.code)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.code!r})"


class NotFound(GrmError):
    """There is no such thing, or none that this actor may know of."""

    default_code = "not-found"


class Forbidden(GrmError):
    """The actor may not do this. Shown exactly like `NotFound`, so that it tells nothing."""

    default_code = "not-found"


class Conflict(GrmError):
    """Somebody else changed it first. `changed` says what differs, to show beside the user's own text."""

    default_code = "conflict"

    def __init__(self, code: str = "", *, changed: Mapping[str, Any] | None = None, **params: Any) -> None:
        super().__init__(code, **params)
        self.changed: dict[str, Any] = dict(changed or {})


class IllegalAction(GrmError):
    """The case's state does not allow this action. `code` says why."""

    default_code = "illegal-action"


class InvalidInput(GrmError):
    """What was typed cannot be taken. `fields` maps a form field to the code of its error.

    A parser of one value knows no field: it raises with a code only, and the form puts the code beside its
    field.
    """

    default_code = "invalid-input"

    def __init__(self, code: str = "", *, fields: Mapping[str, str] | None = None, **params: Any) -> None:
        super().__init__(code, **params)
        self.fields: dict[str, str] = dict(fields or {})


class Unavailable(GrmError):
    """Something we depend on does not answer now; trying again later may help."""

    default_code = "unavailable"


class TooMany(GrmError):
    """A limit is reached. `retry_after_seconds` is when another try makes sense."""

    default_code = "too-many"

    def __init__(self, code: str = "", *, retry_after_seconds: int, **params: Any) -> None:
        super().__init__(code, retry_after_seconds=retry_after_seconds, **params)
        self.retry_after_seconds: int = retry_after_seconds


class Misconfigured(GrmError):
    """The reference data (rules, policies, calendar) lacks what the code was promised. An operator must
    act."""

    default_code = "misconfigured"
