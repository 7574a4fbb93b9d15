"""A real Home Assistant process with this integration in it, on loopback.

For the demo and the end-to-end tests: starts `hass`, walks through onboarding
and the config flow over the same interfaces the browser uses, and stops it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
import json
from pathlib import Path
import shutil
import signal
import sys
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

REPOSITORY: Final = Path(__file__).resolve().parents[1]
DOMAIN: Final = "esp32_fire_alarm"
USER: Final = "demo"
PASSWORD: Final = "demo"

START_SECONDS: Final = 120.0
"""Longest wait for the server's first answer; about 15 s on two cores."""

STOP_SECONDS: Final = 30.0
STEP_SECONDS: Final = 60.0
"""Longest wait for one step of a config flow, a scan of 63 addresses included."""

CONFIGURATION: Final = """\
# Only what the demo shows: default_config would bring voice and discovery.
homeassistant:
  name: Fire alarm demo
  time_zone: Asia/Jakarta
  unit_system: metric
automation: !include automations.yaml
config:
diagnostics:
frontend:
history:
logbook:
logger:
  default: warning
  logs:
    custom_components.esp32_fire_alarm: info
    # What a machine without sound and pictures lacks.
    haffmpeg: fatal
    homeassistant.components.camera.img_util: fatal
    # It warns of every custom integration.
    homeassistant.loader: error
notify:
person:
repairs:
script:
system_health:
http:
  server_host: 127.0.0.1
  server_port: {port}
"""


ONBOARDING: Final = {
    "version": 4,
    "key": "onboarding",
    # These steps would set up weather, radio and speech from the internet.
    "data": {"done": ["core_config", "analytics"]},
}


class HomeAssistantError(Exception):
    """The server, or a step in it, did not do what was asked."""


