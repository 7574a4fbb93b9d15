"""What a panel's latch keeps over losses and restarts, and never brings back."""

import pytest

from custom_components.esp32_fire_alarm.fleet.models import LatchMode
from custom_components.esp32_fire_alarm.fleet.telling import EventKind
from custom_components.esp32_fire_alarm.fleet.truth import CARRY_SECONDS
from custom_components.esp32_fire_alarm.fleet.word import MISSED_FRAMES

from .booked_site import ALARM_LED, HOLD_SECONDS, BookedSite, node, zones

RESTORED = EventKind.ALARM_RESTORED


def test_the_latch_outlives_a_restart() -> None:
    """The input is normal, but the panel's lamp says that the alarm stands."""
    site = BookedSite(node(1, 1))
    site.say(1, "010001", master=ALARM_LED)
    site.say(1, "010000", master=ALARM_LED)
    again = site.restart()
    assert again.say(1, "010000", master=ALARM_LED) == []
    assert again.alarm_of(1)
    assert zones(again.say(1, "010000"), RESTORED) == [1]


def test_the_latch_outlives_a_reconnect() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010001", master=ALARM_LED)
    site.say(1, "010000", master=ALARM_LED)
    site.lose(1)
    site.wait(3600)
    site.say(1, "010000", master=ALARM_LED)
    assert site.alarm_of(1)
    assert zones(site.events) == [1]


def test_the_latch_of_the_witness_counts_though_another_is_the_source() -> None:
    site = BookedSite(node(1, 1), node(2, 1, 2))
    site.say(1, "010000")
    site.say(2, "010001", "020000", master=ALARM_LED)
    site.say(2, "010000", "020000", master=ALARM_LED)
    again = site.restart()
    again.say(1, "010000")
    again.say(2, "010000", "020000", master=ALARM_LED)
    again.wait(3600)
    assert again.alarm_of(1)
    again.say(2, "010000", "020000")
    assert zones(again.wait(CARRY_SECONDS), RESTORED) == [1]


def test_a_restart_without_latch_believes_the_input() -> None:
    site = BookedSite(node(1, 1), latch=LatchMode.NONE)
    site.say(1, "010001", master=ALARM_LED)
    again = site.restart()
    assert zones(again.say(1, "010000", master=ALARM_LED), RESTORED) == [1]


def test_a_clear_from_before_the_alarm_does_not_end_it() -> None:
    """The second node saw an alarm come and go, but not the one of the first."""
    site = BookedSite(node(1, 1), node(2, 1, 2))
    site.say(1, "010000")
    site.say(2, "010001", "020000")
    site.say(2, "010000", "020000")
    site.say(1, "010001")
    site.say(1, "01")
    assert site.alarm_of(1)
    site.wait(CARRY_SECONDS - 1)
    assert site.alarm_of(1)
    assert zones(site.wait(1), RESTORED) == [1]


def test_an_alarm_that_is_over_does_not_come_back_with_a_lost_node() -> None:
    """Its lamp is lit for something else; the input is normal by all accounts."""
    site = BookedSite(node(1, 1), node(2, 1, 2))
    site.say(1, "010001")
    site.say(2, "010001", "020000")
    site.lose(1)
    assert zones(site.say(2, "010000", "020000"), RESTORED) == [1]
    site.say(1, "010000", master=ALARM_LED)
    assert zones(site.events) == [1]
    assert not site.alarm_of(1)


def test_a_lit_lamp_keeps_the_alarm_of_a_module_that_comes_back() -> None:
    site = BookedSite(node(1, 1, 2))
    site.say(1, "010000", "020001")
    for _ in range(MISSED_FRAMES):
        site.say(1, "010000")
    assert site.alarm_of(6)
    assert zones(site.say(1, "010000", "020000", master=ALARM_LED), RESTORED) == []
    assert zones(site.say(1, "010000", "020000"), RESTORED) == [6]


