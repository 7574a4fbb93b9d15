"""The steps of the config flow for ESP32s that announce themselves.

Each becomes an update of its site, or a card for the user, or nothing; and it
is asked what it carries before anything is shown or changed.
"""

from abc import abstractmethod
import asyncio
from collections.abc import Sequence
from ipaddress import ip_address
import logging
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry, ConfigFlow, ConfigFlowResult
from homeassistant.core import DOMAIN as HOMEASSISTANT_DOMAIN
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.device_registry import format_mac
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import voluptuous as vol

from .discovery import (
    CARD_HOST,
    Place,
    Sighting,
    async_open_cards,
    async_place_at,
    async_place_with_mac,
    async_place_with_modules,
    async_ports,
    async_sites,
    moved_data,
)
from .fleet.addresses import is_local
from .fleet.models import DeviceAddress
from .fleet.scan import Probe, scan
from .neighbours import async_get_neighbours, async_note_mac
from .site_dialogue import SiteDialogue
from .words import number_ranges

_LOGGER = logging.getLogger(__name__)

PAUSES_SECONDS: Final = (0.0, 4.0, 8.0, 16.0)
"""Before each question: an ESP32 that has just booted is announced before it listens,
and a lost link takes up to 16 s to be noticed."""

QUESTIONS_TO_STRANGERS: Final = 2
"""How often one is asked that never answered: most are somebody's lamps and plugs."""

CONF_SITE: Final = "site"
NEW_SITE: Final = "new_site"


