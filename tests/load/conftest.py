"""Sockets on loopback, as the tests of the engine room have them."""

from tests.fleet.conftest import loopback

__all__ = ["loopback"]
