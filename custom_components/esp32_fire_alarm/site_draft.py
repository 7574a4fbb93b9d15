"""What the installer typed into the site form, read and checked.

No network is touched in here: only whether the text can be a site at all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.const import CONF_NAME, CONF_PORT

from .const import CONF_ADDRESSES, CONF_STANDBY
from .fleet.addresses import AddressError, format_addresses, parse_addresses
from .fleet.models import DeviceAddress, NodeConfig


class DraftError(Exception):
    """An input that can be no site.

    `field` is the one to mark, `key` the error's translation key, and
    `placeholders` what its text needs.
    """

    def __init__(self, field: str, key: str, **placeholders: str) -> None:
        """Keep what the form shows."""
        super().__init__(f"{field}: {key}")
        self.field = field
        self.key = key
        self.placeholders = placeholders


@dataclass(frozen=True, slots=True)
class SiteDraft:
    """A site as typed: the texts to keep and the addresses they mean.

    `standbys` is empty or as long as `addresses`, which it backs one by one.
    """

    name: str
    port: int
    addresses_text: str
    standby_text: str
    addresses: tuple[DeviceAddress, ...]
    standbys: tuple[DeviceAddress, ...]

    @property
    def data(self) -> dict[str, Any]:
        """The part of the entry's data that fills the form again."""
        return {
            CONF_ADDRESSES: self.addresses_text,
            CONF_PORT: self.port,
            CONF_STANDBY: self.standby_text,
        }


def read_draft(user_input: Mapping[str, Any]) -> SiteDraft:
    """Return the site that a filled-in form describes.

    Raises:
        DraftError: the name is blank, an address is no good, or the standby
            addresses do not pair up with the others.

    """
    port: int = user_input[CONF_PORT]
    name = user_input[CONF_NAME].strip()
    if not name:
        raise DraftError(CONF_NAME, "name_blank")
    addresses_text = user_input[CONF_ADDRESSES].strip()
    standby_text = user_input.get(CONF_STANDBY, "").strip()
    addresses = _read_field(CONF_ADDRESSES, addresses_text, port)
    standbys = _read_field(CONF_STANDBY, standby_text, port) if standby_text else ()
    if standbys and len(standbys) != len(addresses):
        raise DraftError(
            CONF_STANDBY,
            "standby_count",
            expected=str(len(addresses)),
            actual=str(len(standbys)),
        )
    primaries = set(addresses)
    if shared := [address for address in standbys if address in primaries]:
        raise DraftError(
            CONF_STANDBY, "standby_is_primary", item=format_addresses(shared)
        )
    return SiteDraft(name, port, addresses_text, standby_text, addresses, standbys)


def refuse_overlap(
    draft: SiteDraft, others: Iterable[tuple[str, Iterable[NodeConfig]]]
) -> None:
    """Check a draft against the other sites, given as name and nodes.

    Two sites on one ESP32 would take two of its few client slots.

    Raises:
        DraftError: an address belongs to another site already.

    """
    for title, nodes in others:
        used = {node.address for node in nodes}
        used |= {node.standby for node in nodes if node.standby is not None}
        for field, mine in (
            (CONF_ADDRESSES, draft.addresses),
            (CONF_STANDBY, draft.standbys),
        ):
            if shared := [address for address in mine if address in used]:
                raise DraftError(
                    field,
                    "address_of_other_site",
                    item=format_addresses(shared),
                    site=title,
                )


def with_addresses(text: str, addresses: Iterable[DeviceAddress], port: int) -> str:
    """Return a text of addresses with some more, but for those it has already.

    `port` (1-65535) is the one that the text takes for granted.
    """
    listed = parse_addresses(text, port)
    new = [address for address in addresses if address not in listed]
    return f"{text}\n{format_addresses(new, port)}" if new else text


def _read_field(field: str, text: str, port: int) -> tuple[DeviceAddress, ...]:
    """Return the addresses in a field.

    Raises:
        DraftError: the text is no list of addresses.

    """
    try:
        return parse_addresses(text, port)
    except AddressError as err:
        raise DraftError(field, f"address_{err.reason}", item=err.item) from err
