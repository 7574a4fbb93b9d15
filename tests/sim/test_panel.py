"""The truth and the panel's own rules: lamps, latches, bells."""

import pytest

from sim.errors import SimError
from sim.panel import (
    BELL_COMMAND_SECONDS,
    BELL_CONFIRM_SECONDS,
    BELL_RUN_ON_SECONDS,
    LAMP_MASKS,
    Lamp,
    Panel,
    Site,
    Switch,
    module_of,
)


class Clock:
    """A clock that tests move."""

    now = 100.0

    def __call__(self) -> float:
        """Return seconds."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(clock: Clock) -> Site:
    return Site(clock=clock)


def test_zones_lie_five_to_a_module() -> None:
    assert [module_of(zone) for zone in (1, 5, 6, 17, 315)] == [1, 1, 2, 4, 63]


@pytest.mark.parametrize("zone", [0, -1, 316])
def test_a_zone_outside_the_site_is_named(zone: int) -> None:
    with pytest.raises(SimError, match=f"zone {zone}: must be 1-315"):
        module_of(zone)


def test_the_status_byte_is_active_low(site: Site) -> None:
    panel = Panel(site, [1])
    assert panel.picture(0).status == 0b1001_1111  # AC and DC are lit
    for lamp, mask in LAMP_MASKS.items():
        panel.set_lamp(lamp, Switch.ON)
        assert not panel.picture(0).status & mask, lamp
        panel.set_lamp(lamp, Switch.OFF)
        assert panel.picture(0).status & mask, lamp


def test_the_alarm_lamp_follows_only_the_panels_own_zones(site: Site) -> None:
    one, two = Panel(site, [1]), Panel(site, [2])
    site.set_alarm(7, True)
    for panel in (one, two):
        panel.observe()
    assert Lamp.ALARM not in one.lit()
    assert Lamp.ALARM in two.lit()


def test_the_alarm_lamp_goes_out_with_the_last_fire(site: Site) -> None:
    panel = Panel(site, [1, 2])
    for zone, on, lit in (
        (1, True, True),
        (7, True, True),
        (1, False, True),
        (7, False, False),
    ):
        site.set_alarm(zone, on)
        panel.observe()
        assert (Lamp.ALARM in panel.lit()) is lit


def test_a_latching_panel_keeps_its_alarm_lamp_until_reset(site: Site) -> None:
    panel = Panel(site, [1], latching=True)
    site.set_alarm(1, True)
    panel.observe()
    site.set_alarm(1, False)
    panel.observe()
    assert Lamp.ALARM in panel.lit()
    panel.reset()
    assert Lamp.ALARM not in panel.lit()


def test_reset_shows_again_what_still_burns(site: Site) -> None:
    panel = Panel(site, [1], latching=True)
    site.set_alarm(1, True)
    panel.set_lamp(Lamp.SILENCED, Switch.ON)
    panel.reset()
    assert Lamp.ALARM in panel.lit()
    assert Lamp.SILENCED not in panel.lit()


def test_an_offline_module_cannot_light_the_alarm_lamp_but_keeps_it_lit(
    site: Site,
) -> None:
    panel = Panel(site, [1])
    site.module(1).offline = True
    site.set_alarm(1, True)
    panel.observe()
    assert Lamp.ALARM not in panel.lit()
    site.module(1).offline = False
    panel.observe()
    assert Lamp.ALARM in panel.lit()
    site.module(1).offline = True
    panel.observe()
    assert Lamp.ALARM in panel.lit()


@pytest.mark.parametrize("cause", ["trouble", "offline", "bit5"])
def test_the_trouble_lamp_blinks_frame_by_frame(site: Site, cause: str) -> None:
    panel = Panel(site, [1])
    setattr(site.module(1), cause, True)
    mask = LAMP_MASKS[Lamp.TROUBLE]
    assert [bool(panel.picture(n).status & mask) for n in range(4)] == [
        False,
        True,
        False,
        True,
    ]


def test_an_offline_module_shows_nothing_but_its_address(site: Site) -> None:
    site.set_alarm(1, True)
    site.set_trouble(2, True)
    site.module(1).offline = True
    (module,) = Panel(site, [1]).picture(0).modules
    assert (module.online, module.alarm, module.trouble) == (False, 0, 0)
    assert module.confirmation is None


def test_local_numbering_moves_addresses(site: Site) -> None:
    picture = Panel(site, [32, 33], offset=31).picture(0)
    assert [module.address for module in picture.modules] == [1, 2]


def test_a_bell_lives_through_its_five_stages(site: Site, clock: Clock) -> None:
    panel = Panel(site, [1])

    def stage() -> tuple[int, str | None]:
        (module,) = panel.picture(0).modules
        return module.alarm, module.confirmation

    site.set_alarm(1, True)
    assert stage() == (0x01, None)
    clock.now += BELL_COMMAND_SECONDS
    assert stage() == (0x21, None)
    clock.now += BELL_CONFIRM_SECONDS - BELL_COMMAND_SECONDS
    assert stage() == (0x21, "$85")
    site.set_alarm(1, False)
    assert stage() == (0x20, None)
    clock.now += BELL_RUN_ON_SECONDS
    assert stage() == (0x00, None)


def test_a_silenced_bell_is_denied(site: Site, clock: Clock) -> None:
    panel = Panel(site, [1])
    site.set_alarm(1, True)
    clock.now += 10
    panel.toggle_lamp(Lamp.SILENCED)
    (module,) = panel.picture(0).modules
    assert (module.alarm, module.confirmation) == (0x01, "$84")
    panel.toggle_lamp(Lamp.SILENCED)
    assert panel.picture(0).modules[0].confirmation == "$85"


def test_a_fire_too_short_for_the_bell_leaves_it_off(site: Site, clock: Clock) -> None:
    panel = Panel(site, [1])
    site.set_alarm(1, True)
    clock.now += BELL_COMMAND_SECONDS / 2
    site.set_alarm(1, False)
    assert panel.picture(0).modules[0].alarm == 0


def test_a_second_zone_does_not_restart_the_bell(site: Site, clock: Clock) -> None:
    panel = Panel(site, [1])
    site.set_alarm(1, True)
    clock.now += 10
    site.set_alarm(2, True)
    assert panel.picture(0).modules[0].alarm == 0x23


def test_reset_begins_the_bell_anew(site: Site, clock: Clock) -> None:
    panel = Panel(site, [1])
    site.set_alarm(1, True)
    clock.now += 10
    panel.reset()
    assert panel.picture(0).modules[0].alarm == 0x01
    site.set_alarm(1, False)
    panel.reset()
    clock.now += 0.1
    assert panel.picture(0).modules[0].alarm == 0x00


@pytest.mark.parametrize(
    ("switch", "fire", "alarm", "confirmation"),
    [
        (Switch.ON, False, 0x20, None),
        (Switch.ON, True, 0x21, "$85"),
        (Switch.OFF, False, 0x00, None),
        (Switch.OFF, True, 0x01, "$84"),
    ],
)
def test_a_forced_bell(
    site: Site, switch: Switch, fire: bool, alarm: int, confirmation: str | None
) -> None:
    site.module(1).bell = switch
    site.set_alarm(1, fire)
    (module,) = Panel(site, [1]).picture(0).modules
    assert (module.alarm, module.confirmation) == (alarm, confirmation)


def test_without_automatic_bells_a_fire_rings_nothing(clock: Clock) -> None:
    site = Site(automatic_bells=False, clock=clock)
    site.set_alarm(1, True)
    clock.now += 10
    assert Panel(site, [1]).picture(0).modules[0].alarm == 0x01
