"""An exception as a log may hold it: where it happened and of what kind, without a word that somebody typed.

Python's and PostgreSQL's messages like to quote the value that did not fit ("invalid literal for int(): '01712…'",
"Failing row contains (…)"). A log is read by more people than a case is, and kept for other reasons.
"""

import re
import traceback
from types import TracebackType

import psycopg
from sqlalchemy.exc import DBAPIError, StatementError

QUOTING: tuple[type[BaseException], ...] = (ValueError, LookupError, StatementError, psycopg.Error)
"""Kinds of exceptions whose messages quote values."""
_LIBRARY = "site-packages"
_NAME = re.compile("'[a-z_]{1,40}'")


def fault_text(error: BaseException) -> str:
    """The whole chain of an exception, the cause first, as a traceback shows it."""
    parts: list[str] = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        parts.append(_one(link, link.__traceback__))
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "\n--- then ---\n".join(reversed(parts))


def fault_line(error: BaseException) -> str:
    """Kind and message of an exception; of a database's error the code and the names of what it is about."""
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    if isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.Error):
        return f"{kind} of {fault_line(error.orig)}"
    if isinstance(error, psycopg.Error):
        about = (error.sqlstate, error.diag.table_name, error.diag.column_name, error.diag.constraint_name)
        return f"{kind}: {' '.join(word for word in about if word)}".rstrip(": ")
    message = str(error)
    if isinstance(error, KeyError) and _NAME.fullmatch(message):
        return f"{kind}: {message}"  # a name of ours
    return kind if isinstance(error, QUOTING) or not message else f"{kind}: {message}"


def _one(error: BaseException, trace: TracebackType | None) -> str:
    """Our own frames and the innermost one: a log line is short, and a library's two dozen would leave no room for ours."""
    frames = traceback.extract_tb(trace)
    told = [frame for frame in frames[:-1] if _LIBRARY not in frame.filename] + list(frames[-1:])
    lines = [f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n    {frame.line}\n' for frame in told]
    return "".join(lines) + fault_line(error)
