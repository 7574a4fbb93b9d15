"""What people type or paste: addresses of a site, sheets of zones."""

from ipaddress import ip_address
from random import Random

from custom_components.esp32_fire_alarm.fleet.addresses import (
    MAX_ADDRESSES,
    AddressError,
    format_addresses,
    is_local,
    parse_addresses,
)
from custom_components.esp32_fire_alarm.fleet.models import ZONES_PER_SITE
from custom_components.esp32_fire_alarm.sheet import (
    MAX_LINES,
    MAX_TEXT,
    SheetRow,
    decode_sheet,
    format_sheet,
    parse_sheet,
)

from .mutate import Mutator

LONGEST_TEXT = 5000
PORT = 81

ADDRESSES = [
    "192.168.0.2-192.168.0.64",
    "192.168.0.2-64, 10.0.0.7:8181; fire-panel.local",
    "192.168.1.0/26",
    "[fd00::2]:81 fe80::1%eth0 ::1",
    "[fd00::2]-[fd00::40]:8181",
    "ws://10.0.0.1:81/, http://10.0.0.2/",
    "172.16.0.1 \u2013 172.16.0.9\nesp32-17",
    "fd00::/120",
]
ADDRESS_WORDS = [
    *("-", ":", "/", ",", ";", " ", ".", "[", "]", "%", "::", "0", "255", "256", "1"),
    *("10.0.0.1", "8.8.8.8", "127.0.0.1", "fd00::1", "::ffff:10.0.0.1", "/0", "/64"),
    *(
        "/32",
        ":81",
        ":0",
        ":65536",
        "ws://",
        "https://",
        "//",
        "\u2212",
        "\u0661",
        "0x7f",
    ),
    *("a" * 64, "xn--", "_", "\x00", "\n", "224.0.0.1", "0.0.0.0", "255.255.255.255"),
]

SHEETS = [
    "zone,name,area,device_class,enabled\n1,Lobby,Ground floor,smoke,yes\n2,Attic,,heat,no\n",
    "Zona;Nama;Ruangan;Jenis;Aktif\n1;Lobi;Lantai 1;asap;ya\n315;Gudang;;titik panggil manual;tidak\n",
    'zone\tname\n17\t"Tab ""quoted"""\n18\t\'=formula\n',
    "1,Lobby\n2,Attic\n\n3,=1+1\n",
    "#001#LOBBY, #002#Zone 2, #315#ATTIC",
    "number,name\nzone 5,Kitchen\nZona 06,Dapur\n",
]
SHEET_WORDS = [
    *(",", ";", "\t", "\n", "\r\n", '"', "'", "=", "+", "@", "#", "#001#", "#999#"),
    *("zone", "name", "area", "enabled", "zona", "1", "0", "316", "-1", "007", "1.5"),
    *(
        "yes",
        "no",
        "asap",
        "smoke",
        "\x00",
        "\ufeff",
        "\u2028",
        "\ud800",
        "\uff1d",
        "x" * 300,
    ),
    *("<b>", "\r", "\x0b", "\x85", "zone 1", "\u0661", "zone\t"),
]


class AddressFuzz:
    """Addresses: only our own error, local ones only, and back without a loss."""

    name = "addresses"

    def __init__(self, seed: int) -> None:
        """Begin with what installers type."""
        random = Random(seed)  # noqa: S311 - repeatable, not secret
        self._mutator = Mutator(ADDRESSES, ADDRESS_WORDS, random, LONGEST_TEXT)

    def make(self) -> str:
        """Return a text."""
        return self._mutator.make()

    def check(self, text: str) -> None:
        """Read it, write what was read, and read that again."""
        try:
            found = parse_addresses(text, PORT)
        except AddressError:
            return
        assert 0 < len(found) == len(set(found)) <= MAX_ADDRESSES
        for address in found:
            assert 1 <= address.port <= 65_535
            assert is_name(address.host) or is_local(address.host), address
        assert parse_addresses(format_addresses(found, PORT), PORT) == found
        assert parse_addresses(format_addresses(found), PORT) == found


def is_name(host: str) -> bool:
    """Tell whether a host is a name, not an address."""
    try:
        ip_address(host)
    except ValueError:
        return True
    return False


class SheetFuzz:
    """Sheets: never an exception, bounded, each zone once, and back without a loss."""

    name = "sheet"

    def __init__(self, seed: int) -> None:
        """Begin with sheets as they are pasted."""
        random = Random(seed)  # noqa: S311 - repeatable, not secret
        self._random = random
        self._mutator = Mutator(SHEETS, SHEET_WORDS, random, LONGEST_TEXT)

    def make(self) -> str:
        """Return a text."""
        return self._mutator.make()

    def check(self, text: str) -> None:
        """Read it as text and as a file, write what was read, and read that again."""
        encoding = ("utf-8", "utf-16", "cp1252")[len(text) % 3]
        again = decode_sheet(text.encode(encoding, "replace"))
        if again is not None:
            parse_sheet(again)
        sheet = parse_sheet(text)
        assert sheet.rows or sheet.errors
        zones = [row.zone for row in sheet.rows]
        assert len(zones) == len(set(zones)) <= ZONES_PER_SITE
        assert len(sheet.errors) <= 8 * (MAX_LINES + 2)
        for row in sheet.rows:
            assert 1 <= row.zone <= ZONES_PER_SITE
            assert len(row.name or "") <= MAX_TEXT and len(row.area or "") <= MAX_TEXT
        whole = tuple(
            SheetRow(row.zone, row.name or "", row.area or "", row.kind, row.enabled)
            for row in sheet.rows
        )
        for separator in (",", "\t"):
            if whole:
                back = parse_sheet(format_sheet(whole, separator))
                assert back.rows == whole and not back.errors
