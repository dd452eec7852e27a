"""Celery entries: tidying."""
