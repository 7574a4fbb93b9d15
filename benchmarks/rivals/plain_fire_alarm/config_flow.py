"""Asks nothing: the benchmark makes the entries."""

from homeassistant.config_entries import ConfigFlow


class PlainConfigFlow(ConfigFlow, domain="plain_fire_alarm"):
    """Home Assistant sets up no entry of an integration without a flow."""
