"""Celery entries: resuming waits."""
