"""The load: all ESP32s of a benchmark, lean, in a process of its own.

Each node is a WebSocket server on its own loopback address, or a topic of an
MQTT broker. All send at the same pace, evenly spread over the second, for real
nodes are not in step. Each message has a new time stamp in it, as from the
firmware. Moments are nanoseconds of CLOCK_MONOTONIC, which all processes of a
machine share.
"""

import asyncio
from functools import partial
import json
import socket
import sys
import time
from typing import Any, Final, override

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from sim.encode import encode_message
from sim.panel import ModulePicture, Picture

from .peer import serve
from .plan import ZONES_PER_MODULE, NodePlan, plan, zones_of

QUIET: Final = 0xDF
ALARM_LED_ON: Final = 0xCF
"""Master status bytes, active low (bit 0x10 is the Alarm LED)."""

HEADER: Final = 0x51
ALL_ZONES: Final = 0x1F
UPTIME_MASK: Final = 0xFFFF_FFFF
CLEAR_AFTER_SECONDS: Final = 0.3
"""How long each alarm of the scenario "alarm during load" lasts: its end falls
between two others, which come every 0.2 s."""

TOPIC: Final = "fire_alarm/node_{}"
DISCOVERY_TOPIC: Final = "homeassistant/binary_sensor/fire_alarm_zone_{}/config"


class Node:
    """One ESP32: what its panel shows, and how it says so."""

    def __init__(self, one: NodePlan) -> None:
        """Begin with all zones normal."""
        self.plan = one
        self._alarms = dict.fromkeys(one.modules, 0)

    def set_alarms(self, bits: int) -> None:
        """Put the zones behind the bits (0-31) of every module in alarm."""
        self._alarms = dict.fromkeys(self._alarms, bits)

    def send(self) -> int:
        """Send the state of now; return how many bytes that were."""
        raise NotImplementedError

    def _uptime_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000 & UPTIME_MASK


class WebSocketNode(Node):
    """An ESP32 as it is: a server that sends the panel's polling cycle."""

    def __init__(self, one: NodePlan) -> None:
        """Start without a client."""
        super().__init__(one)
        self.clients: set[Client] = set()

    @override
    def send(self) -> int:
        status = ALARM_LED_ON if any(self._alarms.values()) else QUIET
        modules = (
            ModulePicture(module, True, alarm=bits)
            for module, bits in self._alarms.items()
        )
        raw = encode_message(
            Picture(HEADER, status, tuple(modules)),
            uptime_ms=self._uptime_ms(),
            clients=1,
            free_heap=225_576,
        )
        return sum(client.send(raw) for client in tuple(self.clients))


class Client(asyncio.Protocol):
    """A connection to a node."""

    def __init__(self, node: WebSocketNode) -> None:
        """Wait for the handshake."""
        self._node = node
        self._protocol = ServerProtocol()
        self.transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._protocol.send_response(self._protocol.accept(event))
                self._node.clients.add(self)
            elif isinstance(event, Frame) and event.opcode is Opcode.CLOSE:
                self._node.clients.discard(self)
        self._flush()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._node.clients.discard(self)
        self.transport = None

    def send(self, raw: bytes) -> int:
        """Send one message; return its size with the head of its frame."""
        if self._protocol.state is not OPEN:
            return 0
        self._protocol.send_text(raw)
        return self._flush()

    def _flush(self) -> int:
        """Hand what the protocol says to the operating system."""
        assert self.transport is not None
        size = 0
        for chunk in self._protocol.data_to_send():
            if chunk:
                self.transport.write(chunk)
                size += len(chunk)
            else:
                self.transport.close()
        return size


class MqttNode(Node):
    """An ESP32 behind MQTT: one JSON message per cycle, a field per zone."""

    def __init__(self, one: NodePlan, client: mqtt.Client) -> None:
        """Publish over the one connection that all nodes share."""
        super().__init__(one)
        self._client = client
        self.topic = TOPIC.format(one.node)

    @override
    def send(self) -> int:
        bits = [
            module >> place & 1
            for module in self._alarms.values()
            for place in range(ZONES_PER_MODULE)
        ]
        fields = {
            f"z{zone}": "ON" if bit else "OFF"
            for zone, bit in zip(zones_of(self.plan), bits, strict=True)
        }
        rest = {"timestamp": self._uptime_ms(), "clients": 1, "freeHeap": 225_576}
        return self.publish("state", json.dumps(fields | rest))

    def introduce(self) -> None:
        """Tell Home Assistant of the zones, as MQTT discovery has it."""
        number = self.plan.node
        for zone in zones_of(self.plan):
            config = {
                "name": f"Zone {zone}",
                "unique_id": f"fire_alarm_zone_{zone}",
                "device_class": "smoke",
                "state_topic": f"{self.topic}/state",
                "value_template": f"{{{{ value_json.z{zone} }}}}",
                "availability_topic": f"{self.topic}/availability",
                "device": {"identifiers": [f"node_{number}"], "name": f"Node {number}"},
            }
            topic = DISCOVERY_TOPIC.format(zone)
            self._client.publish(topic, json.dumps(config), retain=True)

    def publish(self, name: str, payload: str, *, retain: bool = False) -> int:
        """Publish below the node's topic; return the size of the packet."""
        topic = f"{self.topic}/{name}"
        self._client.publish(topic, payload, retain=retain)
        body = len(topic) + 2 + len(payload)
        return body + (2 if body < 128 else 3)


