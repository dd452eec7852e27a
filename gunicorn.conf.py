"""What gunicorn reads by itself when it is started in this directory: what it may write down about requests, and where they wait.

No access log (it would hold addresses and user agents), and no address of a request that could not be read.
"""

from typing import Any

from grm.web.server_log import ServerLog

accesslog = None
logger_class = ServerLog


def post_worker_init(worker: Any) -> None:
    """Let the application see how many requests wait in this process for a thread (`grm/web/busy.py`)."""
    from grm.web import busy

    if (pool := getattr(worker, "tpool", None)) is not None:
        busy.watch(pool)
