"""Figures kept up to date: what every case counts as, and the sums that reports read."""
