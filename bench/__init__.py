"""Benchmarks: GRM against floors measured in the same run. `make bench` prints ratios; see README.md for the method."""
