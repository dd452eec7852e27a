"""gunicorn's log without what tells who was here: addresses, paths with what was searched for, values in messages."""

import sys
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # gunicorn brings no types

from grm.kernel.fault_text import fault_text

_INVALID = "Invalid request from ip="
_FAILED = "Error handling request"


class ServerLog(Logger):
    """The log of gunicorn's own events: workers that start, end, or hang."""

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """A request that is not HTTP is counted, not described: its sender's address and its headers stay out."""
        super().warning("A request was refused that is not HTTP." if msg.startswith(_INVALID) else msg, *args, **kwargs)

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """An exception that reached the server: where and of what kind, without the address asked for."""
        error = sys.exc_info()[1]
        if error is None or not msg.startswith(_FAILED):
            super().exception(msg, *args, **kwargs)
        else:
            self.error("A request failed: %s", fault_text(error))
