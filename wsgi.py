"""The application for gunicorn and the Celery application for worker and beat."""

import gc
import os
from typing import Any

# Whoever imports this forks next. Objects the collector never visits stay shared between parent and children: without
# these three calls the system needs 90 MB more. Off first, so that importing leaves no holes for children to fill.
gc.disable()

from config import load_settings  # noqa: E402
from grm.app import create_app  # noqa: E402
from grm.cli import register  # noqa: E402

app = register(create_app(load_settings(os.environ)))


def __getattr__(name: str) -> Any:
    """`celery` is made when first asked for: the web server does without it."""
    if name != "celery":
        raise AttributeError(name)
    from grm.worker import create_celery

    globals()[name] = celery = create_celery(app)
    gc.freeze()
    return celery


gc.freeze()
gc.enable()