class Load:
    """All nodes and the pace at which they send."""

    def __init__(self) -> None:
        """Start without nodes."""
        self._nodes: list[Node] = []
        self._servers: list[asyncio.Server] = []
        self._mqtt: mqtt.Client | None = None
        self._pacer: asyncio.Task[None] | None = None
        self._hz = 0.0
        self._is_cut = False
        self._port = 0
        self._messages = 0
        self._bytes = 0
        self._raised = 0

    async def open(
        self, layout: str, count: int, broker_port: int | None = None
    ) -> int:
        """Let the nodes be there; return the port they all listen on."""
        plans = plan(layout, count)
        if broker_port is not None:
            self._mqtt = mqtt.Client(CallbackAPIVersion.VERSION2)
            self._mqtt.connect("127.0.0.1", broker_port)
            self._mqtt.loop_start()
            nodes = [MqttNode(one, self._mqtt) for one in plans]
            for node in nodes:
                node.introduce()
            self._nodes = list(nodes)
            self._announce("online")
        else:
            self._nodes = [WebSocketNode(one) for one in plans]
            await self._listen()
        return self._port

    async def pace(self, hz: float) -> None:
        """Let every node send so many messages a second; 0 is silence."""
        self._hz = hz
        if self._pacer is not None:
            self._pacer.cancel()
            self._pacer = None
        if hz:
            self._pacer = asyncio.create_task(self._keep_pace(hz))

    async def counts(self) -> dict[str, int]:
        """Return what was sent so far and how many clients are there."""
        clients = sum(
            len(node.clients) for node in self._nodes if isinstance(node, WebSocketNode)
        )
        return {"messages": self._messages, "bytes": self._bytes, "clients": clients}

    async def wait_for_clients(self, seconds: float) -> float:
        """Wait until every node has a client and sent to it; return the seconds."""
        began = time.monotonic()
        nodes = [node for node in self._nodes if isinstance(node, WebSocketNode)]
        async with asyncio.timeout(seconds):
            while not all(node.clients for node in nodes):
                await asyncio.sleep(0.01)
        return time.monotonic() - began

    async def alarms(self, count: int, gap: float) -> list[tuple[int, int]]:
        """Raise so many alarms one after the other; return zone and moment of each.

        One zone of every node, then the next one of every node, so that each alarm
        is news, as in life, until every zone had one.
        """
        loop = asyncio.get_running_loop()
        raised: list[tuple[int, int]] = []
        for _ in range(count):
            lap, place = divmod(self._raised, len(self._nodes))
            self._raised += 1
            node, position = self._nodes[place], lap % ZONES_PER_MODULE
            node.set_alarms(1 << position)
            raised.append((zones_of(node.plan)[position], time.monotonic_ns()))
            self._send(node)
            loop.call_later(CLEAR_AFTER_SECONDS, self._clear, node)
            await asyncio.sleep(gap)
        await asyncio.sleep(CLEAR_AFTER_SECONDS)
        return raised

    async def storm(self, *, on: bool) -> int:
        """Put all zones in alarm at once, or take all alarms away; return when."""
        began = time.monotonic_ns()
        for node in self._nodes:
            node.set_alarms(ALL_ZONES if on else 0)
            self._send(node)
        return began

    async def cut(self) -> None:
        """Take the power from all nodes."""
        await self.pace(0)
        for server in self._servers:
            server.close()
        self._servers.clear()
        for node in self._nodes:
            if isinstance(node, WebSocketNode):
                for client in tuple(node.clients):
                    if client.transport is not None:
                        client.transport.abort()
        self._announce("offline")

    async def restore(self, hz: float) -> int:
        """Give the power back; return when."""
        began = time.monotonic_ns()
        if self._mqtt is None:
            await self._listen()
        self._announce("online")
        await self.pace(hz)
        return began

    async def _listen(self) -> None:
        """Listen on every node's address, all on the same port."""
        loop = asyncio.get_running_loop()
        for node in self._nodes:
            assert isinstance(node, WebSocketNode)
            listener = socket.create_server((node.plan.host, self._port), backlog=16)
            self._port = listener.getsockname()[1]
            server = await loop.create_server(partial(Client, node), sock=listener)
            self._servers.append(server)

    def _announce(self, word: str) -> None:
        """Publish whether the nodes are there, as their last will would."""
        for node in self._nodes:
            if isinstance(node, MqttNode):
                node.publish("availability", word, retain=True)

    def _clear(self, node: Node) -> None:
        node.set_alarms(0)
        self._send(node)

    def _send(self, node: Node) -> None:
        if size := node.send():
            self._messages += 1
            self._bytes += size

    async def _keep_pace(self, hz: float) -> None:
        """Let the nodes send in turn, each in its own moment of the period."""
        gap = 1 / hz / len(self._nodes)
        due = time.monotonic()
        place = 0
        while True:
            now = time.monotonic()
            while due <= now:
                self._send(self._nodes[place])
                place = (place + 1) % len(self._nodes)
                due += gap
            await asyncio.sleep(due - time.monotonic())


def main() -> int:
    """Serve the commands."""
    load = Load()
    commands: dict[str, Any] = {
        name: getattr(load, name)
        for name in (
            *("open", "pace", "counts", "wait_for_clients"),
            *("alarms", "storm", "cut", "restore"),
        )
    }
    asyncio.run(serve(commands))
    return 0


if __name__ == "__main__":
    sys.exit(main())
