"""JSON logs in UTC: one line an event, escaped and cut; never a query string, form value, phone, secret or cookie."""

import json
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from grm.kernel.fault_text import fault_text

LONGEST = 2000


_UNSEEN = re.compile("[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
"""What JSON lets through and no log may hold raw: it ends a line, steers a terminal, turns text round or hides it."""


def _cut(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cut long values; of a traceback the end is what tells."""
    return {key[:LONGEST]: _bounded(key, value) for key, value in event.items()}


def _bounded(key: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return _shortened(key, value)
    text = json.dumps(value, default=repr, ensure_ascii=False)
    return value if len(text) <= LONGEST else text[:LONGEST]


def _line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    """One line of JSON, whatever is in it."""
    line = json.dumps(event, default=repr, ensure_ascii=False)
    return _UNSEEN.sub(lambda found: f"\\u{ord(found.group()):04x}", line)


def _shortened(key: str, value: str) -> str:
    return value[-LONGEST:] if key == "exception" else value[:LONGEST]


def configure(level: str) -> None:
    """Send our own log to standard error as JSON lines."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(lambda exc_info: fault_text(exc_info[1])),
            _cut,
            _line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper(), logging.INFO)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
