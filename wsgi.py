"""The application for gunicorn and the Celery application for worker and beat."""

import os

from config import load_settings
from grm.app import create_app
from grm.cli import register
from grm.worker import create_celery

app = register(create_app(load_settings(os.environ)))
celery = create_celery(app)
