"""Fixtures of the server's tests: the application over sandboxes that pretend, and real servers."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette

from agb.local.app import create_app
from agb.local.contexts.service import Contexts
from agb.local.failures import SandboxError, SandboxGone
from agb.local.sandbox import Sandbox
from agb.local.sessions import SessionManager
from agb.local.settings import Settings
from agb.local.store import Store
from agb.local.tiers import Isolation

API_KEY = "ako-key"
FULL_LENGTH = os.environ.get("AGB_ENDURANCE") == "full"
# A second is promised. Beside other tests everything takes longer; what would stay for ever is
# found all the same.
GONE_S = 1.0 if FULL_LENGTH else 10.0

Answer = dict[str, object] | Exception


class FakeSandbox:
    """Answers what it was told to, and remembers what it was asked."""

    def __init__(self, name: str, answers: dict[str, Answer]) -> None:
        self.name = name
        self.answers = answers
        self.calls: list[tuple[str, dict[str, object], float]] = []
        self.cancelled: list[str] = []
        self.started = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.may_close = asyncio.Event()
        self.may_close.set()
        self.closing = asyncio.Event()
        self.closed = asyncio.Event()
        self.volumes: dict[str, str] = {}
        self.workspace = ""

    async def call(
        self, method: str, params: dict[str, object], *, timeout_s: float, on_event: object = None
    ) -> dict[str, object]:
        if self.closed.is_set():
            raise SandboxGone("The sandbox has ended.")
        self.calls.append((method, params, timeout_s))
        self.started.set()
        try:
            await self._answer_or_end()
        except asyncio.CancelledError:
            self.cancelled.append(method)
            raise
        answer = self.answers[method]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _answer_or_end(self) -> None:
        waits = {asyncio.ensure_future(event.wait()) for event in (self.may_answer, self.closed)}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self.closed.is_set():
            raise SandboxGone("The sandbox has ended.")

    async def end(self) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        self.closing.set()
        await self.may_close.wait()
        self.closed.set()


class FakeSandboxes:
    """Opens sandboxes that share one table of answers."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.answers: dict[str, Answer] = {}
        self.opened: list[FakeSandbox] = []
        self.failure: SandboxError | None = None
        self.isolation = Isolation(tier="full", by_kernel=[], reasons=["it pretends"], missing=[])
        self.may_open = asyncio.Event()
        self.may_open.set()

    def why_not_a_volume(self, path: str) -> str:
        return "it is taken" if path == "/taken" else ""

    async def open(self, name: str, volumes: Sequence[str] = ()) -> FakeSandbox:
        await self.may_open.wait()
        if self.failure is not None:
            raise self.failure
        sandbox = FakeSandbox(name, self.answers)
        sandbox.volumes = {path: tempfile.mkdtemp(dir=self.directory) for path in volumes}
        self.opened.append(sandbox)
        return sandbox

    async def keep_only(self, workspaces: Collection[str]) -> None:
        pass

    def restore(
        self, name: str, volumes: Sequence[str], workspace: str, after: Sandbox | None = None
    ) -> Sandbox:
        raise AssertionError("no state folder")

    async def aclose(self) -> None:
        for sandbox in self.opened:
            await sandbox.aclose()


class Api:
    """Calls the application the way clients do."""

    def __init__(self, app: Starlette, sessions: SessionManager) -> None:
        self.app = app
        self.sessions = sessions
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://test",
            headers={"authorization": f"Bearer {API_KEY}"},
        )

    async def create(self, version: str | None = "0.12.0", **body: object) -> str:
        query = {} if version is None else {"sdkStats": json.dumps({"sdk_version": version})}
        response = await self.client.post("/mcp/createSession", params=query, json=body)
        return response.json()["data"]["sessionId"]

    async def post(self, path: str, **body: object) -> httpx.Response:
        return await self.client.post(path, json=body)

    async def get(self, path: str, **query: str) -> httpx.Response:
        return await self.client.get(path, params=query)

    async def tool(self, session_id: str, name: str, **arguments: object) -> httpx.Response:
        return await self.post("/mcp", args=json.dumps(arguments), sessionId=session_id, name=name)

    async def tool_text(self, session_id: str, name: str, **arguments: object) -> tuple[str, bool]:
        """Call a tool and return its text and whether it is an error."""
        body = (await self.tool(session_id, name, **arguments)).json()
        assert body["success"] is True
        assert body["message"] is None
        (content,) = body["data"]["content"]
        return content["text"], body["data"]["isError"]


