"""Whose work a cluster coordinator watches over. Pure.

A coordinator sits in the office of the ministry that coordinates a cluster (GRS Guidelines; `clusters.csv`), and reads what lies
at the offices of the cluster's ministries, the own one among them. A seat elsewhere oversees nothing.
"""

from collections.abc import Iterable

from grm.kernel.actor import Seat
from grm.offices.directory import Directory

ROLE = "cluster_coordinator"


def overseen_office_ids(seats: Iterable[Seat], book: Directory) -> frozenset[int]:
    """The ministry offices of the clusters that the ministries of these seats coordinate."""
    ministries = {seat.ministry_id for seat in seats if seat.role == ROLE and seat.ministry_id is not None}
    return frozenset(
        book.ministry(ministry_id).office_id
        for cluster in book.clusters
        if cluster.coordinator_ministry_id in ministries
        for ministry_id in cluster.ministry_ids
    )
