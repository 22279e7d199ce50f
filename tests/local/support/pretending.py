"""The application over sandboxes that only pretend."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from agb.local.contexts.service import Contexts
from agb.local.failures import SandboxError, SandboxGone
from agb.local.http.app import create_app
from agb.local.machine.tiers import Isolation
from agb.local.sandboxes.sandbox import Sandbox
from agb.local.sessions.manager import SessionManager
from agb.local.sessions.store import Store
from agb.local.settings import Settings

API_KEY = "ako-key"

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
