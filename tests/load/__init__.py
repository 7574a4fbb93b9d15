"""Nodes that send far too much, and the others beside them."""
