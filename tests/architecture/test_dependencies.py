"""What the running system imports is in requirements.lock: the test environment has more, and would hide a gap."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from grm.kernel.places import derive_keys

# The broker's transport, the server's worker class and the sink are imported by name only, long after the start.
ALSO = ("kombu.transport.redis", "gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "celery.bin.celery", "grm.devsink")

# structlog, SQLAlchemy and kombu use these where they are, and do without elsewhere.
OPTIONAL = {"rich", "pygments", "greenlet", "markdown_it", "mdurl", "yaml"}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(root: Path) -> set[str]:
    script = (
        "import importlib, json, sys\n"
        f"for name in ('wsgi', 'grm.schedule', *{ALSO!r}): importlib.import_module(name)\n"
        "import celery; celery.current_app.loader.import_default_modules()\n"
        "import wsgi; wsgi.app.cli.list_commands(None); wsgi.celery.connection().transport\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    env = {**os.environ, "GRM_ENV": "test", **derive_keys(b"imports")}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_everything_imported_is_locked_for_the_running_system(root: Path) -> None:
    locked = {
        normal(name) for name in re.findall(r"^([\w.-]+)==", (root / "requirements.lock").read_text(), re.MULTILINE)
    }
    owners = importlib.metadata.packages_distributions()
    modules = imported(root)
    assert {"flask", "celery", "packaging", "sqlalchemy"} <= modules
    unlocked = {
        module: owners[module]
        for module in (modules & set(owners)) - OPTIONAL
        if not {normal(d) for d in owners[module]} & locked
    }
    assert not unlocked
