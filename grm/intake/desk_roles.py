"""Who sits at a desk and files for others."""

ROLES = ("desk_officer", "cell_officer", "gro")
