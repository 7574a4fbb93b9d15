"""Between what an installer types and the addresses it means.

"192.168.0.2-192.168.0.64, 10.0.0.7:8181" in, 64 `DeviceAddress`es out, and
back. Pure text work on `ipaddress`: no name is resolved and nothing is sent.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
import re
from typing import Final

from .models import DeviceAddress

MAX_ADDRESSES: Final = 1024
"""Most addresses of one text; a site has up to 63 ESP32s, a scan looks for them in more."""

MAX_PORT: Final = 65535

LOCAL_NETWORKS: Final = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)
"""Private, link-local and loopback networks: nobody's panel is on the open internet."""

_BROADCAST: Final = IPv4Address("255.255.255.255")
_SEPARATORS: Final = re.compile(r"[\s,;]+")
# Blanks round the dash of a range, and the dashes that word processors make of it.
_DASH: Final = re.compile(r"[^\S\n]*[-\u2010-\u2015\u2212][^\S\n]*")
_BRACKETED: Final = re.compile(r"\[([^][]*)\](?:-\[([^][]*)\])?(?::(.*))?")
# As copied from a browser or a manual. The scheme is ours to choose, the path is always /.
_URL: Final = re.compile(r"(?:ws|http)://([^/]+)/?", re.IGNORECASE)
_PORT: Final = re.compile(r"[0-9]{1,5}")
_LAST_OCTET: Final = re.compile(r"0|[1-9][0-9]{0,2}")
_NAME: Final = re.compile(
    r"(?=.{1,253}$)(?:(?!-)[a-z0-9_-]{1,63}(?<!-)\.)*(?!-)[a-z0-9_-]{1,63}(?<!-)"
)
# A name that ends in a number is a misspelt IPv4 address to everybody who resolves it.
_ENDS_IN_NUMBER: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_SHORTEST_RANGE: Final = 3

type _Ip = IPv4Address | IPv6Address


class AddressFault(StrEnum):
    """What is wrong with a text of addresses."""

    EMPTY = "empty"
    SYNTAX = "syntax"
    REVERSED = "reversed"
    MIXED = "mixed"
    DUPLICATE = "duplicate"
    TOO_MANY = "too_many"
    PUBLIC = "public"
    NOT_A_HOST = "not_a_host"
    PORT = "port"


class AddressError(Exception):
    """A text that names no usable list of addresses.

    `reason` says why and `item` is the offending piece as it was typed, or the
    address that is there twice; it is empty when there is no piece at all.
    """

    def __init__(self, reason: AddressFault, item: str = "") -> None:
        """Keep the reason for the form and a short text for the log."""
        super().__init__(f"{reason}: {item}" if item else reason.value)
        self.reason = reason
        self.item = item


@dataclass(frozen=True, slots=True)
class _Span:
    """Consecutive IP addresses, first to last, however many."""

    first: _Ip
    last: _Ip

    def __len__(self) -> int:
        """Return how many they are; never more than is worth counting."""
        return min(int(self.last) - int(self.first), MAX_ADDRESSES) + 1

    def __iter__(self) -> Iterator[str]:
        """Yield them in order."""
        # Arithmetic would lose the interface that a link-local address may name.
        yield str(self.first)
        yield from (str(self.first + step) for step in range(1, len(self)))


def parse_addresses(text: str, default_port: int) -> tuple[DeviceAddress, ...]:
    """Return the addresses of a text, in its order.

    Pieces are separated by commas, semicolons, blanks or line ends. A piece is
    an IPv4 or IPv6 address, a host name, a range (`192.168.0.2-192.168.0.64`,
    short `192.168.0.2-64`) or a network (`192.168.0.0/26`; IPv4 without its
    network and broadcast address), each with an optional `:port`; IPv6 with a
    port needs brackets. `ws://` and `http://` before a piece are overlooked. `default_port` (1-65535) goes to pieces without one.

    Raises:
        AddressError: a piece does not fit, is not a local address, comes twice,
            or the text names more than 1,024 addresses or none.

    """
    pieces = [piece for piece in _SEPARATORS.split(_DASH.sub("-", text)) if piece]
    if not pieces:
        raise AddressError(AddressFault.EMPTY)
    found: dict[DeviceAddress, None] = {}
    for piece in pieces:
        hosts, port = _read_port(piece, default_port)
        names = _read_hosts(piece, hosts)
        if len(found) + len(names) > MAX_ADDRESSES:
            raise AddressError(AddressFault.TOO_MANY, piece)
        for name in names:
            address = DeviceAddress(name, port)
            if address in found:
                raise AddressError(AddressFault.DUPLICATE, str(address))
            found[address] = None
    return tuple(found)


def format_addresses(
    addresses: Iterable[DeviceAddress], default_port: int | None = None
) -> str:
    """Return a short text that `parse_addresses` reads as the same addresses.

    Neighbours in order and number become ranges. `default_port` is the port
    that the reader assumes and that is left out; without it every port is
    written.
    """
    runs: list[list[DeviceAddress]] = []
    for address in addresses:
        if runs and _follows(runs[-1][-1], address):
            runs[-1].append(address)
        else:
            runs.append([address])
    return ", ".join(
        text for run in runs for text in _format_run(run, default_port=default_port)
    )


