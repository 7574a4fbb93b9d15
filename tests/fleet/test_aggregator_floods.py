"""Who floods is throttled: fewer updates, but every edge, and new alarms at once."""

import pytest

from custom_components.esp32_fire_alarm.fleet.aggregator import FLOOD_FRAMES_PER_SECOND
from custom_components.esp32_fire_alarm.fleet.gather import MAX_GATHERED
from custom_components.esp32_fire_alarm.fleet.handover import ALARM_REPEAT_SECONDS
from custom_components.esp32_fire_alarm.fleet.inbox import MAX_WAITING
from custom_components.esp32_fire_alarm.fleet.throttle import SECONDS_PER_TOKEN

from .fed_site import (
    ALARM,
    ALARM_LED,
    ALL,
    RESTORED,
    TROUBLE,
    FedSite,
    exhaust,
    node,
    quiet_site,
)


def test_a_flooding_node_waits_for_its_tokens() -> None:
    """After the burst, twenty updates a second; the newest state is never lost."""
    site = quiet_site()
    exhaust(site)
    for count in range(2000):
        site.say(1, f"01{count % 31 + 1:02X}00")
        site.loop.turn()
        site.loop.pass_time(0.0005)
    assert 15 <= len(site.updates) <= 22
    site.loop.pass_time(2 * SECONDS_PER_TOKEN)
    assert site.is_quiescent
    last = 1999 % 31 + 1
    for position in range(5):
        assert site.truth.zones[position + 1].trouble == bool(last >> position & 1)
    record = site.health.record(1)
    assert record.throttled > 1000
    assert record.throttled_at is not None


def test_a_throttled_node_does_not_delay_others() -> None:
    """Another node's trouble is told with the next turn, as ever."""
    site = quiet_site(2)
    exhaust(site)
    site.say(1, "011000")
    site.loop.turn()
    assert not site.updates
    site.say(2, "020100")
    site.loop.turn()
    assert site.told() == [(TROUBLE, 6)]


def test_a_throttled_node_still_raises_alarms_at_once() -> None:
    """No token is asked for an alarm."""
    site = quiet_site()
    exhaust(site)
    site.say(1, "011000")
    site.loop.turn()
    site.say(1, "011001")
    assert site.told()[0] == (ALARM, 1)
    assert site.truth.zones[5].trouble


def test_every_edge_of_a_storming_alarm_arrives() -> None:
    """2,000 changes a second: all edges, in order, within 50 ms; few updates."""
    site = quiet_site()
    exhaust(site)
    fed = []
    for count in range(2000):
        zone = count % 5
        site.say(1, f"0100{1 << zone:02X}")
        fed += [(ALARM, zone + 1), (RESTORED, (zone - 1) % 5 + 1)][: 2 if count else 1]
        site.loop.pass_time(0.0005)
        waited = site.now() - next(
            iter(site.aggregator._hand_over._arrivals), site.now()
        )
        assert waited <= SECONDS_PER_TOKEN + 0.001
    assert len(site.updates) <= 5 + 2 * 20 + 2
    site.loop.pass_time(SECONDS_PER_TOKEN)
    told = [edge for edge in site.told() if edge[0] in (ALARM, RESTORED)]
    assert len(told) == len(fed)
    for zone in range(1, 6):
        assert [one for one in told if one[1] == zone] == [
            one for one in fed if one[1] == zone
        ]
    assert site.health.record(1).throttled_at is not None


def test_a_new_alarm_in_a_storm_is_told_at_once() -> None:
    """A zone that was not in alarm within the last second waits for nobody."""
    site = quiet_site()
    exhaust(site)
    site.say(1, "010001")
    site.say(1, "010000")
    site.told()
    site.say(1, "010001")
    assert not site.updates
    site.say(1, "010003")
    assert (ALARM, 2) in site.told()
    site.loop.pass_time(ALARM_REPEAT_SECONDS)
    exhaust(site)
    site.say(1, "010001")
    assert (ALARM, 1) in site.told()


def test_alarms_are_told_in_their_order_whoever_had_to_wait() -> None:
    """A zone that is in alarm again was so before one that is in alarm anew."""
    site = quiet_site()
    exhaust(site)
    site.say(1, "010003")
    site.told()
    site.say(1, "010002")
    site.say(1, "010103")
    assert not site.updates
    site.say(1, "010107")
    assert site.told() == [(RESTORED, 1), (ALARM, 1), (ALARM, 3), (TROUBLE, 1)]


def test_what_is_gathered_is_bounded() -> None:
    """So many edges, and they are told, token or not."""
    site = FedSite(node(1, *ALL))
    everything = [f"{module:02d}001F" for module in ALL]
    nothing = [f"{module:02d}0000" for module in ALL]
    site.say(1, *nothing)
    exhaust(site)
    for _ in range(20):
        site.say(1, *everything)
        site.say(1, *nothing)
        assert len(site.aggregator._hand_over._untold._edges) < MAX_GATHERED + 315
    site.loop.pass_time(SECONDS_PER_TOKEN)
    alarms = [kind for kind, _ in site.told() if kind in (ALARM, RESTORED)]
    assert len(alarms) == 20 * 2 * 315


def test_an_alarm_behind_more_than_is_gathered_is_told() -> None:
    """A bridge whose inbox is full of troubles that come and go, then an alarm."""
    site = FedSite(node(1, *ALL))
    site.say(1, *(f"{module:02d}0000" for module in ALL))
    site.updates.clear()
    for number in range(1, MAX_WAITING + 1):
        calm = [f"{module:02d}{31 * (number % 2):02X}00" for module in ALL[1:]]
        site.say(1, f"01{number:02X}00", *calm)
    assert site.aggregator.metrics.inbox_depth == MAX_WAITING
    site.say(1, *(f"{module:02d}001F" for module in ALL), master=ALARM_LED)
    told = site.told()
    assert told[:315] == [(ALARM, zone) for zone in range(1, 316)]
    assert (ALARM, 1) not in told[315:]


@pytest.mark.parametrize(("rate", "floods"), [(15, False), (150, True)])
def test_who_only_repeats_itself_can_flood_too(rate: int, floods: bool) -> None:
    """Its messages cost nothing but their reading; it is flagged all the same."""
    assert rate < FLOOD_FRAMES_PER_SECOND or floods
    site = quiet_site()
    for _ in range(4):
        for _ in range(rate // 2):
            site.say(1, "010000")
        # The pool counts messages.
        site.health.record(1).frames += rate // 2
        site.loop.pass_time(0.5)
        site.aggregator.tick()
    assert (site.health.record(1).throttled_at is not None) == floods
    assert not site.updates
