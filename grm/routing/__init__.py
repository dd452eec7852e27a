"""Stage 2: dated rules choose exactly one office's queue, and say why."""
