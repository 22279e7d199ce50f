"""Real sandboxes: one server half for all tests of a file, a sandbox for each or for all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import pytest
import pytest_asyncio
from attrs import evolve

from agb.local.failures import MachineUnfit, ToolError
from agb.local.sandboxes.sandbox import Sandbox
from agb.local.sandboxes.sandboxes import Sandboxes
from agb.local.settings import Settings

Tool = Callable[..., Awaitable[dict[str, Any]]]
Call = Coroutine[Any, Any, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandboxes() -> AsyncIterator[Sandboxes]:
    """What opens sandboxes."""
    try:
        settings = evolve(Settings.from_environment(), spare_sandboxes=0, warm_sandboxes=0)
        started = await Sandboxes.start(settings)
    except MachineUnfit as unfit:
        pytest.skip(str(unfit))
    yield started
    await started.aclose()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(sandboxes: Sandboxes) -> AsyncIterator[Sandbox]:
    """One sandbox for the tests of a file that do not mind what the others did."""
    sandbox = await sandboxes.open("shared")
    yield sandbox
    await sandbox.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def fresh(sandboxes: Sandboxes) -> AsyncIterator[Sandbox]:
    """A sandbox of the test's own."""
    sandbox = await sandboxes.open("fresh")
    yield sandbox
    await sandbox.aclose()


def tools_of(sandbox: Sandbox) -> Tool:
    """Return a function that calls a method with keyword arguments."""

    async def call(method: str, **params: object) -> dict[str, Any]:
        if method == "shell":
            params.setdefault("timeout_ms", 20_000)
        if method == "run_code":
            params.setdefault("timeout_s", 30)
            params.setdefault("language", "python")
        return await sandbox.call(method, params, timeout_s=60)

    return call


@pytest.fixture
def tool(shared: Sandbox) -> Tool:
    """Call a method of the shared sandbox."""
    return tools_of(shared)


@pytest.fixture
def own_tool(fresh: Sandbox) -> Tool:
    """Call a method of a sandbox of the test's own."""
    return tools_of(fresh)


@pytest_asyncio.fixture(loop_scope="module")
async def beside() -> AsyncIterator[Callable[[Call], asyncio.Task[Any]]]:
    """Make calls beside the test; what it leaves of them when it fails ends with it."""
    begun: list[asyncio.Task[Any]] = []

    def begin(call: Call) -> asyncio.Task[Any]:
        begun.append(asyncio.create_task(call))
        return begun[-1]

    yield begin
    for task in begun:
        task.cancel()
    # Whatever became of them is for nobody: a task that nobody asks writes to the log when it is
    # collected, at any moment of a later test.
    await asyncio.gather(*begun, return_exceptions=True)


@pytest.fixture
def refusal(tool: Tool) -> Callable[..., Awaitable[str]]:
    """Call a method of the shared sandbox that has to say no, and return what it says."""

    async def call(method: str, **params: object) -> str:
        with pytest.raises(ToolError) as caught:
            await tool(method, **params)
        return str(caught.value)

    return call
