"""What an installer may type as addresses, and what is refused with which reason."""

from ipaddress import IPv4Address, IPv6Address

from hypothesis import given, strategies as st
import pytest

from custom_components.esp32_fire_alarm.fleet.addresses import (
    LOCAL_NETWORKS,
    MAX_ADDRESSES,
    AddressError,
    AddressFault,
    format_addresses,
    is_local,
    parse_addresses,
)
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress

PORT = 81


def parse(text: str) -> list[str]:
    """Return the addresses of a text, as text."""
    return [str(address) for address in parse_addresses(text, PORT)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.168.0.2", ["192.168.0.2:81"]),
        ("192.168.0.2:8181", ["192.168.0.2:8181"]),
        (
            "192.168.0.2-192.168.0.4",
            ["192.168.0.2:81", "192.168.0.3:81", "192.168.0.4:81"],
        ),
        ("192.168.0.2-4", ["192.168.0.2:81", "192.168.0.3:81", "192.168.0.4:81"]),
        ("192.168.0.2-192.168.0.3:8181", ["192.168.0.2:8181", "192.168.0.3:8181"]),
        ("192.168.0.2-3:8181", ["192.168.0.2:8181", "192.168.0.3:8181"]),
        ("192.168.0.2 - 192.168.0.3", ["192.168.0.2:81", "192.168.0.3:81"]),
        ("192.168.0.2 – 3", ["192.168.0.2:81", "192.168.0.3:81"]),
        ("10.0.0.7-10.0.0.7", ["10.0.0.7:81"]),
        ("10.0.0.255-10.0.1.0", ["10.0.0.255:81", "10.0.1.0:81"]),
        ("10.0.0.0/30", ["10.0.0.1:81", "10.0.0.2:81"]),
        ("10.0.0.2/30", ["10.0.0.1:81", "10.0.0.2:81"]),
        ("10.0.0.0/31", ["10.0.0.0:81", "10.0.0.1:81"]),
        ("10.0.0.5/32", ["10.0.0.5:81"]),
        ("10.0.0.0/30:8181", ["10.0.0.1:8181", "10.0.0.2:8181"]),
        ("fd00::a", ["[fd00::a]:81"]),
        ("FD00:0::A", ["[fd00::a]:81"]),
        ("[fe80::1]:8181", ["[fe80::1]:8181"]),
        ("[fe80::1]", ["[fe80::1]:81"]),
        ("fe80::1%eth0", ["[fe80::1%eth0]:81"]),
        ("fd00::9-fd00::a", ["[fd00::9]:81", "[fd00::a]:81"]),
        ("[fd00::9]-[fd00::a]:8181", ["[fd00::9]:8181", "[fd00::a]:8181"]),
        ("[fd00::9-fd00::a]:8181", ["[fd00::9]:8181", "[fd00::a]:8181"]),
        ("fd00::/127", ["[fd00::]:81", "[fd00::1]:81"]),
        ("[fd00::/127]:8181", ["[fd00::]:8181", "[fd00::1]:8181"]),
        ("::ffff:192.168.0.2", ["192.168.0.2:81"]),
        ("ws://10.0.0.1:8181/", ["10.0.0.1:8181"]),
        ("http://[fd00::1]", ["[fd00::1]:81"]),
        ("localhost", ["localhost:81"]),
        ("ESP-Node_1.Local.:8181", ["esp-node_1.local:8181"]),
        ("192-168-0-2.example", ["192-168-0-2.example:81"]),
        (
            " 10.0.0.1,10.0.0.2;10.0.0.3\n10.0.0.4\r\n10.0.0.5 10.0.0.6\t,, ",
            [f"10.0.0.{host}:81" for host in range(1, 7)],
        ),
    ],
)
def test_accepts(text: str, expected: list[str]) -> None:
    """Every spelling an installer is likely to use."""
    assert parse(text) == expected


def test_the_usual_site() -> None:
    """63 nodes, in order."""
    assert parse("192.168.0.2-192.168.0.64") == [
        f"192.168.0.{host}:81" for host in range(2, 65)
    ]


