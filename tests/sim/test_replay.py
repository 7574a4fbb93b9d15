"""Captured messages go out exactly as they are."""

from pathlib import Path

import pytest

from sim.errors import SimError
from sim.fleet import SimulatedFleet
from sim.replay import load_messages

from .conftest import CAPTURE, Connect, next_frame


async def test_the_real_capture_arrives_byte_for_byte(connect: Connect) -> None:
    messages = load_messages(CAPTURE)
    async with SimulatedFleet(port=0, cycle_seconds=0.05, replay=messages) as fleet:
        assert len(fleet.nodes) == 1
        socket = await connect(fleet.urls[0])
        for _ in range(3):
            assert await next_frame(socket) == CAPTURE.read_bytes()


async def test_several_messages_take_turns(connect: Connect, tmp_path: Path) -> None:
    file = tmp_path / "many"
    file.write_bytes(b'{"data":"one"}\n\n{"data":"t\xffo"}\r\n{"three"')
    messages = load_messages(file)
    assert messages == (b'{"data":"one"}', b'{"data":"t\xffo"}', b'{"three"')
    async with SimulatedFleet(port=0, cycle_seconds=0.05, replay=messages) as fleet:
        socket = await connect(fleet.urls[0])
        seen = [await next_frame(socket) for _ in range(6)]
        assert set(seen[:3]) == set(messages)
        assert seen[3:] == seen[:3]


@pytest.mark.parametrize(
    "content", [b"41DF <STX>\n", b'{"data":"one"}\nrest', b'{"a":\n1}', b"\xff\x00"]
)
def test_anything_else_is_one_message(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "one"
    file.write_bytes(content)
    assert load_messages(file) == (content,)


def test_a_raw_control_byte_splits_no_message(tmp_path: Path) -> None:
    content = b'{"data":"\x02\x0b\x0c\x0d\x1c\x85"}'
    file = tmp_path / "many"
    file.write_bytes(content + b"\n" + content)
    assert load_messages(file) == (content, content)


@pytest.mark.parametrize(("content", "text"), [(b" \n", "empty"), (None, "No such")])
def test_a_useless_file_is_named(
    tmp_path: Path, content: bytes | None, text: str
) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SimError, match=f"file .*{text}"):
        load_messages(file)


async def test_a_capture_cannot_be_changed() -> None:
    async with SimulatedFleet(port=0, replay=(b"{}",)) as fleet:
        with pytest.raises(SimError, match="replay: "):
            fleet.alarm(1)
        with pytest.raises(SimError, match="replay: "):
            fleet.reset()
