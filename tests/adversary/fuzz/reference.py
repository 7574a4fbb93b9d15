"""A second decoder of panel messages: slow, obvious, and not a line in common.

Written from the grammar (PROTOCOL 0 and 2), one character after the other, so
that the fast one can be compared with it. What both say of a message must be
the same; telemetry is left out.
"""

from dataclasses import dataclass, field
import json
import re

LONGEST_BYTES = 64 * 1024
DIGITS = "0123456789"
HEX = DIGITS + "abcdefABCDEF"
CONTROLS = {*range(32), 127}
SEPARATORS = re.compile("<STX>\x02|<STX>|\x02|\x03|<STST>|<ETX>")
NOT_ZONES_TYPES = (
    "esp_command",
    "control_signal",
    "bell_confirmation",
    "system_status",
    "connection_status",
    "acknowledgment",
)


@dataclass
class Module:
    """One module: two five-bit masks and two bits, or nothing when offline."""

    online: bool
    alarm: int = 0
    trouble: int = 0
    bell: bool = False
    bit5: bool = False


@dataclass
class Meaning:
    """What a message says of zones."""

    header: int | None = None
    status: int | None = None
    modules: dict[int, Module] = field(default_factory=dict)
    confirmations: list[tuple[int, str]] = field(default_factory=list)
    malformed: int = 0


def read(raw: bytes) -> Meaning | None:
    """Return the meaning, or None for a message that has none."""
    if len(raw) > LONGEST_BYTES:
        return None
    text = tidy(raw)
    if text == "":
        return None
    found = find_data(text)
    if found is None:
        return None
    data, is_cut = found
    panel_text = unify(data)
    if panel_text is None:
        return None
    cycle = panel_text.split("|")[0]
    return read_cycle(cycle, is_cut=is_cut and "|" not in panel_text)


def tidy(raw: bytes) -> str:
    """Return text without control bytes; the raw confirmation byte is spelled out."""
    kept = bytes(byte for byte in raw if byte in (2, 3) or byte not in CONTROLS)
    spelled = kept.replace(b"$\x84", b"$84").replace(b"$\x85", b"$85")
    return spelled.decode("utf-8", errors="replace").strip()


def find_data(text: str) -> tuple[str, bool] | None:
    """Return the data string, and whether its end is missing."""
    try:
        message = json.loads(text, strict=False)
    except ValueError, RecursionError:
        if text[0] in '{["':
            return salvage(text)
        return text, False
    if isinstance(message, str):
        return message, False
    if not isinstance(message, dict):
        return None
    if "messageType" in message:
        return None
    for key, words in (("type", NOT_ZONES_TYPES), ("command", ("r", "d", "s", "a"))):
        if isinstance(message.get(key), str) and message[key] in words:
            return None
    if not isinstance(message.get("data"), str):
        return None
    return message["data"], False


def salvage(text: str) -> tuple[str, bool] | None:
    """Find the data string of broken JSON."""
    if '"messageType"' in text:
        return None
    for start in range(len(text)):
        if not text.startswith('"data"', start):
            continue
        rest = text[start + len('"data"') :].lstrip()
        if rest.startswith(":") and rest[1:].lstrip().startswith('"'):
            return closed_string(rest[1:].lstrip()[1:])
    return None


def closed_string(text: str) -> tuple[str, bool]:
    """Return what stands before the next quote that no backslash precedes."""
    place = 0
    while place < len(text) and text[place] != '"':
        if text[place] == "\\":
            if place + 1 == len(text):
                break
            place += 1
        place += 1
    is_cut = place >= len(text) or text[place] != '"'
    data = text[:place].replace("\\u0002", "<STX>").replace("\\u0003", "<STX>")
    return data, is_cut


def unify(data: str) -> str | None:
    """Return the data with one spelling of the separator, or None if it is none."""
    pieces = SEPARATORS.split(data)
    text = "<STX>".join(
        "".join(one for one in piece if one >= " " and one != "\x7f")
        for piece in pieces
    )
    if "<STX>" in text:
        return text
    cycle, *suffix = text.split("|")
    words = cycle.split()
    if len(words) < 2 or len(words[0]) not in (4, 8) or not is_master(words[0]):
        return None
    for word in words[1:]:
        if word not in ("$84", "$85") and segment(word) is None and not far(word):
            return None
    return "|".join(["<STX>".join(words) + "<STX>", *suffix])


def far(word: str) -> bool:
    """Tell whether a word has the shape of a segment, with an address there is not."""
    return len(word) in (2, 6) and shaped(word)


def is_master(word: str) -> bool:
    """Tell whether four hexadecimal digits come first."""
    return len(word) >= 4 and all(one in HEX for one in word[:4])


def shaped(word: str) -> bool:
    """Tell whether these are two decimal and then hexadecimal digits."""
    return all(one in DIGITS for one in word[:2]) and all(
        one in HEX for one in word[2:]
    )


def segment(word: str) -> tuple[int, Module] | None:
    """Return address and state of a well-formed segment."""
    if len(word) not in (2, 6) or not shaped(word):
        return None
    address = 10 * DIGITS.index(word[0]) + DIGITS.index(word[1])
    if address == 0 or address > 63:
        return None
    if len(word) == 2:
        return address, Module(online=False)
    trouble, alarm = int(word[2:4], 16), int(word[4:6], 16)
    return address, Module(
        online=True,
        alarm=alarm % 32,
        trouble=trouble % 32,
        bell=alarm // 32 % 2 == 1,
        bit5=trouble // 32 % 2 == 1,
    )


def read_cycle(cycle: str, *, is_cut: bool) -> Meaning | None:
    """Read the master word and the segments."""
    if is_cut:
        cycle = without_cut_end(cycle)
    prefix, *words = cycle.split("<STX>")
    prefix = prefix.strip()
    meaning = Meaning()
    if is_master(prefix):
        meaning.header, meaning.status = int(prefix[:2], 16), int(prefix[2:4], 16)
    else:
        meaning.malformed = 1
    last: int | None = None
    for word in words:
        word = word.strip()
        if word == "":
            continue
        if word in ("$84", "$85") and last is not None:
            meaning.confirmations.append((last, word))
        elif (found := segment(word)) is not None:
            last, module = found
            if last in meaning.modules and meaning.modules[last] != module:
                meaning.malformed += 1
                module = worse(meaning.modules[last], module)
            meaning.modules[last] = module
        else:
            meaning.malformed += 1
            last = None
    if meaning.status is None and not meaning.modules:
        return None
    return meaning


def without_cut_end(cycle: str) -> str:
    """Return a cycle whose end is missing without what may have lost its own end."""
    for length in (4, 3, 2, 1):
        tail = cycle[-length:]
        if len(tail) == length and tail[0] == "<" and set(tail[1:]) <= set("SETX"):
            return cycle[:-length]
    if "<STX>" not in cycle:
        return ""
    *head, last = cycle.split("<STX>")
    return cycle if len(last.strip()) == 6 else "<STX>".join([*head, "?"])


def worse(one: Module, other: Module) -> Module:
    """Return what two contradicting segments leave."""
    if not one.alarm and not other.alarm and not (one.online and other.online):
        return Module(online=False)
    return Module(
        online=True,
        alarm=one.alarm | other.alarm,
        trouble=one.trouble | other.trouble,
        bell=one.bell or other.bell,
        bit5=one.bit5 or other.bit5,
    )
