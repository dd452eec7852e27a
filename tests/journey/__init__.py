"""Tests against the whole running system, which is started once for this folder and stopped after it."""