class HomeAssistantProcess:
    """One `hass` process on 127.0.0.1, set up by the first call to `onboard`.

    The configuration folder is made if it is not there; `port` is 1024-65535.
    `components` are folders of further custom integrations, set up without
    configuration.
    """

    def __init__(
        self, folder: Path, *, port: int = 8123, components: Sequence[Path] = ()
    ) -> None:
        """Name the configuration folder and the port."""
        self.folder = folder
        self._components = components
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None
        self._token: str | None = None

    async def __aenter__(self) -> Self:
        """Start the server and wait until it answers."""
        self._prepare_folder()
        self._session = aiohttp.ClientSession()
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the server."""
        await self.stop()
        if self._session is not None:
            await self._session.close()

    @property
    def token(self) -> str:
        """The access token of the demo user, once there is one."""
        assert self._token is not None, "onboard first"
        return self._token

    @property
    def pid(self) -> int:
        """The id of the process, once it is started."""
        assert self._process is not None, "start first"
        return self._process.pid

    async def start(self) -> None:
        """Start the process and wait for its first answer.

        Raises:
            HomeAssistantError: it ended, or did not answer in time.

        """
        # A group of its own, so that Ctrl-C in the terminal reaches only us.
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "homeassistant",
            "--config",
            str(self.folder),
            "--skip-pip",
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        await self._wait_until_up()

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the process: politely, or with SIGKILL as a crash would."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(how)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def wait(self) -> int:
        """Wait until the process ends by itself and return its exit code."""
        assert self._process is not None
        return await self._process.wait()

    async def onboard(self) -> None:
        """Create the demo user and finish the welcome dialogs, or log in."""
        steps = await self._request("GET", "/api/onboarding")
        if not next(step["done"] for step in steps if step["step"] == "user"):
            answer = await self._request(
                "POST",
                "/api/onboarding/users",
                {
                    "client_id": self.url,
                    "name": "Demo",
                    "username": USER,
                    "password": PASSWORD,
                    "language": "en",
                },
            )
            await self._take_token(answer["auth_code"])
            await self._request(
                "POST",
                "/api/onboarding/integration",
                {"client_id": self.url, "redirect_uri": self.url},
            )
        else:
            await self.log_in()
        async with self.websocket() as api:
            if (await api.call("http/config"))["pending"] is not None:
                # Unconfirmed, it would restart without our port in five minutes.
                await api.call("http/config/promote")

    async def log_in(self) -> None:
        """Log in as the demo user."""
        flow = await self._request(
            "POST",
            "/auth/login_flow",
            {
                "client_id": self.url,
                "handler": ["homeassistant", None],
                "redirect_uri": self.url,
            },
        )
        answer = await self._request(
            "POST",
            f"/auth/login_flow/{flow['flow_id']}",
            {"client_id": self.url, "username": USER, "password": PASSWORD},
        )
        await self._take_token(answer["result"])

    async def add_site(
        self,
        first_answers: dict[str, Any],
        answer: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> str:
        """Walk through the config flow and return the new entry's id.

        `first_answers` fills the first form; `answer` is asked for every
        further form or menu that the flow shows.

        Raises:
            HomeAssistantError: the flow ended without an entry or took too long.

        """
        flows = "/api/config/config_entries/flow"
        step = await self._request("POST", flows, {"handler": DOMAIN})
        is_answered = False
        async with asyncio.timeout(STEP_SECONDS):
            while step["type"] in ("form", "menu", "progress"):
                here = f"{flows}/{step['flow_id']}"
                if step["type"] == "progress":
                    await asyncio.sleep(0.2)
                    step = await self._request("GET", here)
                    continue
                if step.get("errors"):
                    raise HomeAssistantError(f"{step['step_id']}: {step['errors']}")
                reply = answer(step) if is_answered else first_answers
                is_answered = True
                step = await self._request("POST", here, reply)
        if step["type"] != "create_entry":
            raise HomeAssistantError(f"the config flow ended with {step}")
        return str(step["result"]["entry_id"])

    @asynccontextmanager
    async def websocket(self) -> AsyncIterator[WebSocketApi]:
        """Open Home Assistant's own WebSocket API."""
        assert self._session is not None
        async with self._session.ws_connect(
            f"{self.url}/api/websocket", max_msg_size=0
        ) as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": self.token})
            if (await socket.receive_json())["type"] != "auth_ok":
                raise HomeAssistantError("the access token was refused")
            yield WebSocketApi(socket)

    def _prepare_folder(self) -> None:
        """Write the configuration and put the integration next to it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "configuration.yaml").write_text(
            CONFIGURATION.format(port=self._port)
            + "".join(f"{component.name}:\n" for component in self._components)
        )
        # Where the automation editor writes to.
        automations = self.folder / "automations.yaml"
        if not automations.exists():
            automations.write_text("[]\n")
        onboarding = self.folder / ".storage" / "onboarding"
        if not onboarding.exists():
            onboarding.parent.mkdir(exist_ok=True)
            onboarding.write_text(json.dumps(ONBOARDING))
        ours = REPOSITORY / "custom_components"
        links = self.folder / "custom_components"
        shutil.rmtree(links, ignore_errors=True)
        links.mkdir()
        for target in (ours / "__init__.py", ours / DOMAIN, *self._components):
            (links / target.name).symlink_to(target)

    async def _wait_until_up(self) -> None:
        """Wait for the first answer of the server."""
        assert self._session is not None
        assert self._process is not None
        try:
            async with asyncio.timeout(START_SECONDS):
                while self._process.returncode is None:
                    try:
                        async with self._session.get(f"{self.url}/manifest.json"):
                            return
                    except aiohttp.ClientError:
                        await asyncio.sleep(0.2)
        except TimeoutError as err:
            await self.stop()
            raise HomeAssistantError(
                f"no answer from {self.url} within {START_SECONDS:g} s"
            ) from err
        raise HomeAssistantError(f"hass ended with code {self._process.returncode}")

    async def _take_token(self, code: str) -> None:
        """Trade an authorisation code for an access token."""
        assert self._session is not None
        async with self._session.post(
            f"{self.url}/auth/token",
            data={
                "client_id": self.url,
                "grant_type": "authorization_code",
                "code": code,
            },
        ) as response:
            self._token = (await response.json())["access_token"]

    async def _request(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> Any:
        """Send one request to the REST API and return the answer.

        Raises:
            HomeAssistantError: the server refused it.

        """
        assert self._session is not None
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        async with self._session.request(
            method, self.url + path, json=body, headers=headers
        ) as response:
            if response.status >= 400:
                raise HomeAssistantError(
                    f"{method} {path}: {response.status} {await response.text()}"
                )
            return await response.json()


class WebSocketApi:
    """Commands and subscriptions over one connection, one after the other."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Take over an authenticated socket."""
        self._socket = socket
        self._last_id = 0

    async def call(self, kind: str, **arguments: object) -> Any:
        """Send a command and return its result; events meanwhile are dropped.

        Raises:
            HomeAssistantError: the command failed.

        """
        self._last_id += 1
        await self._socket.send_json({"id": self._last_id, "type": kind, **arguments})
        while True:
            message = await self._socket.receive_json()
            if message["id"] == self._last_id and message["type"] == "result":
                if not message["success"]:
                    raise HomeAssistantError(f"{kind}: {message['error']}")
                return message["result"]

    async def next_event(self) -> dict[str, Any]:
        """Return the next event of any subscription."""
        while True:
            message = await self._socket.receive_json()
            if message["type"] == "event":
                event: dict[str, Any] = message["event"]
                return event
