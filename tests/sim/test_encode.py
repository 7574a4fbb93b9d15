"""The encoder against the one real capture, and against the decoder it never saw."""

import json

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.esp32_fire_alarm.fleet.frame import decode
from sim.encode import Dialect, encode_data, encode_message
from sim.panel import Lamp, ModulePicture, Panel, Picture, Site, Switch

from .conftest import CAPTURE, FRAMES

CAPTURED = FRAMES[0]["expected"]


def captured_panel() -> Panel:
    """Return a panel whose truth is what the real capture shows."""
    site = Site()
    for zone in CAPTURED["trouble"]:
        site.set_trouble(zone, True)
    for module in CAPTURED["offline_modules"]:
        site.module(module).offline = True
    for module in CAPTURED["trouble_bit5_modules"]:
        site.module(module).bit5 = True
    panel = Panel(site, range(1, 64), header=0x51)
    panel.set_lamp(Lamp.AC, Switch.OFF)
    panel.set_lamp(Lamp.SILENCED, Switch.ON)
    return panel


def test_the_real_capture_byte_for_byte() -> None:
    dark_blink = 1  # the Trouble lamp was dark in that very frame
    assert (
        encode_message(
            captured_panel().picture(dark_blink),
            uptime_ms=5_080_561,
            clients=5,
            free_heap=225_576,
        )
        == CAPTURE.read_bytes()
    )


def one_module(
    alarm: int, trouble: int = 0, confirmation: str | None = None
) -> Picture:
    """Return a picture with module 1 as given and modules 2 and 3 quiet."""
    return Picture(
        0x41,
        0xDF,
        (
            ModulePicture(1, True, trouble, alarm, confirmation),
            ModulePicture(2, True),
            ModulePicture(3, True),
        ),
    )


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("dummy_normal", one_module(0)),
        ("dummy_tr2", one_module(0, 0x06)),
        ("dummy_al1", one_module(0x01)),
        ("dummy_bell1", one_module(0x21, 0, "$85")),
        ("dummy_sil", one_module(0x01, 0, "$84")),
    ],
)
def test_the_compact_dialect_has_the_test_servers_checksum(
    name: str, picture: Picture
) -> None:
    (frame,) = (frame for frame in FRAMES if frame["name"] == name)
    assert encode_data(picture, 0, Dialect.COMPACT) == frame["data"]


def test_the_legacy_dialect() -> None:
    (frame,) = (frame for frame in FRAMES if frame["name"] == "mobile_seed")
    picture = Picture(
        0x40,
        0x5F,
        (
            ModulePicture(1, True),
            ModulePicture(2, True, 0x00, 0x22),
            ModulePicture(3, False),
            ModulePicture(4, True),
        ),
    )
    assert encode_data(picture, 0, Dialect.LEGACY) == frame["data"]


def test_only_the_captured_dialect_is_broken_json() -> None:
    picture = one_module(0)
    for dialect in Dialect:
        message = encode_message(
            picture, uptime_ms=1, clients=1, free_heap=1, dialect=dialect
        )
        if dialect is Dialect.CAPTURED:
            with pytest.raises(json.JSONDecodeError):
                json.loads(message)
        else:
            assert list(json.loads(message)) == [
                "timestamp",
                "data",
                "clients",
                "freeHeap",
            ]


MODULES = st.lists(
    st.builds(
        lambda online, trouble, alarm, confirmation: (
            online,
            *((trouble, alarm, confirmation) if online else (0, 0, None)),
        ),
        st.booleans(),
        st.integers(0, 0x3F),
        st.integers(0, 0x3F),
        st.sampled_from([None, "$85", "$84"]),
    ),
    min_size=1,
    max_size=63,
)


@settings(max_examples=150, deadline=None)
@given(
    modules=MODULES,
    header=st.integers(0, 255),
    status=st.integers(0, 255),
    dialect=st.sampled_from(Dialect),
    uptime_ms=st.integers(0, 2**32 - 1),
)
def test_the_decoder_reads_every_truth_back(
    modules: list[tuple[bool, int, int, str | None]],
    header: int,
    status: int,
    dialect: Dialect,
    uptime_ms: int,
) -> None:
    picture = Picture(
        header,
        status,
        tuple(ModulePicture(n, *module) for n, module in enumerate(modules, 1)),
    )
    frame = decode(
        encode_message(
            picture, uptime_ms=uptime_ms, clients=3, free_heap=200_000, dialect=dialect
        )
    )
    assert frame.malformed == 0
    assert frame.panel is not None
    assert (frame.panel.header, frame.panel.status) == (header, status)
    assert (frame.uptime_ms, frame.clients, frame.free_heap) == (uptime_ms, 3, 200_000)
    assert sorted(frame.modules) == list(range(1, len(modules) + 1))
    for number, (online, trouble, alarm, _) in enumerate(modules, 1):
        state = frame.modules[number]
        assert state.online is online
        assert (state.trouble, state.bit5) == (trouble & 0x1F, bool(trouble & 0x20))
        assert (state.alarm, state.bell) == (alarm & 0x1F, bool(alarm & 0x20))
    assert frame.confirmations == tuple(
        (number, module[3]) for number, module in enumerate(modules, 1) if module[3]
    )
