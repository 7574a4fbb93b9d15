"""The simulator as an enemy: every fault against every promise."""