@pytest.mark.parametrize(
    ("text", "reason", "item"),
    [
        ("", AddressFault.EMPTY, ""),
        (" ,;\n", AddressFault.EMPTY, ""),
        ("192.168.0.300", AddressFault.SYNTAX, "192.168.0.300"),
        ("192.168.0.02", AddressFault.SYNTAX, "192.168.0.02"),
        ("10.0.0.1 192.168.0", AddressFault.SYNTAX, "192.168.0"),
        ("10.0.0.0x1f", AddressFault.SYNTAX, "10.0.0.0x1f"),
        ("192.168.0.2-300", AddressFault.SYNTAX, "192.168.0.2-300"),
        ("192.168.0.2-", AddressFault.SYNTAX, "192.168.0.2-"),
        ("-192.168.0.2", AddressFault.SYNTAX, "-192.168.0.2"),
        ("192.168.0.2-node", AddressFault.SYNTAX, "192.168.0.2-node"),
        ("fd00::2-40", AddressFault.SYNTAX, "fd00::2-40"),
        ("fe80::1%a-fe80::2%a", AddressFault.SYNTAX, "fe80::1%a-fe80::2%a"),
        ("192.168.0.0/33", AddressFault.SYNTAX, "192.168.0.0/33"),
        ("node/24", AddressFault.SYNTAX, "node/24"),
        ("wss://10.0.0.1", AddressFault.SYNTAX, "wss://10.0.0.1"),
        ("ws://10.0.0.1/path", AddressFault.SYNTAX, "ws://10.0.0.1/path"),
        ("[10.0.0.1]:81", AddressFault.SYNTAX, "[10.0.0.1]:81"),
        ("[fd00::1:81", AddressFault.SYNTAX, "[fd00::1:81"),
        ("[fd00::1]81", AddressFault.SYNTAX, "[fd00::1]81"),
        ("node..local", AddressFault.SYNTAX, "node..local"),
        ("-node", AddressFault.SYNTAX, "-node"),
        ("nöde", AddressFault.SYNTAX, "nöde"),
        ("n" * 64, AddressFault.SYNTAX, "n" * 64),
        ("१०.0.0.1", AddressFault.SYNTAX, "१०.0.0.1"),
        ("192.168.0.9-192.168.0.2", AddressFault.REVERSED, "192.168.0.9-192.168.0.2"),
        ("192.168.0.9-2", AddressFault.REVERSED, "192.168.0.9-2"),
        ("192.168.0.2-fd00::1", AddressFault.MIXED, "192.168.0.2-fd00::1"),
        ("10.0.0.1, 10.0.0.1", AddressFault.DUPLICATE, "10.0.0.1:81"),
        ("10.0.0.1-9 10.0.0.5:81", AddressFault.DUPLICATE, "10.0.0.5:81"),
        ("Node node", AddressFault.DUPLICATE, "node:81"),
        ("10.0.0.1 ::ffff:10.0.0.1", AddressFault.DUPLICATE, "10.0.0.1:81"),
        ("10.0.0.0/8", AddressFault.TOO_MANY, "10.0.0.0/8"),
        ("fd00::/8", AddressFault.TOO_MANY, "fd00::/8"),
        ("10.0.0.1-10.255.255.254", AddressFault.TOO_MANY, "10.0.0.1-10.255.255.254"),
        ("10.0.0.0-10.0.3.255 node", AddressFault.TOO_MANY, "node"),
        ("8.8.8.8", AddressFault.PUBLIC, "8.8.8.8"),
        ("2606:4700::1111", AddressFault.PUBLIC, "2606:4700::1111"),
        ("::ffff:8.8.8.8", AddressFault.PUBLIC, "::ffff:8.8.8.8"),
        ("192.168.255.250-192.169.0.5", AddressFault.PUBLIC, None),
        ("10.0.0.1-203.0.113.9", AddressFault.PUBLIC, "10.0.0.1-203.0.113.9"),
        ("0.0.0.0/0", AddressFault.PUBLIC, "0.0.0.0/0"),
        ("0.0.0.0", AddressFault.NOT_A_HOST, "0.0.0.0"),
        ("::", AddressFault.NOT_A_HOST, "::"),
        ("224.0.0.251", AddressFault.NOT_A_HOST, "224.0.0.251"),
        ("ff02::fb", AddressFault.NOT_A_HOST, "ff02::fb"),
        ("255.255.255.255", AddressFault.NOT_A_HOST, "255.255.255.255"),
        ("10.0.0.1:0", AddressFault.PORT, "10.0.0.1:0"),
        ("10.0.0.1:65536", AddressFault.PORT, "10.0.0.1:65536"),
        ("10.0.0.1:", AddressFault.PORT, "10.0.0.1:"),
        ("10.0.0.1:web", AddressFault.PORT, "10.0.0.1:web"),
        ("[fd00::1]:99999999", AddressFault.PORT, "[fd00::1]:99999999"),
        ("10.0.0.1-9:٨١", AddressFault.PORT, "10.0.0.1-9:٨١"),
    ],
)
def test_refuses(text: str, reason: AddressFault, item: str | None) -> None:
    """Every bad input says why, and which piece it was."""
    with pytest.raises(AddressError) as caught:
        parse_addresses(text, PORT)
    assert caught.value.reason is reason
    assert caught.value.item == (text if item is None else item)
    assert str(reason) in str(caught.value)


