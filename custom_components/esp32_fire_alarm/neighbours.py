"""Which network card answers at which address: what tells moved ESP32s apart.

An ESP32 says nothing of itself but the numbers of its modules, and with some
firmwares not even these. Its MAC address is what stays when its IP address
changes. It is kept with the device, so that DHCP discovery tells us of it.
"""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
import re
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_track_time_interval

from .const import DOMAIN
from .topology import nodes_from_entry

TABLE: Final = Path("/proc/net/arp")
"""Linux's table of IPv4 neighbours; other systems have none here."""

LOOK_PERIOD: Final = timedelta(minutes=5)

# Address, type of hardware, flags, hardware address; the rest is of no interest.
_LINE: Final = re.compile(
    r"^([0-9.]+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s+((?:[0-9a-f]{2}:){5}[0-9a-f]{2})\s",
    re.IGNORECASE | re.MULTILINE,
)
_IS_COMPLETE: Final = 0x02


def parse_neighbours(text: str) -> dict[str, str]:
    """Return MAC addresses (`aa:bb:cc:dd:ee:ff`) by IPv4 address.

    Unfinished entries are left out, and so is a card that has several
    addresses: it answers for others, as a router may.
    """
    found = {
        address: mac.lower()
        for address, flags, mac in _LINE.findall(text)
        if int(flags, 16) & _IS_COMPLETE
    }
    answers = Counter(found.values())
    return {address: mac for address, mac in found.items() if answers[mac] == 1}


async def async_get_neighbours(hass: HomeAssistant) -> dict[str, str]:
    """Return the MAC addresses of neighbours; none where the system does not tell."""

    def read() -> str:
        try:
            return TABLE.read_text("ascii")
        except OSError:
            return ""

    return parse_neighbours(await hass.async_add_executor_job(read))


@callback
def async_note_mac(
    hass: HomeAssistant, entry: ConfigEntry, node: int, mac: str
) -> None:
    """Keep a node's MAC address with its device.

    Unless it is known to be another node's: then that one has moved here,
    which writing it down twice would hide.
    """
    devices = dr.async_get(hass)
    connection = (dr.CONNECTION_NETWORK_MAC, mac)
    holder = devices.async_get_device_by_connection(connection, entry.entry_id)
    device = _device_of(hass, entry, node)
    if device is not None and holder is None:
        devices.async_update_device(device.id, new_connections={connection})


@callback
def async_mac_of(hass: HomeAssistant, entry: ConfigEntry, node: int) -> str | None:
    """Return the MAC address that is known of a node."""
    device = _device_of(hass, entry, node)
    connections = {} if device is None else dict(device.connections)
    return connections.get(dr.CONNECTION_NETWORK_MAC)


@callback
def async_watch_neighbours(hass: HomeAssistant, entry: ConfigEntry) -> CALLBACK_TYPE:
    """Learn the nodes' MAC addresses once their links are up.

    Returns a function that ends it.
    """

    async def look(_now: datetime) -> None:
        neighbours = await async_get_neighbours(hass)
        for config in nodes_from_entry(entry.data):
            if mac := neighbours.get(config.address.host):
                async_note_mac(hass, entry, config.node, mac)

    return async_track_time_interval(
        hass, look, LOOK_PERIOD, name=f"{DOMAIN} neighbours", cancel_on_shutdown=True
    )


def _device_of(
    hass: HomeAssistant, entry: ConfigEntry, node: int
) -> dr.DeviceEntry | None:
    """Return a node's device, if it was ever made."""
    return dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, f"{entry.unique_id}_node_{node}"), entry.entry_id
    )
