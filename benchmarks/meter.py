"""What is measured inside a contestant's process."""

import asyncio
import gc
import time
from typing import Final

import psutil

PROBE_SECONDS: Final = 0.002
"""Period of the timer whose delay shows for how long the event loop was held up."""


class Probe:
    """A timer that notes how late it is; the event loop was held up for so long.

    It also notes the processor time that the event loop's thread used since it
    last went off: on a busy machine, or while another thread has the interpreter,
    that tells what this process itself did in one go.
    """

    def __init__(self) -> None:
        """Start at once."""
        self._loop = asyncio.get_running_loop()
        self.delays_ms: list[float] = []
        self.turns_ms: list[float] = []
        self._cpu_seconds = time.thread_time()
        self._due = self._loop.time()
        self._timer = self._loop.call_at(self._due, self._go_off)

    def stop(self) -> None:
        """Note nothing any more."""
        self._timer.cancel()

    def _go_off(self) -> None:
        """Note the delay and plan the next time."""
        now, cpu_seconds = self._loop.time(), time.thread_time()
        self.delays_ms.append((now - self._due) * 1e3)
        self.turns_ms.append((cpu_seconds - self._cpu_seconds) * 1e3)
        self._cpu_seconds = cpu_seconds
        self._due = now + PROBE_SECONDS
        self._timer = self._loop.call_at(self._due, self._go_off)


def collect_ms() -> float:
    """Run a full garbage collection; return how long it held everything up, in ms."""
    began = time.perf_counter()
    gc.collect()
    return (time.perf_counter() - began) * 1e3


def memory_kb() -> dict[str, float]:
    """Return what this process occupies: resident, and its alone, in kB."""
    gc.collect()
    info = psutil.Process().memory_full_info()
    return {"rss": info.rss / 1024, "uss": info.uss / 1024}


def cpu_ns() -> int:
    """Return the processor time of this process, all threads, in nanoseconds."""
    return time.process_time_ns()
