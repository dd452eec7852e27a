"""Which roles may open pages of cases at all; whether they may see the case asked for is `queries.visible_to`'s."""

READERS = ("gro", "case_officer", "appeal_officer", "head", "cell_officer", "desk_officer")
