"""Measurements, run by hand: each prints ratios against a floor from the same run."""
