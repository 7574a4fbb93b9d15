"""Tests against a real Home Assistant process, seen through its own interfaces."""
