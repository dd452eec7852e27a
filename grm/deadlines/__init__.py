"""Stage 4: when each step is due, by dated policy and the working-day calendar, and why."""
