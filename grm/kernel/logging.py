"""JSON logs in UTC: one line an event, escaped and cut; never a query string, form value, phone, secret or cookie."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from grm.kernel.fault_text import fault_text

LONGEST = 2000


def _cut(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cut long values; of a traceback the end is what tells."""
    return {key: _shortened(key, value) if isinstance(value, str) else value for key, value in event.items()}


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
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper(), logging.INFO)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