class DiscoverySteps(SiteDialogue, ConfigFlow):
    """From an announcement to a moved node, or to a card and on to the site form."""

    _found: Probe

    @abstractmethod
    async def _async_start_with(
        self, entry: ConfigEntry | None, addresses: Sequence[DeviceAddress]
    ) -> ConfigFlowResult:
        """Go on to add addresses to a site, or to make a new one of them."""

    @override
    async def async_step_dhcp(
        self, discovery_info: DhcpServiceInfo
    ) -> ConfigFlowResult:
        """Look at a device that asked for an IP address."""
        return await self._async_sighted(
            Sighting(
                discovery_info.ip,
                hostname=discovery_info.hostname,
                mac=format_mac(discovery_info.macaddress),
            )
        )

    @override
    async def async_step_zeroconf(
        self, discovery_info: ZeroconfServiceInfo
    ) -> ConfigFlowResult:
        """Look at a device that announced the service of its own accord."""
        neighbours = await async_get_neighbours(self.hass)
        return await self._async_sighted(
            Sighting(
                discovery_info.host,
                port=discovery_info.port,
                hostname=discovery_info.hostname.partition(".")[0],
                mac=neighbours.get(discovery_info.host),
            )
        )

    async def async_step_discovered(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show an ESP32 that belongs to no site, and ask where it shall."""
        sites = {entry.entry_id: entry for entry in async_sites(self.hass)}
        if user_input is not None:
            entry = sites.get(user_input.get(CONF_SITE, NEW_SITE))
            return await self._async_start_with(entry, self._addresses(entry))
        schema: dict[vol.Marker, Any] = {}
        if sites:
            options = [
                SelectOptionDict(value=entry_id, label=entry.title)
                for entry_id, entry in sites.items()
            ]
            options.append(SelectOptionDict(value=NEW_SITE, label=NEW_SITE))
            schema[vol.Required(CONF_SITE, default=options[0]["value"])] = (
                SelectSelector(
                    SelectSelectorConfig(
                        options=options,
                        translation_key=CONF_SITE,
                        mode=SelectSelectorMode.LIST,
                    )
                )
            )
        return self.async_show_form(
            step_id="discovered",
            data_schema=vol.Schema(schema),
            description_placeholders=self.context["title_placeholders"],
            last_step=False,
        )

    async def _async_sighted(self, sighting: Sighting) -> ConfigFlowResult:
        """Find out whose device this is, and do what follows.

        Raises:
            AbortFlow: the same device is looked at already, or shall be ignored.

        """
        if not is_local(sighting.host):
            return self.async_abort(reason="not_local")
        await self._async_claim(sighting)
        probe: Probe | None = None
        for questions, pause_seconds in enumerate(PAUSES_SECONDS, start=1):
            await asyncio.sleep(pause_seconds)
            owner = async_place_with_mac(self.hass, sighting.mac)
            if self._is_home(sighting, owner):
                return self.async_abort(reason="already_configured")
            probe = await self._async_ask(sighting)
            mover = owner
            if mover is None and probe is not None:
                mover = async_place_with_modules(self.hass, sighting, probe)
            if mover is None and (probe or questions == QUESTIONS_TO_STRANGERS):
                break
            if probe and mover and await self._async_has_left(mover, sighting.mac):
                return await self._async_move(mover, probe.address, sighting.mac)
        if probe is None:
            return self.async_abort(reason="no_fire_alarm")
        if owner is not None:
            # It answers at two addresses; the one we have is as good as the other.
            return self.async_abort(reason="already_configured")
        return await self._async_show_card(probe)

    async def _async_claim(self, sighting: Sighting) -> None:
        """Make sure that nobody else looks at this device, and nobody ignores it.

        Raises:
            AbortFlow: somebody does.

        """
        unique_id = sighting.mac or sighting.host
        for host, card in async_open_cards(self.hass).items():
            if card["context"].get("unique_id") == unique_id and host != sighting.host:
                # It has moved before anybody looked at its card.
                self.hass.config_entries.flow.async_abort(card["flow_id"])
        self._refuse_second_card(sighting.host)
        self.context["title_placeholders"] = {CARD_HOST: sighting.host, "modules": ""}
        await self.async_set_unique_id(unique_id)
        self._abort_if_unique_id_configured()

    def _refuse_second_card(self, host: str) -> None:
        """Raise `AbortFlow` if there is a card for an address already."""
        if host in async_open_cards(self.hass):
            raise AbortFlow(
                "already_in_progress", translation_domain=HOMEASSISTANT_DOMAIN
            )

    def _is_home(self, sighting: Sighting, owner: Place | None) -> bool:
        """Tell whether the device is where a site has it, and note its MAC then.

        It is not if it has the MAC address of another node of that site.
        """
        here = async_place_at(self.hass, sighting)
        if here is None:
            return False
        if owner is not None and owner.entry is here.entry:
            return owner.node.node == here.node.node
        if sighting.mac is not None and sighting.is_at(here.node.address):
            async_note_mac(self.hass, here.entry, here.node.node, sighting.mac)
        return True

    async def _async_ask(self, sighting: Sighting) -> Probe | None:
        """Return what the device carries, or None if it is no fire alarm node."""
        result = await scan(
            async_get_clientsession(self.hass),
            [
                DeviceAddress(sighting.host, port)
                for port in async_ports(self.hass, sighting)
            ],
        )
        return next(iter(result.found), None)

    async def _async_has_left(self, place: Place, mac: str | None) -> bool:
        """Tell whether a node is no longer where its site has it."""
        if mac is None or not place.is_heard:
            return not place.is_heard
        # Where all call their module 01, somebody else at its address is heard as well.
        neighbours = await async_get_neighbours(self.hass)
        return neighbours.get(place.node.address.host, mac) != mac

    async def _async_move(
        self, place: Place, address: DeviceAddress, mac: str | None
    ) -> ConfigFlowResult:
        """Let a site look for its node at another address."""
        entry, node = place
        _LOGGER.info(
            "Node %d of %s moved from %s to %s",
            node.node,
            entry.title,
            node.address,
            address,
        )
        if mac is not None:
            async_note_mac(self.hass, entry, node.node, mac)
        # A running site takes over the move by itself; no other link notices.
        self.hass.config_entries.async_update_entry(
            entry, data=moved_data(place, address)
        )
        return self.async_abort(reason="address_updated")

    async def _async_show_card(self, probe: Probe) -> ConfigFlowResult:
        """Put the device among the discovered ones.

        Raises:
            AbortFlow: another announcement of it was quicker.

        """
        host = probe.address.host
        self._refuse_second_card(host)
        self._found = probe
        self.context["title_placeholders"] = {
            CARD_HOST: host,
            "modules": number_ranges(probe.modules or probe.listed),
        }
        return await self.async_step_discovered()

    def _addresses(self, entry: ConfigEntry | None) -> list[DeviceAddress]:
        """Return what to add to a site: a new one gets all that wait, in order."""
        port = self._found.address.port
        waiting = {} if entry is not None else async_open_cards(self.hass)
        hosts = {self._found.address.host, *waiting}
        return [DeviceAddress(host, port) for host in sorted(hosts, key=_order)]


def _order(host: str) -> tuple[int, int]:
    """Return where an IP address stands among others."""
    ip = ip_address(host)
    return ip.version, int(ip)
