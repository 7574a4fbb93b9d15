"""A simulated fleet in a process of its own, so that its work counts for nobody."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import multiprocessing
from multiprocessing.connection import Connection
from typing import Final

STOP_SECONDS: Final = 5
"""How long the fleet may take to end by itself."""


@contextmanager
def fleet_process(
    serve: Callable[[Connection], None],
) -> Iterator[tuple[Connection, int]]:
    """Run `serve` in a process; give its pipe, and the port that it says first.

    The word "end" tells it to stop.
    """
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=serve, args=(theirs,))
    process.start()
    try:
        yield ours, ours.recv()
    finally:
        ours.send("end")
        process.join(STOP_SECONDS)
        process.terminate()
