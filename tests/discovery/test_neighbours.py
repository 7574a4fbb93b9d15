"""Which network card answers where, and which ones are asked for."""

import asyncio
from fnmatch import fnmatchcase
from itertools import count
import json
import re

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    async_fire_time_changed,
)

from custom_components.esp32_fire_alarm import (
    neighbours,
)
from tests.running_site import until

from .announcing import (
    MANIFEST,
    Arp,
    mac,
    macs,
    node,
    site_of,
)

pytestmark = pytest.mark.usefixtures("loopback")

# MAC addresses.


def test_the_table_of_neighbours() -> None:
    table = """\
IP address       HW type     Flags       HW address            Mask     Device
192.168.0.2      0x1         0x2         24:0A:C4:00:00:01     *        eth0
192.168.0.3      0x1         0x0         00:00:00:00:00:00     *        eth0
192.168.0.4      0x1         0x6         24:0a:c4:00:00:02     *        eth0
192.168.9.1      0x1         0x2         aa:bb:cc:00:00:01     *        eth0
192.168.9.2      0x1         0x2         aa:bb:cc:00:00:01     *        eth0
169.254.1.1      0x1c        0x2         00:00                 *        sit0
broken
"""
    assert neighbours.parse_neighbours(table) == {
        "192.168.0.2": mac(1),
        "192.168.0.4": mac(2),
    }
    assert neighbours.parse_neighbours("") == {}


async def test_mac_addresses_are_learnt_from_the_table(
    hass: HomeAssistant, arp: Arp
) -> None:
    """Each node's once; one that another node is known by is not written down twice."""
    site = await site_of(
        hass,
        "127.2.21.2-4",
        1,
        *(node(number, f"127.2.21.{number + 1}", 1) for number in (1, 2, 3)),
    )

    looks = count(1)

    async def look(expected: dict[int, str | None]) -> None:
        period = neighbours.LOOK_PERIOD * 2
        async_fire_time_changed(hass, dt_util.utcnow() + period * next(looks))
        # It looks in the background, so that nothing waits for it.
        await asyncio.sleep(0.05)
        await until(lambda: macs(site) == expected, 5)

    await look({1: None, 2: None, 3: None})
    arp.says({"127.2.21.2": mac(1), "127.2.21.3": mac(2), "127.2.21.99": mac(3)})
    await look({1: mac(1), 2: mac(2), 3: None})
    arp.says({"127.2.21.2": mac(2), "127.2.21.4": mac(3)})
    await look({1: mac(1), 2: mac(2), 3: mac(3)})
    await hass.config_entries.async_reload(site.entry.entry_id)
    assert macs(site) == {1: mac(1), 2: mac(2), 3: mac(3)}
    devices = dr.async_get(hass)
    gone = devices.async_get_device_by_identifier(
        site.engine.node_identifier(3), site.entry.entry_id
    )
    assert gone is not None
    devices.async_remove_device(gone.id)
    await look({1: mac(1), 2: mac(2), 3: None})


# The manifest.


def test_what_is_asked_for() -> None:
    """Each pattern as Home Assistant wants it, none twice, Espressif's cards among them."""
    patterns = MANIFEST["dhcp"]
    assert patterns[0] == {"registered_devices": True}
    assert len({json.dumps(pattern) for pattern in patterns}) == len(patterns)
    hostnames = [one["hostname"] for one in patterns if "hostname" in one]
    prefixes = [one["macaddress"] for one in patterns if "macaddress" in one]
    assert len(hostnames) + len(prefixes) + 1 == len(patterns)
    assert all(re.fullmatch(r"[a-z0-9-]+\*", name) for name in hostnames)
    assert all(re.fullmatch(r"[0-9A-F]{6}\*", prefix) for prefix in prefixes)
    for name in ("esp32-c40001", "esp32s3-1234", "espressif", "firealarm-3"):
        assert any(fnmatchcase(name, pattern) for pattern in hostnames)
    for card in ("240AC4000001", "30AEA4123456", "A4CF12ABCDEF"):
        assert any(fnmatchcase(card, pattern) for pattern in prefixes)


def test_the_announced_service_has_a_lawful_name() -> None:
    """At most 15 characters (RFC 6763), or no ESP32 could announce it."""
    (service,) = MANIFEST["zeroconf"]
    match = re.fullmatch(r"_([a-z0-9-]+)\._tcp\.local\.", service)
    assert match is not None
    assert len(match[1]) <= 15
