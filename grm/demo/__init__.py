"""Demo: realistic cases of the last twelve months, so that queues and reports show something. Development only."""
