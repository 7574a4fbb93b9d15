"""In a real browser, in front of a real Home Assistant and 63 nodes."""
