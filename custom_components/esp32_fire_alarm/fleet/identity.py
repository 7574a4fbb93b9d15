"""Who keeps its place and its number when a site is scanned anew.

Devices and their entities hang on node numbers and module addresses, so these
outlive new addresses, gaps in the list and power cuts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Final

from .models import DeviceAddress, NodeConfig

UNNUMBERED: Final = 0
"""The number of a node before `numbered` gave it one."""


def places_of(
    addresses: Sequence[DeviceAddress], known: Iterable[NodeConfig] = ()
) -> dict[DeviceAddress, int]:
    """Return the place of each address, 1 or more: its position in the list.

    A known node of one module keeps that module's number as its place, however
    the list around it changes; who comes new to a taken place gets the lowest
    free one.
    """
    kept = {node.address: node.modules[0] for node in known if len(node.modules) == 1}
    places = {address: kept[address] for address in addresses if address in kept}
    taken = set(places.values())
    homeless = []
    for position, address in enumerate(addresses, start=1):
        if address in places:
            continue
        if position in taken:
            homeless.append(address)
        else:
            places[address] = position
    taken = set(places.values())
    free = (place for place in count(1) if place not in taken)
    return places | {address: next(free) for address in homeless}


def numbered(
    nodes: Mapping[DeviceAddress, NodeConfig],
    places: Mapping[DeviceAddress, int],
    known: Sequence[NodeConfig],
) -> tuple[NodeConfig, ...]:
    """Return the nodes with their numbers, in order of these.

    Who is at a known address or carries exactly the modules of a known node
    that is gone has its number; others get their place or the lowest free one.
    The number of a node that is gone is nobody else's: its device, name and
    history are not those of other hardware.
    """
    gone = {node.address: node for node in known}
    numbers = {address: gone.pop(address).node for address in nodes if address in gone}
    by_modules = {node.modules: node.node for node in gone.values()}
    for address, node in nodes.items():
        if address not in numbers and node.modules in by_modules:
            numbers[address] = by_modules.pop(node.modules)
    taken = {node.node for node in known}
    for address in nodes:
        if address not in numbers and places[address] not in taken:
            numbers[address] = places[address]
            taken.add(places[address])
    free = (number for number in count(1) if number not in taken)
    return tuple(
        sorted(
            (
                replace(node, node=numbers.get(address) or next(free))
                for address, node in nodes.items()
            ),
            key=lambda node: node.node,
        )
    )
