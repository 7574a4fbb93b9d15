"""A simulated fleet of fire alarm ESP32s: `python -m sim`.

Its encoder is written apart from the integration's decoder, so that each
checks the other. Only `decoding` and `check` may import from
`custom_components.esp32_fire_alarm.fleet`; nothing in here needs a running
Home Assistant.
"""
