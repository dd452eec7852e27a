"""Closures looked at again by somebody outside the office."""
