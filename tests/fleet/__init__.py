"""Tests of the engine room, which knows no Home Assistant."""
