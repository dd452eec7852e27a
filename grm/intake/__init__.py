"""Stage 1: a citizen, or staff on someone's behalf, submits a grievance; it is kept verbatim."""
