"""The tests of the integration and its simulated fleet."""
