"""Which roles may open pages of cases at all; whether they may see the case asked for is `queries.visible_to`'s."""

SEARCHERS = ("gro", "case_officer", "appeal_officer", "head", "cell_officer", "desk_officer")
"""Who may look for cases by what somebody said or wrote. A coordinator comes from a figure, or with a number."""
READERS = (*SEARCHERS, "cluster_coordinator")
