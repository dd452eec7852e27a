"""Celery entries: the sweep."""
