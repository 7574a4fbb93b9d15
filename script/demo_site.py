"""A made-up building for the demo: names and areas for all 315 zones."""

from collections.abc import Iterator
from typing import Final

HOUSES: Final = "ABC"
FLOORS: Final = 7
ROOMS: Final = (
    *("lobby", "corridor east", "corridor west", "stairs 1", "stairs 2"),
    *("kitchen", "pantry", "meeting room", "open office", "archive"),
    *("server room", "switch room", "lift lobby", "store", "plant room"),
)


def zones() -> Iterator[tuple[int, str, str]]:
    """Yield number, name and area of each zone (1-315)."""
    number = 0
    for house in HOUSES:
        for floor in range(1, FLOORS + 1):
            for room in ROOMS:
                number += 1
                yield number, f"{house}{floor} {room}", f"House {house}, floor {floor}"


def sheet() -> str:
    """Return the building as the sheet that the action `import_zones` takes."""
    lines = (f'{number},{name},"{area}"' for number, name, area in zones())
    return "\n".join(("zone,name,area", *lines))
