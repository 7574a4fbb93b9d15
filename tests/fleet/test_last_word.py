"""After a reconnect nothing counts that is older than what was heard before it."""

import pytest

from custom_components.esp32_fire_alarm.fleet.last_word import (
    DOUBT_SECONDS,
    MARGIN_SECONDS,
)
from custom_components.esp32_fire_alarm.fleet.models import EdgeKind
from custom_components.esp32_fire_alarm.fleet.paths import Path

from .fed_site import ALARM_LED, FedSite, message, node

HOUR_MS = 3_600_000
SILENCE_SECONDS = 20.0

ALARM = (EdgeKind.ALARM, 1)
RESTORED = (EdgeKind.ALARM_RESTORED, 1)


class Patient:
    """A site of one node whose link was lost while its zone 1 was in alarm."""

    def __init__(self, uptime_ms: int = 10 * HOUR_MS) -> None:
        self.site = FedSite(node(1, 1))
        self.record = self.site.health.record(1)
        self.say("010000", uptime_ms - 1000)
        self.say("010001", uptime_ms)
        assert self.site.told() == [ALARM]
        self.lose()

    def say(self, segment: str, uptime_ms: int) -> bool:
        """Send a message, as the pool passes it on."""
        raw = message(
            segment,
            master=ALARM_LED if segment.endswith("1") else "41DF",
            uptime=uptime_ms,
        )
        return self.pass_on(raw)

    def pass_on(self, raw: bytes) -> bool:
        """Let a message of any kind come in."""
        self.record.raw_frames.append(raw)
        says_something = self.site.aggregator.feed(1, raw)
        if says_something:
            self.record.last_frame_at = self.site.now()
        self.site.loop.turn()
        return says_something

    def lose(self, seconds: float = SILENCE_SECONDS) -> None:
        """Cut the link for so long."""
        self.site.aggregator.lose(1)
        self.site.loop.pass_time(seconds)


@pytest.fixture
def patient() -> Patient:
    return Patient()


def test_frames_from_before_neither_end_nor_repeat_an_alarm(patient: Patient) -> None:
    for step in range(5):
        assert not patient.say("010000", 9 * HOUR_MS + step)
    assert patient.say("010001", 10 * HOUR_MS + 20_000)
    assert patient.site.told() == []
    assert patient.record.ignored == 5
    assert patient.say("010000", 10 * HOUR_MS + 21_000)
    assert patient.site.told() == [RESTORED]


def test_a_known_frame_from_before_is_refused_too(patient: Patient) -> None:
    """It need not be decoded to be understood, but it is as old."""
    assert not patient.say("010000", 10 * HOUR_MS - 1000)
    assert patient.site.told() == []


def test_a_reboot_is_nothing_old(patient: Patient) -> None:
    assert patient.say("010000", 5_000)
    assert patient.site.told() == [RESTORED]


def test_a_wrap_is_nothing_old() -> None:
    patient = Patient(uptime_ms=2**32 - 5_000)
    assert patient.say("010000", 15_000)
    assert patient.site.told() == [RESTORED]


def test_what_may_be_a_boot_is_believed(patient: Patient) -> None:
    """The last frame may have been late by as much as a silence may last."""
    latest = int((SILENCE_SECONDS + MARGIN_SECONDS) * 1000)
    assert patient.say("010000", latest)
    assert patient.site.told() == [RESTORED]


def test_other_hardware_is_heard_after_a_moment(patient: Patient) -> None:
    """A spare ESP32 with a smaller uptime is no buffer."""
    assert not patient.say("010001", HOUR_MS)
    patient.site.loop.pass_time(DOUBT_SECONDS)
    assert patient.say("010000", HOUR_MS + 3000)
    assert patient.site.told() == [RESTORED]


def test_a_standby_has_an_uptime_of_its_own(patient: Patient) -> None:
    patient.record.path = Path.STANDBY
    assert patient.say("010000", HOUR_MS)
    assert patient.site.told() == [RESTORED]


def test_rubbish_leaves_the_doubt(patient: Patient) -> None:
    assert not patient.pass_on(b'{"type":"pong"}')
    assert not patient.say("010000", HOUR_MS)
    assert patient.say("010001", 11 * HOUR_MS)
    assert patient.site.told() == []


def test_a_second_loss_amid_old_frames_lowers_no_bar(patient: Patient) -> None:
    assert not patient.say("010000", 9 * HOUR_MS)
    patient.lose()
    assert not patient.say("010000", 9 * HOUR_MS + 1)
    assert patient.site.told() == []


def test_a_node_that_was_never_heard_is_not_doubted() -> None:
    site = FedSite(node(1, 1))
    site.aggregator.lose(1)
    assert site.aggregator.feed(1, message("010001", uptime=5))
    assert site.told() == [ALARM]
