"""A standing server that is killed under load and started again at its address."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest

from agb import (
    AGB,
    APIConnectionError,
    AsyncAGB,
    AsyncSession,
    CommandResult,
    Config,
    Session,
    SessionNotFoundError,
)

KEY = "key-of-the-restarted-server"
WORKERS = 8
# Calls of each worker, and how many of them all are done when the server is killed.
CALLS = 20
DONE = 24


class Standing:
    """`agb serve` at one address, however often it is started."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.config = Config(endpoint=f"http://127.0.0.1:{self._port}", timeout_ms=30_000)
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "agb.local", "serve", "--json", "--port", str(self._port)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "AGB_API_KEY": KEY, "AGB_LOCAL_STATE": "none"},
        )
        assert self._process.stdout is not None
        assert json.loads(self._process.stdout.readline())["endpoint"] == self.config.endpoint

    def end(self, number: signal.Signals) -> None:
        self._process.send_signal(number)
        self._process.communicate(timeout=30)

    def restart(self) -> None:
        self.end(signal.SIGKILL)
        self.start()


@pytest.fixture
def standing() -> Iterator[Standing]:
    server = Standing()
    yield server
    server.end(signal.SIGTERM)


def explained(result: CommandResult) -> bool:
    """The connection broke, or could not be made, or the new server does not know the session.

    A call that was on its way has an unknown outcome and can't just be made again; one that found
    nobody listening can.
    """
    error = result.exception
    if isinstance(error, APIConnectionError):
        return error.outcome_unknown != error.retryable
    return result.success or isinstance(error, SessionNotFoundError)


def command(worker: int, turn: int) -> str:
    return f"echo {worker}-{turn}"


def check(results: list[CommandResult], written: str) -> None:
    """All calls ended, explained; some broke; a new session of the new server works."""
    assert len(results) == WORKERS * CALLS
    assert [result for result in results if not explained(result)] == []
    assert any(isinstance(result.exception, APIConnectionError) for result in results)
    assert written == "works\n"


def test_threads_see_a_server_restart(standing: Standing) -> None:
    """Of a kill under load every call tells what it did, and the new server takes new sessions."""
    enough = threading.Semaphore(0)

    def work(number: int, session: Session) -> list[CommandResult]:
        results: list[CommandResult] = []
        for turn in range(CALLS):
            results.append(session.command.execute_command(command(number, turn), 10_000))
            enough.release()
        return results

    with AGB(KEY, standing.config) as agb, ThreadPoolExecutor(WORKERS) as pool:
        sessions = [agb.create().unwrap() for _ in range(WORKERS)]
        workers = [pool.submit(work, *each) for each in enumerate(sessions)]
        for _ in range(DONE):
            enough.acquire()
        standing.restart()
        results = [result for worker in workers for result in worker.result()]
        with agb.open_session() as new:
            output = new.command.execute_command("echo works", 10_000).output

    check(results, output)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_tasks_see_a_server_restart(standing: Standing, backend: str) -> None:
    """The same for the tasks of an event loop."""
    results: list[CommandResult] = []

    async def work(number: int, session: AsyncSession, enough: anyio.Semaphore) -> None:
        for turn in range(CALLS):
            results.append(await session.command.execute_command(command(number, turn), 10_000))
            enough.release()

    async def program() -> str:
        enough = anyio.Semaphore(0)
        async with AsyncAGB(KEY, standing.config) as agb:
            sessions = [(await agb.create()).unwrap() for _ in range(WORKERS)]
            async with anyio.create_task_group() as group:
                for number, session in enumerate(sessions):
                    group.start_soon(work, number, session, enough)
                for _ in range(DONE):
                    await enough.acquire()
                await anyio.to_thread.run_sync(standing.restart)
            async with agb.open_session() as new:
                return (await new.command.execute_command("echo works", 10_000)).output

    check(results, anyio.run(program, backend=backend))
