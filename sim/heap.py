"""The free RAM of a simulated ESP32: never quite steady, less with each client."""

import random
from typing import Final

_AT_BOOT_BYTES: Final = 248_000
_PER_CLIENT_BYTES: Final = 4_400
_WANDER_BYTES: Final = 6_000
_STEP_BYTES: Final = 400


class Heap:
    """A number that wanders, the same way for the same seed."""

    def __init__(self, seed: int) -> None:
        """Begin as after a boot."""
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._wander = 0

    def step(self) -> None:
        """Let a polling cycle pass."""
        step = self._random.randint(-_STEP_BYTES, _STEP_BYTES)
        self._wander = max(-_WANDER_BYTES, min(_WANDER_BYTES, self._wander + step))

    def free_bytes(self, clients: int) -> int:
        """Return what is left in bytes while this many clients are connected."""
        return _AT_BOOT_BYTES - _PER_CLIENT_BYTES * clients + self._wander