def test_the_limit_itself_is_allowed() -> None:
    """1,024 addresses are allowed, and one more is not."""
    assert len(parse("10.0.0.0-10.0.3.255")) == MAX_ADDRESSES


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ("192.168.0.2-192.168.0.64", "192.168.0.2-192.168.0.64"),
        ("10.0.0.1 10.0.0.2", "10.0.0.1, 10.0.0.2"),
        ("10.0.0.3 10.0.0.2 10.0.0.1", "10.0.0.3, 10.0.0.2, 10.0.0.1"),
        ("10.0.0.1-3:8181 10.0.0.4", "10.0.0.1-10.0.0.3:8181, 10.0.0.4"),
        ("fd00::1-fd00::3", "fd00::1-fd00::3"),
        ("[fd00::1-fd00::3]:8181", "[fd00::1]-[fd00::3]:8181"),
        ("[fd00::1]:8181 node:82 node", "[fd00::1]:8181, node:82, node"),
        ("fe80::1%a fe80::2%a fe80::3%a", "fe80::1%a, fe80::2%a, fe80::3%a"),
    ],
)
def test_formats_compactly(addresses: str, expected: str) -> None:
    """Neighbours become ranges, and the usual port is not worth mentioning."""
    assert format_addresses(parse_addresses(addresses, PORT), PORT) == expected


def test_without_a_usual_port_every_port_is_written() -> None:
    """A text that is to be read anywhere has to be complete."""
    text = format_addresses(parse_addresses("10.0.0.1-3 node fd00::1", PORT))
    assert text == "10.0.0.1-10.0.0.3:81, node:81, [fd00::1]:81"


_LOCAL_IPS = st.sampled_from(LOCAL_NETWORKS).flatmap(
    lambda network: st.integers(0, min(network.num_addresses, 2**40) - 1).map(
        lambda offset: str(network[offset])
    )
)
_NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z](\.local)?", fullmatch=True)


@st.composite
def _runs(draw: st.DrawFn) -> list[DeviceAddress]:
    """Return a few consecutive addresses, or a name."""
    port = draw(st.sampled_from([81, 8181, 65535]))
    host = draw(_LOCAL_IPS | _NAMES)
    if host[0].isalpha() and ":" not in host:
        return [DeviceAddress(host, port)]
    ip = IPv6Address(host) if ":" in host else IPv4Address(host)
    hosts = (str(ip + step) for step in range(draw(st.integers(1, 9))) if _fits(ip, 9))
    return [DeviceAddress(one, port) for one in hosts]


def _fits(ip: IPv4Address | IPv6Address, count: int) -> bool:
    """Tell whether so many addresses from `ip` on are all local."""
    return is_local(str(ip + count))


@given(st.lists(_runs(), min_size=1, max_size=12), st.sampled_from([81, 8181, 5]))
def test_a_formatted_list_reads_as_the_same_list(
    runs: list[list[DeviceAddress]], port: int
) -> None:
    """In the same order, whatever the default port."""
    addresses = tuple(dict.fromkeys(address for run in runs for address in run))
    if not addresses:
        return
    assert parse_addresses(format_addresses(addresses), port) == addresses
    assert parse_addresses(format_addresses(addresses, port), port) == addresses


@given(st.text() | st.text(alphabet="0123456789.-/:[]%,;fe x\n"))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but `AddressError` comes out, and only local addresses."""
    try:
        addresses = parse_addresses(text, PORT)
    except AddressError:
        return
    assert 0 < len(addresses) <= MAX_ADDRESSES
    assert len(set(addresses)) == len(addresses)
    for address in addresses:
        assert 1 <= address.port <= 65535
        assert parse_addresses(str(address), PORT) == (address,)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("fe80::1%eth0", True),
        ("::ffff:10.0.0.1", True),
        ("8.8.8.8", False),
        ("node.local", False),
    ],
)
def test_is_local(host: str, expected: bool) -> None:
    """Names are not resolved, so they are nothing yet."""
    assert is_local(host) is expected
