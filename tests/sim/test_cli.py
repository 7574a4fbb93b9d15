"""`python -m sim` as users run it: real processes, real exit codes."""

import asyncio
from collections.abc import AsyncIterator
import json
import os
from pathlib import Path
import signal
import socket
import subprocess
import sys

import pytest

from custom_components.esp32_fire_alarm.fleet.frame import decode
from sim.faults import Fault
from sim.parser import parse

from .conftest import CAPTURE, PATIENCE_SECONDS, Connect, frame_with, next_frame

ROOT = Path(__file__).parent.parent.parent
SIM = (sys.executable, "-m", "sim")


def free_port(*hosts: str) -> int:
    """Return a port below the ephemeral ones that is free on all hosts."""
    for port in range(20_000 + os.getpid() % 5_000, 32_000):
        try:
            for host in hosts:
                with socket.socket() as probe:
                    probe.bind((host, port))
        except OSError:
            continue
        return port
    raise AssertionError("no free port")


class Fleet:
    """A fleet in a process of its own, and the command line that talks to it."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, control: str):
        self.process = process
        self.port = port
        self.control = control

    async def sim(self, *arguments: str) -> tuple[int, str, str]:
        """Run one command; return exit code, output and errors."""
        return await sim(*arguments, "--control", self.control)

    def url(self, node: int) -> str:
        """Return the WebSocket URL of a node."""
        return f"ws://127.0.0.{node + 1}:{self.port}/"


async def sim(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """Run `python -m sim`; return exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        *SIM,
        *arguments,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate(stdin)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def start(*options: str) -> Fleet:
    """Start a fleet and wait until it has said what it serves."""
    port = free_port("127.0.0.2", "127.0.0.3", "127.0.0.4")
    control = f"127.0.0.1:{free_port('127.0.0.1')}"
    process = await asyncio.create_subprocess_exec(
        *SIM,
        *("--port", str(port), "--control", control, "--cycle", "0.2", *options),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout
    said = ""
    async with asyncio.timeout(60):
        while "Ctrl-C ends it." not in said:
            line = await process.stdout.readline()
            assert line, said
            said += line.decode()
    assert "Simulated fleet: " in said
    return Fleet(process, port, control)


@pytest.fixture
async def fleet() -> AsyncIterator[Fleet]:
    running = await start("--nodes", "3", "--absent", "3")
    yield running
    if running.process.returncode is None:
        running.process.kill()
        await running.process.wait()


async def test_an_alarm_from_the_command_line_reaches_a_client(
    fleet: Fleet, connect: Connect
) -> None:
    socket_ = await connect(fleet.url(2))
    assert await fleet.sim("alarm", "8", "6-7") == (
        0,
        "zones 8, 6, 7 in alarm on module 2, node 2 (127.0.0.3)\n",
        "",
    )
    await frame_with(socket_, b"020007")
    assert (await fleet.sim("clear", "all"))[0] == 0
    await frame_with(socket_, b"020000")


async def test_status_once_and_as_json(fleet: Fleet) -> None:
    (code, picture, _), (json_code, text, _) = await asyncio.gather(
        fleet.sim("status", "--once"), fleet.sim("status", "--json")
    )
    assert (code, json_code) == (0, 0)
    assert "nodes .._" in picture
    assert len(json.loads(text)["nodes"]) == 3


async def test_all_commands_are_understood(fleet: Fleet) -> None:
    results = await asyncio.gather(
        *(
            fleet.sim(*line.split())
            for line in (
                "trouble 1 2",
                "trouble 1 --off",
                "bell 1 on",
                "bit5 2 off",
                "offline 1 2",
                "online 1 2",
                "led drill on --node 2",
                "node 3 up",
                "node 1 fault latency 0.2 --for 5",
                "ap-flap 1",
                "reset",
            )
        )
    )
    assert [(code, err) for code, _, err in results] == [(0, "")] * len(results)
    assert all(out.count("\n") == 1 for _, out, _ in results)


async def test_what_the_fleet_refuses_is_bad_input(fleet: Fleet) -> None:
    code, out, err = await fleet.sim("alarm", "315")
    assert (code, out) == (2, "")
    assert err == (
        "python -m sim alarm: module 63: this fleet has modules 1-3 (zones 1-15)\n"
    )


@pytest.mark.parametrize("how", ["stop", signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_it_ends_at_once_and_cleanly(
    fleet: Fleet, connect: Connect, how: str | signal.Signals
) -> None:
    await connect(fleet.url(1))
    if isinstance(how, signal.Signals):
        fleet.process.send_signal(how)
    else:
        assert (await fleet.sim("stop"))[0] == 0
    assert fleet.process.stdout
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await fleet.process.stdout.read() == b""
        assert await fleet.process.wait() == 0


async def test_taken_ports_are_named(fleet: Fleet) -> None:
    taken, control_taken = await asyncio.gather(
        sim("run", "--port", str(fleet.port)),
        fleet.sim("run", "--port", str(free_port("127.0.0.2")), "--nodes", "1"),
    )
    assert taken[0] == 1
    assert taken[2] == (
        f"python -m sim run: port {fleet.port}: something listens on 127.0.0.2 "
        "already; take another port with --port, or end the other fleet with "
        "python -m sim stop\n"
    )
    assert control_taken[0] == 1
    assert "control port" in control_taken[2]
    assert "--control" in control_taken[2]


async def test_it_ends_after_the_time_asked_for() -> None:
    running = await start("--nodes", "1", "--for", "0.2")
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await running.process.wait() == 0


async def test_replay_and_check_end_to_end(connect: Connect) -> None:
    running = await start("--replay", str(CAPTURE))
    assert await next_frame(await connect(running.url(1))) == CAPTURE.read_bytes()
    code, out, _ = await sim("check", running.url(1), "--seconds", "0.5", "--json")
    assert code == 0
    assert len(json.loads(out)["modules"]) == 63
    refused = await running.sim("alarm", "1")
    assert refused[0] == 2
    assert "replay: " in refused[2]
    running.process.terminate()
    assert await running.process.wait() == 0


async def test_decode_reads_standard_input() -> None:
    code, out, err = await sim("decode", "-", stdin=CAPTURE.read_bytes())
    assert (code, err) == (0, "")
    assert len(json.loads(out)["trouble"]) == len(
        [
            zone
            for state in decode(CAPTURE.read_bytes()).modules.values()
            for zone in range(5)
            if state.trouble >> zone & 1
        ]
    )


async def test_without_a_fleet_commands_say_how_to_start_one() -> None:
    control = f"127.0.0.1:{free_port('127.0.0.1')}"
    code, out, err = await sim("alarm", "1", "--control", control)
    assert (code, out) == (1, "")
    assert err.startswith(f"python -m sim alarm: control {control}: no simulated fleet")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("alarm 316", "ZONE: 316: must be 1-315"),
        ("alarm x", "ZONE: x: must be 1-315"),
        ("alarm 9-7", "ZONE: 9-7: the first must be the lower one"),
        ("alarm", "required: ZONE"),
        ("bell 64 on", "MODULE: 64: must be 1-63"),
        ("bell 1 loud", "invalid choice: 'loud'"),
        ("led sun on", "invalid choice: 'sun'"),
        ("power-cut -1", "-1"),
        ("ap-flap never", "SECONDS: never: must be seconds"),
        ("--port 0", "--port: 0: must be 1-65535"),
        ("--layout ring", "invalid choice: 'ring'"),
        ("--nodes 64", "--nodes: 64: must be 1-63"),
        (
            "--first-address 127.0.0.300",
            "--first-address: 127.0.0.300: must be an IPv4",
        ),
        ("--absent 7,x", "--absent: x: must be 1-63"),
        ("--control 10.0.0.1:8180", "--control: 10.0.0.1:8180: must be a loopback"),
        ("--control 127.0.0.1:x", "--control: x: must be 1-65535"),
        ("dance", "invalid choice: 'dance'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    line: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(line.split())
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert text in err
    assert err.startswith("python -m sim")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("--cycle 100", "cycle 100 s: must be 0.05-60"),
        ("--nodes 3 --absent 4", "absent 4: the nodes are 1-3"),
        ("--replay no-such-file", "file no-such-file: No such file"),
        ("decode no-such-file", "file no-such-file: No such file"),
        ("check http://x", "url http://x: must be like ws://"),
    ],
)
async def test_bad_input_found_later_is_one_line_too(line: str, text: str) -> None:
    code, out, err = await sim(*line.split())
    assert (code, out) == (2, "")
    assert text in err
    assert err.count("\n") == 1


def test_without_a_command_it_runs() -> None:
    assert parse([]).do == "run"
    assert parse(["--layout", "mixed"]).layout == "mixed"
    assert parse(["run", "--absent", "7, 9"]).absent == [7, 9]
    assert parse(["--control", "localhost:99"]).control == ("127.0.0.1", 99)


async def test_the_fleet_shares_nothing_with_the_integration() -> None:
    script = (
        "import sys, sim.cli, sim.view;"
        "print(sorted({m.split('.')[0] for m in sys.modules}"
        " & {'homeassistant', 'custom_components', 'aiohttp'}))"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, cwd=ROOT, stdout=subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out == b"[]\n"


async def test_a_scenario_on_the_running_fleet(
    fleet: Fleet, connect: Connect, tmp_path: Path
) -> None:
    file = tmp_path / "fire.yaml"
    file.write_text(
        "name: Fire\nsteps:\n"
        "  - { at: 0, do: alarm, zones: 6 }\n"
        "  - { at: 1 h, do: clear, zones: all }\n"
    )
    socket_ = await connect(fleet.url(2))
    assert await fleet.sim("play", str(file)) == (0, "Fire: 2 steps, 3600 s\n", "")
    await frame_with(socket_, b"020001")
    code, _, error = await fleet.sim("play", str(file))
    assert (code, "Fire is playing" in error) == (2, True)
    assert (await fleet.sim("play", "--end"))[0] == 0


async def test_a_fleet_that_plays_a_scenario_and_ends(tmp_path: Path) -> None:
    file = tmp_path / "short.yaml"
    file.write_text(
        "name: Short\nfleet: { nodes: 2 }\nsteps:\n"
        "  - { at: 100 ms, do: alarm, zones: 6-7 }\n"
    )
    port, control = free_port("127.0.0.2", "127.0.0.3"), free_port("127.0.0.1")
    code, out, error = await sim(
        *("run", "--scenario", str(file)),
        *("--port", str(port), "--control", f"127.0.0.1:{control}"),
    )
    assert (code, error) == (0, "")
    assert "2 nodes" in out
    assert "zones 6, 7 in alarm" in out
    assert "Short: over" in out


async def test_wrong_scenarios_are_told_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(
        "name: Wrong\nfleet: { nodes: 2 }\nsteps:\n"
        "  - { at: 1, do: alarm, zones: 11 }\n"
    )
    complaint = "Wrong, line 4: module 3: no node of this fleet carries it"
    (code, _, error), (run_code, _, run_error) = await asyncio.gather(
        sim("scenario", "check", str(file)), sim("run", "--scenario", str(file))
    )
    assert (code, run_code) == (2, 2)
    assert complaint in error
    assert complaint in run_error


async def test_the_list_of_faults() -> None:
    code, out, _ = await sim("faults")
    assert code == 0
    assert len(out.splitlines()) == len(Fault)
    assert "flood              200 frames/s (1-10000)" in out
