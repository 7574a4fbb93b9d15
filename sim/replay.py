"""Captured WebSocket messages from a file, byte for byte."""

from pathlib import Path
from typing import Final

from .errors import SimError

MAX_FILE_BYTES: Final = 16 * 1024 * 1024


def load_messages(path: Path) -> tuple[bytes, ...]:
    """Return the messages in a file, exactly as they are.

    A file is one message, unless it has more than one line that is not blank
    and every such line starts with `{`: then each line is one.

    Raises:
        SimError: the file cannot be read, is empty or larger than 16 MiB.

    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise SimError(f"file {path}: larger than {MAX_FILE_BYTES >> 20} MiB")
        content = path.read_bytes()
    except OSError as err:
        raise SimError(f"file {path}: {err.strerror}") from err
    if not content.strip():
        raise SimError(f"file {path}: empty; it must hold a captured message")
    lines = [line.removesuffix(b"\r") for line in content.split(b"\n") if line.strip()]
    if len(lines) > 1 and all(line.startswith(b"{") for line in lines):
        return tuple(lines)
    return (content,)
