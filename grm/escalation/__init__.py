"""Stage 5: the sweep that climbs the ladder one rung for each missed deadline."""
