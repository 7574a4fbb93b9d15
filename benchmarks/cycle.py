"""Unpacks a polling cycle zone by zone, as one writes it first."""


def zones_in(cycle: str) -> dict[int, bool]:
    """Return whether each zone (1-315) that a cycle names is in alarm."""
    zones: dict[int, bool] = {}
    for part in cycle.split("<STX>")[1:]:
        segment = part.strip(" \x02\x03")
        if len(segment) == 6:
            module, bits = int(segment[:2]), int(segment[4:], 16)
            for place in range(5):
                zones[(module - 1) * 5 + place + 1] = bool(bits >> place & 1)
    return zones
