"""Celery entries: delivery."""