@pytest.mark.parametrize("seconds", [1, HOLD_SECONDS, 3600])
def test_what_a_node_said_before_its_loss_is_no_word(seconds: float) -> None:
    """Its first frame leaves a module out: what it said of it is history."""
    site = BookedSite(node(1, 1, 2))
    site.say(1, "010000", "020000")
    site.lose(1)
    site.wait(seconds)
    site.say(1, "010000")
    assert site.truth.zones[1].available
    assert not site.truth.zones[6].available
    assert site.truth.modules[2].online is False
    site.say(1, "010000", "020000")
    assert site.truth.zones[6].available


def test_other_options_end_no_alarm() -> None:
    """What the panel latched stays so, by whatever latch new alarms are shown."""
    site = BookedSite(node(1, 1))
    site.say(1, "010001", master=ALARM_LED)
    site.say(1, "010000", master=ALARM_LED)
    site.truth.latch = LatchMode.NONE
    assert site.wait(600) == []
    assert site.say(1, "010002", master=ALARM_LED)[0].kind is EventKind.ALARM
    ended = site.say(1, "010000", master=ALARM_LED)
    assert zones(ended, RESTORED) == [2]
    assert site.alarm_of(1)
    assert zones(site.say(1, "010000"), RESTORED) == [1]


def test_home_assistants_latch_outlives_its_being_chosen() -> None:
    """Also over a restart, and until somebody resets it."""
    site = BookedSite(node(1, 1), latch=LatchMode.HOME_ASSISTANT)
    site.say(1, "010001", master=ALARM_LED)
    site.latch = site.truth.latch = LatchMode.PANEL
    assert zones(site.say(1, "010000"), RESTORED) == []
    again = site.restart()
    assert zones(again.say(1, "010000"), RESTORED) == []
    assert again.alarm_of(1)
    assert again.book.reset(None, "Ann") == ()
    assert again.alarm_of(1) is None


def test_what_persists_after_a_reset_stays_shown_by_the_new_latch() -> None:
    site = BookedSite(node(1, 1), latch=LatchMode.HOME_ASSISTANT)
    site.say(1, "010001", master=ALARM_LED)
    site.truth.latch = LatchMode.PANEL
    assert site.book.reset(None, "Ann") == (1,)
    assert zones(site.events) == [1, 1]
    assert zones(site.say(1, "010000"), RESTORED) == [1]


def test_home_assistants_latch_is_not_for_alarms_of_before() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010001", master=ALARM_LED)
    site.truth.latch = LatchMode.HOME_ASSISTANT
    assert site.book.reset(None, "Ann") == (1,)
    assert zones(site.events) == [1]
    assert zones(site.say(1, "010002"), RESTORED) == [1]
    site.say(1, "010000")
    assert site.alarm_of(2)


def test_a_log_that_knows_no_latch_is_read() -> None:
    """Its alarms stay shown as alarms do that begin now."""
    site = BookedSite(node(1, 1), latch=LatchMode.HOME_ASSISTANT)
    site.say(1, "010001", master=ALARM_LED)
    stored = site.stored()
    assert isinstance(stored, dict)
    del stored["occurrences"][0]["latch"]
    again = BookedSite(
        node(1, 1), latch=LatchMode.HOME_ASSISTANT, now=2000, stored=stored
    )
    again = again.restart()
    again.say(1, "010000")
    assert again.alarm_of(1)


def test_the_lamps_of_another_panel_reset_nothing() -> None:
    """Another ESP32 on this one's address: its Alarm LED is off, and it lists others."""
    site = BookedSite(node(1, 1), node(2, 2))
    site.say(1, "010001", master=ALARM_LED)
    site.say(2, "020000")
    site.lose(1)
    site.say(1, "020000")
    for _ in range(MISSED_FRAMES):
        site.say(1, "020000")
    site.wait(3600)
    assert site.alarm_of(1)
    site.say(1, "010001", master=ALARM_LED)
    assert site.alarm_of(1)
    assert zones(site.events) == [1]


def test_a_reset_counts_though_its_module_is_silent() -> None:
    """The frame lists the module as offline: this panel is the one that carries it."""
    site = BookedSite(node(1, 1))
    site.say(1, "010001", master=ALARM_LED)
    site.say(1, "01", master=ALARM_LED)
    assert site.alarm_of(1)
    assert zones(site.say(1, "01"), RESTORED) == [1]
