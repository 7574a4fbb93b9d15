"""What people would run instead, as Home Assistant integrations."""