MakeApi = Callable[..., Api]


@pytest.fixture
async def fake_sandboxes(tmp_path: Path) -> FakeSandboxes:
    return FakeSandboxes(str(tmp_path))


@pytest.fixture
async def make_api(fake_sandboxes: FakeSandboxes, tmp_path: Path) -> AsyncIterator[MakeApi]:
    """Make applications, with the settings of the test's choice."""
    ends: list[Callable[[], object]] = []
    stores: list[Store] = []

    def make(**settings: object) -> Api:
        chosen = Settings(**settings)
        stores.append(Store())
        contexts = Contexts(chosen, str(tmp_path / "contexts"))
        sessions = SessionManager(stores[-1], fake_sandboxes, contexts, chosen)
        api = Api(create_app(sessions, API_KEY, chosen), sessions)
        ends.extend([api.client.aclose, sessions.aclose])
        return api

    yield make
    for sandbox in fake_sandboxes.opened:
        sandbox.may_close.set()
    for end in ends:
        await end()
    for store in stores:
        store.close()


@pytest.fixture
def api(make_api: MakeApi) -> Api:
    """The application with its default settings."""
    return make_api()


@pytest.fixture
def folder() -> Iterator[str]:
    """A path for a state folder that users without rights can pass."""
    parent = tempfile.mkdtemp()
    os.chmod(parent, 0o711)
    yield os.path.join(parent, "state")
    shutil.rmtree(parent)


class Family:
    """A process and all below it, held by pidfds: a number used again fools nobody."""

    def __init__(self, pid: int) -> None:
        self.pidfds: dict[int, int] = {}
        for member in (pid, *descendants(pid)):
            with contextlib.suppress(ProcessLookupError):
                self.pidfds[member] = os.pidfd_open(member)

    def without(self, other: Family) -> Family:
        """Let go of the processes that are in another family too."""
        for member in self.pidfds.keys() & other.pidfds.keys():
            os.close(self.pidfds.pop(member))
        return self

    def alive_after(self, seconds: float) -> list[int]:
        """Wait until all have ended or the time is over; return those that live."""
        deadline = time.monotonic() + seconds
        alive = dict(self.pidfds)
        while alive:
            ready, _, _ = select.select(alive.values(), [], [], max(0, deadline - time.monotonic()))
            if not ready:
                break
            alive = {pid: fd for pid, fd in alive.items() if fd not in ready}
        return list(alive)

    def close(self) -> None:
        for fd in self.pidfds.values():
            os.close(fd)


def control_groups() -> Iterator[str]:
    """The directories of all control groups of this machine."""
    for above, names, _ in os.walk("/sys/fs/cgroup"):
        yield from (os.path.join(above, name) for name in names)


