"""The documented programs, whole, in both colours: blocking, on asyncio, on trio, S71 and S72."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import pytest

from agb import AGB, AsyncAGB


def load(colour: str) -> ModuleType:
    path = Path(__file__).parent / colour / "programs.py"
    spec = importlib.util.spec_from_file_location(f"programs{colour}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BLOCKING, ASYNC = load("_sync").PROGRAMS, load("_async").PROGRAMS
blocking_programs = pytest.mark.parametrize("program", BLOCKING, ids=lambda p: p.__name__)
async_programs = pytest.mark.parametrize("program", ASYNC, ids=lambda p: p.__name__)


@pytest.fixture(autouse=True)
def local_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs say `AGB()`: only the environment says where they run."""
    monkeypatch.setenv("AGB_ENDPOINT", "local")


@blocking_programs
def test_blocking(program: Callable[[AGB], None]) -> None:
    """Each documented program runs on the blocking client."""
    with AGB() as agb:
        program(agb)


@async_programs
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_async(program: Callable[[AsyncAGB], Any], backend: str) -> None:
    """Each documented program runs on the async client, on asyncio and on trio."""

    async def main() -> None:
        async with AsyncAGB() as agb:
            await program(agb)

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_blocking_inside_a_running_loop(backend: str) -> None:
    """S71: the blocking programs run in a thread that has a running event loop."""

    async def main() -> None:
        with AGB() as agb:
            for program in BLOCKING:
                program(agb)

    anyio.run(main, backend=backend)


def test_eight_threads_share_a_client() -> None:
    """S72: eight threads run the programs at once on one client."""
    with AGB() as agb, ThreadPoolExecutor(8) as threads:
        running = [threads.submit(program, agb) for program in BLOCKING[:8]]
        for done in running:
            done.result()

    assert len(running) == 8


def test_any_api_key_will_do() -> None:
    """The embedded server needs no key, and takes no notice of one that is passed."""
    with AGB(api_key="a key for elsewhere") as agb, agb.open_session() as session:
        assert agb.api_key == "a key for elsewhere"
        assert session.get_api_key() == "a key for elsewhere"
        assert agb.endpoint == "local"
