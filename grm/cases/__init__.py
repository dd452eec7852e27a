"""Stage 3: the government's file on a grievance: its states, its history and who may see it."""