def descendants(pid: int) -> list[int]:
    """The numbers of all processes below a process, as the host sees them."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry}/stat", "rb") as file:
                parents[int(entry)] = int(file.read().rpartition(b")")[2].split()[1])
    found: list[int] = []
    above = [pid]
    while above:
        parent = above.pop()
        children = [child for child, its_parent in parents.items() if its_parent == parent]
        found += children
        above += children
    return found


class Server:
    """An `agb serve` process that has said it is ready."""

    def __init__(self, process: subprocess.Popen[str], ready: dict[str, object]) -> None:
        self.process = process
        self.ready = ready
        self.pid: int = ready["pid"]
        self.address = urlsplit(ready["endpoint"]).netloc

    def connect(self) -> socket.socket:
        host, port = self.address.rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=30)

    def head(self, line: str, body: bytes) -> bytes:
        """The head of a request as the official client 0.4.1 sends it."""
        return (
            f"{line} HTTP/1.1\r\nHost: {self.address}\r\nAccept: */*\r\n"
            f"authorization: Bearer {self.ready['api_key']}\r\n"
            "Content-Type: application/json\r\n"
            + (f"Content-Length: {len(body)}\r\n" if line.startswith("POST") else "")
            + "\r\n"
        ).encode()

    def raw(self, request: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        """Send bytes over a connection of their own and read one response."""
        with self.connect() as connection:
            connection.sendall(request)
            with http.client.HTTPResponse(connection) as response:
                response.begin()
                return response, response.read()

    def send(self, line: str, body: str = "{}") -> dict:
        """Send a request line and a body, byte for byte; return the reply's envelope."""
        content = body.encode() if line.startswith("POST") else b""
        response, answer = self.raw(self.head(line, content) + content)
        envelope = json.loads(answer)
        assert response.status == envelope["httpStatusCode"]
        assert response.headers["content-type"] == "application/json"
        assert response.headers["x-request-id"] == envelope["requestId"]
        return envelope

    def tool(self, session_id: str, name: str, arguments: str) -> dict:
        """Call a tool as the official client does: arguments as JSON text inside JSON."""
        body = json.dumps({"args": arguments, "sessionId": session_id, "name": name})
        return self.send("POST /mcp?autoGenSession=false", body)

    def text(self, session_id: str, name: str, arguments: str) -> str:
        """Call a tool that works and return its text."""
        envelope = self.tool(session_id, name, arguments)
        assert envelope["success"] is True
        assert envelope["message"] is None
        assert envelope["data"]["isError"] is False, envelope
        return envelope["data"]["content"][0]["text"]

    def create(self, version: str | None = "0.12.0") -> str:
        stats = "" if version is None else f"?sdkStats=%7B%22sdk_version%22%3A%22{version}%22%7D"
        return self.send(f"POST /mcp/createSession{stats}")["data"]["sessionId"]


StartServer = Callable[..., Server]

SERVE = [sys.executable, "-m", "agb.local", "serve", "--port", "0", "--json"]


def _start(*options: str, command: Sequence[str] = SERVE, **popen: object) -> Server:
    # Tests that look at its processes know which to expect.
    popen["env"] = {"AGB_LOCAL_SPARE_SANDBOXES": "0", **popen.get("env", os.environ)}
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True, **popen)
    line = process.stdout.readline()
    if not line and process.wait(30) == 3:
        process.stdout.close()
        pytest.skip("this machine can't run sandboxes")
    return Server(process, json.loads(line))


def _stop(server: Server) -> None:
    server.process.terminate()
    server.process.wait(30)
    for stream in (server.process.stdout, server.process.stdin, server.process.stderr):
        if stream is not None:
            stream.close()


@pytest.fixture
def start_server() -> Iterator[StartServer]:
    """Start servers, each its own process; what a test leaves running is ended."""
    servers: list[Server] = []

    def start(*options: str, **popen: object) -> Server:
        servers.append(_start(*options, **popen))
        return servers[-1]

    yield start
    for server in servers:
        _stop(server)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One real server for all tests that only talk to it."""
    server = _start(env={**os.environ, "AGB_API_KEY": API_KEY})
    yield server
    _stop(server)


@pytest.fixture
def family() -> Iterator[Callable[[int], Family]]:
    """Hold a process and all below it."""
    families: list[Family] = []

    def hold(pid: int) -> Family:
        families.append(Family(pid))
        return families[-1]

    yield hold
    for held in families:
        held.close()
