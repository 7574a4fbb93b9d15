"""Health: what makes a verdict, which uptime is a reboot and which is a wrap."""

import pytest

from custom_components.esp32_fire_alarm.fleet.frame import FrameFault
from custom_components.esp32_fire_alarm.fleet.health import (
    DAY_SECONDS,
    LOW_HEAP_BYTES,
    MALFORMED_RECENT_SECONDS,
    TIMELINE_KEPT,
    UNSTABLE_RECONNECTS,
    UPTIME_WRAP_MS,
    HealthMonitor,
    HealthReason,
    LinkState,
    Verdict,
)
from custom_components.esp32_fire_alarm.fleet.link import LinkFault
from custom_components.esp32_fire_alarm.fleet.models import DeviceFrame
from custom_components.esp32_fire_alarm.fleet.paths import Path


class Patient:
    """A monitor of one node, with a hand on its clocks."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.monitor = HealthMonitor(lambda: self.now, lambda: 1e9 + self.now)

    def connect(self) -> None:
        """Let the link come up."""
        for state in (LinkState.CONNECTING, LinkState.SILENT, LinkState.CONNECTED):
            self.monitor.note_link(1, state, "127.0.0.2:81")

    def telemetry(self, **values: int | str | None) -> None:
        """Let a frame with these values come in."""
        self.monitor.note_telemetry(1, DeviceFrame(None, {}, **values))  # type: ignore[arg-type]

    def judge(self) -> tuple[Verdict, HealthReason | LinkFault]:
        """Return verdict and reason."""
        health = self.monitor.assess(1)
        return health.verdict, health.reason


@pytest.fixture
def patient() -> Patient:
    """A node that is connected and well."""
    patient = Patient()
    patient.connect()
    return patient


def test_before_the_first_connect() -> None:
    """A node that was never reached is not called lost yet."""
    assert Patient().judge() == (Verdict.DEGRADED, HealthReason.STARTING)


def test_well(patient: Patient) -> None:
    """Connected and nothing wrong."""
    assert patient.judge() == (Verdict.HEALTHY, HealthReason.OK)
    assert patient.monitor.rank(1) == 0


def test_every_reason_that_degrades(patient: Patient) -> None:
    """Each cause by itself makes the node degraded, and passes again."""
    record = patient.monitor.record(1)
    record.path = Path.STANDBY
    assert patient.judge() == (Verdict.DEGRADED, HealthReason.ON_STANDBY)
    record.path = Path.PRIMARY
    patient.monitor.note_standby(1, is_alive=False)
    assert patient.judge() == (Verdict.DEGRADED, HealthReason.STANDBY_DEAD)
    patient.monitor.note_standby(1, is_alive=True)
    record.throttled_at = patient.now
    assert patient.judge() == (Verdict.DEGRADED, HealthReason.FLOODING)
    record.throttled_at = None
    patient.monitor.note_bad_frame(1, FrameFault.MALFORMED)
    assert patient.judge() == (Verdict.DEGRADED, HealthReason.MALFORMED)
    patient.now += MALFORMED_RECENT_SECONDS
    patient.telemetry(free_heap=LOW_HEAP_BYTES - 1)
    assert patient.judge() == (Verdict.DEGRADED, HealthReason.LOW_MEMORY)
    patient.telemetry(free_heap=LOW_HEAP_BYTES)
    for _ in range(UNSTABLE_RECONNECTS):
        patient.connect()
    assert patient.judge() == (Verdict.DEGRADED, HealthReason.UNSTABLE)
    assert patient.monitor.rank(1) == 1
    patient.now += DAY_SECONDS + 1
    assert patient.judge() == (Verdict.HEALTHY, HealthReason.OK)


def test_lost_with_its_fault(patient: Patient) -> None:
    """Without a link the fault is the reason; full slots are no dead hardware."""
    patient.monitor.note_link(1, LinkState.BACKING_OFF, "x", LinkFault.HALF_OPEN)
    assert patient.judge() == (Verdict.LOST, LinkFault.HALF_OPEN)
    assert patient.monitor.rank(1) == 2
    patient.monitor.note_link(1, LinkState.BACKING_OFF, "x", LinkFault.SLOTS_FULL)
    assert patient.judge() == (Verdict.DEGRADED, LinkFault.SLOTS_FULL)


def test_connected_and_silent(patient: Patient) -> None:
    """An open link without frames is named."""
    patient.monitor.note_link(1, LinkState.SILENT, "x")
    assert patient.judge() == (Verdict.DEGRADED, HealthReason.NO_DATA)


def test_other_messages_are_not_malformed(patient: Patient) -> None:
    """Pongs and empty objects are counted apart and degrade nothing."""
    patient.monitor.note_bad_frame(1, FrameFault.NOT_PANEL_DATA)
    patient.monitor.note_bad_frame(1, FrameFault.EMPTY)
    assert patient.monitor.record(1).ignored == 2
    assert patient.judge() == (Verdict.HEALTHY, HealthReason.OK)


def test_boot_time_stands_still(patient: Patient) -> None:
    """While the node runs, its boot time does not wander."""
    patient.telemetry(uptime_ms=60_000)
    booted = patient.monitor.assess(1).booted_at
    assert booted == 1e9 + 1000 - 60
    patient.now += 100
    patient.telemetry(uptime_ms=161_500)
    assert patient.monitor.assess(1).booted_at == booted
    assert patient.monitor.assess(1).reboots == 0


def test_a_reboot_is_counted(patient: Patient) -> None:
    """The uptime starts over: a new boot time and one reboot."""
    patient.telemetry(uptime_ms=60_000)
    patient.now += 100
    patient.telemetry(uptime_ms=3_000)
    health = patient.monitor.assess(1)
    assert health.reboots == 1
    assert health.booted_at == 1e9 + 1100 - 3


def test_the_wrap_after_49_days_is_no_reboot(patient: Patient) -> None:
    """`millis()` starting over at 2**32 is the same boot."""
    patient.telemetry(uptime_ms=UPTIME_WRAP_MS - 10_000)
    booted = patient.monitor.assess(1).booted_at
    patient.now += 30
    patient.telemetry(uptime_ms=20_000)
    assert patient.monitor.assess(1).reboots == 0
    assert patient.monitor.assess(1).booted_at == booted


@pytest.mark.parametrize("uptime", [UPTIME_WRAP_MS, 1_795_478_744_032, 2**52])
def test_a_date_is_no_uptime(patient: Patient, uptime: int) -> None:
    """What `millis()` cannot be is not made a boot time."""
    patient.telemetry(uptime_ms=uptime)
    assert patient.monitor.assess(1).booted_at is None


def test_what_a_node_says_of_its_mode_is_bounded(patient: Patient) -> None:
    """A long word is cut."""
    patient.telemetry(suffix=f"MODE:{'x' * 60_000}")
    assert patient.monitor.record(1).mode == "x" * 40
    patient.telemetry(suffix="")
    assert patient.monitor.record(1).mode is None


def test_the_timeline_is_bounded(patient: Patient) -> None:
    """Only the last changes are kept."""
    for _ in range(TIMELINE_KEPT):
        patient.connect()
    assert len(patient.monitor.record(1).timeline) == TIMELINE_KEPT
