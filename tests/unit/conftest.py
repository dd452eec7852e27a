"""Unit tests need no database. A busy machine must not turn a property red: only the answer counts, not
the time."""

from hypothesis import settings

settings.register_profile("unit", deadline=None)
settings.load_profile("unit")
