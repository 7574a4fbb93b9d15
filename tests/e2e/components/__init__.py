"""Custom integrations that only tests put into a real Home Assistant."""
