"""What the benchmarks that run a Home Assistant share with the tests."""

from tests.conftest import loopback, our_integration

__all__ = ["loopback", "our_integration"]
