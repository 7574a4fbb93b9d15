"""Text from the network, made fit for one line of a log, a state or a report.

A node is not to be trusted with what a terminal, a log reader or a browser
makes of its words: line ends forge lines, escapes move cursors, marks for
right-to-left script turn a sentence round.
"""

import re
from typing import Final

MAX_PLAIN: Final = 120
"""Longest text worth showing, in characters."""

_NO_WORD: Final = re.compile(r"[^A-Za-z0-9 _.:/-]+")


def plain(text: str, length: int = MAX_PLAIN) -> str:
    """Return the beginning of a text with a mark for all that is not printable."""
    text = text[:length]
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else "?" for one in text)


def plain_word(text: str, length: int) -> str:
    """Return the letters, digits and harmless marks at the beginning of a text."""
    return _NO_WORD.sub("", text[:length]).strip()