def is_local(host: str) -> bool:
    """Tell whether an IP address is private, link-local or loopback."""
    ip = _read_ip(host)
    return ip is not None and _is_in_local_network(ip)


def _read_port(piece: str, default_port: int) -> tuple[str, int]:
    """Return the hosts of a piece, without brackets, and its port.

    Raises:
        AddressError: the brackets do not fit or the port is none.

    """
    port: str | None = None
    hosts = url[1] if (url := _URL.fullmatch(piece)) else piece
    if "//" in hosts:
        raise AddressError(AddressFault.SYNTAX, piece)
    if "[" in hosts or "]" in hosts:
        parts = _BRACKETED.fullmatch(hosts)
        if parts is None or ":" not in parts[1]:
            raise AddressError(AddressFault.SYNTAX, piece)
        hosts = parts[1] if parts[2] is None else f"{parts[1]}-{parts[2]}"
        port = parts[3]
    elif hosts.count(":") == 1:
        hosts, _, port = hosts.partition(":")
    if port is None:
        return hosts, default_port
    if not _PORT.fullmatch(port) or not 1 <= int(port) <= MAX_PORT:
        raise AddressError(AddressFault.PORT, piece)
    return hosts, int(port)


def _read_hosts(piece: str, hosts: str) -> _Span | tuple[str]:
    """Return the hosts a piece names.

    Raises:
        AddressError: they are written wrong, or no device may have them.

    """
    left, dash, right = hosts.partition("-")
    if "/" in hosts:
        span = _read_network(piece, hosts)
    elif (ip := _read_ip(hosts)) is not None:
        span = _Span(ip, ip)
    elif dash and (first := _read_ip(left)) is not None:
        span = _read_range(piece, first, right)
    else:
        name = hosts.lower().removesuffix(".")
        if not _NAME.fullmatch(name) or _ENDS_IN_NUMBER.fullmatch(name):
            raise AddressError(AddressFault.SYNTAX, piece)
        return (name,)
    for end in (span.first, span.last):
        _refuse_strangers(piece, end)
    return span


def _read_ip(text: str) -> _Ip | None:
    """Return the IP address a text is, else None."""
    try:
        ip = ip_address(text)
    except ValueError:
        return None
    if isinstance(ip, IPv6Address):
        # Another spelling of an IPv4 address; two spellings would hide a duplicate.
        return ip.ipv4_mapped or ip
    return ip


def _read_network(piece: str, hosts: str) -> _Span:
    """Return the usable hosts of a network in prefix notation."""
    try:
        network: IPv4Network | IPv6Network = ip_network(hosts, strict=False)
    except ValueError as err:
        raise AddressError(AddressFault.SYNTAX, piece) from err
    first, last = network.network_address, network.broadcast_address
    if isinstance(network, IPv4Network) and network.prefixlen < 31:
        return _Span(first + 1, last - 1)
    return _Span(first, last)


def _read_range(piece: str, first: _Ip, right: str) -> _Span:
    """Return the hosts from `first` to the end that is written behind the dash."""
    last = _read_ip(right)
    if last is None and isinstance(first, IPv4Address) and _LAST_OCTET.fullmatch(right):
        last = _read_ip(f"{str(first).rpartition('.')[0]}.{right}")
    if last is None or "%" in f"{first}{last}":
        raise AddressError(AddressFault.SYNTAX, piece)
    if first.version != last.version:
        raise AddressError(AddressFault.MIXED, piece)
    if int(first) > int(last):
        raise AddressError(AddressFault.REVERSED, piece)
    return _Span(first, last)


def _refuse_strangers(piece: str, ip: _Ip) -> None:
    """Raise for an address that no device of a site can have."""
    if ip.is_multicast or ip.is_unspecified or ip == _BROADCAST:
        raise AddressError(AddressFault.NOT_A_HOST, piece)
    if not _is_in_local_network(ip):
        raise AddressError(AddressFault.PUBLIC, piece)


def _is_in_local_network(ip: _Ip) -> bool:
    """Tell whether an address belongs to one of `LOCAL_NETWORKS`."""
    return any(ip in network for network in LOCAL_NETWORKS)


def _follows(one: DeviceAddress, other: DeviceAddress) -> bool:
    """Tell whether `other` is the next IP address after `one`, on the same port."""
    if one.port != other.port or "%" in one.host + other.host:
        return False
    first, second = _read_ip(one.host), _read_ip(other.host)
    if first is None or second is None or first.version != second.version:
        return False
    return int(first) + 1 == int(second)


def _format_run(
    run: Sequence[DeviceAddress], default_port: int | None
) -> Iterator[str]:
    """Yield the shortest spelling of addresses that follow one another."""
    if len(run) < _SHORTEST_RANGE:
        yield from (
            address.host if address.port == default_port else str(address)
            for address in run
        )
        return
    first, last, port = run[0].host, run[-1].host, run[0].port
    if port == default_port:
        yield f"{first}-{last}"
    elif ":" in first:
        yield f"[{first}]-[{last}]:{port}"
    else:
        yield f"{first}-{last}:{port}"
