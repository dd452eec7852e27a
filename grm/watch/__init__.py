"""What operators see and do: figures, checks, the dead-man's watch, restoring from a backup, and forgetting in time."""
