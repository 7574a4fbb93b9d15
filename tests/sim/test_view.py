"""The picture in the terminal, looked at as plain text and at 80 columns."""

from rich.console import Console

from sim.faults import Fault
from sim.fleet import SimulatedFleet
from sim.layout import Layout
from sim.panel import Lamp, Switch
from sim.view import picture


def shown(fleet: SimulatedFleet) -> list[str]:
    """Return the lines that a terminal of 80 columns without colour shows."""
    console = Console(width=80, no_color=True, force_terminal=False)
    with console.capture() as capture:
        console.print(picture(fleet.status()))
    return [line.rstrip() for line in capture.get().splitlines()]


async def test_a_quiet_site() -> None:
    async with SimulatedFleet(port=0) as fleet:
        lines = shown(fleet)
    grid = lines[3:12]
    assert grid[0].startswith("01 ·····   02 ·····   03 ·····")
    assert grid[8].endswith("63 ·····")
    assert sum(line.count("·····") for line in grid) == 63
    assert len(lines) <= 24


async def test_every_state_has_a_shape_of_its_own() -> None:
    async with SimulatedFleet(port=0, absent={9}) as fleet:
        fleet.alarm(16, 17)
        fleet.trouble(17, 18)
        fleet.bell(4, Switch.ON)
        fleet.bit5(5)
        fleet.module_offline(6)
        fleet.node(7).fault(Fault.HALF_OPEN)
        fleet.led(Lamp.DRILL, Switch.ON, node=2)
        lines = shown(fleet)
    assert "07 ?????" in lines[3]
    assert "04 ABT··b" in lines[3]
    assert "05 ····· 5" in lines[3]
    assert "06 -----" in lines[3]
    assert "09 ?????" in lines[4]
    text = "\n".join(lines)
    assert "  2 zones in alarm    16 17" in text
    assert "  2 zones in trouble  17 18" in text
    assert "  1 modules offline  6" in text
    assert "drill 1" in text
    assert "nodes ......x._. " in text
    assert "node 7 (127.0.0.8): half_open" in text


async def test_the_worst_site_fits() -> None:
    async with SimulatedFleet(port=0) as fleet:
        fleet.alarm(*range(1, 316))
        fleet.trouble(*range(1, 316))
        for module in range(1, 64):
            fleet.bell(module, Switch.ON)
            fleet.bit5(module)
        lines = shown(fleet)
        assert sum(line.count("BBBBBb5") for line in lines) == 63
        fleet.power_cut(5)
        lines += shown(fleet)
    assert all(len(line) <= 80 for line in lines)
    assert len(lines) <= 48


async def test_layouts_with_other_nodes() -> None:
    async with SimulatedFleet(Layout.BRIDGE, port=0) as fleet:
        assert "bridge  1 node on 127.0.0.2:" in shown(fleet)[0]
    async with SimulatedFleet(port=0, replay=(b"{}",)) as fleet:
        lines = shown(fleet)
        assert lines[0].startswith("replay  1 node on 127.0.0.2:")
        assert not any("zones in alarm" in line for line in lines)
