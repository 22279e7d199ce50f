"""A server that goes away under load and comes back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest

from agb import AGB, APIConnectionError, AsyncAGB, Config, Session


def explained(results):
    """Every failure says that the connection broke, and whether the call may have run."""
    return all(
        result.success
        or (type(result.exception) is APIConnectionError and result.exception.outcome_unknown)
        for result in results
    )


def test_a_restart_under_load_of_threads(serve):
    """All calls of 16 threads end; those that failed say why, and nothing ran twice."""
    server, endpoint = serve("")
    begun = threading.Barrier(17, timeout=30)

    def work(number):
        session = Session(agb, f"s-{number}")
        begun.wait()
        return [session.code.run_code(f"{number}-{turn}", "python") for turn in range(40)]

    with AGB("test-key", Config(endpoint=endpoint)) as agb, ThreadPoolExecutor(16) as pool:
        futures = [pool.submit(work, number) for number in range(16)]
        begun.wait()
        server.break_all()
        results = [result for future in futures for result in future.result()]
        after = agb.list()

    assert len(results) == 640
    assert explained(results)
    assert len(server.bodies) == len(set(server.bodies))
    assert after.success is True


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_restart_under_load_of_tasks(backend, serve):
    """All calls of 100 tasks end; those that failed say why, and nothing ran twice."""
    server, endpoint = serve("")
    results = []

    async def work(agb, number):
        for _ in range(6):
            results.append(await agb.create())

    async def program():
        async with AsyncAGB("test-key", Config(endpoint=endpoint)) as agb:
            async with anyio.create_task_group() as group:
                for number in range(100):
                    group.start_soon(work, agb, number)
                while len(results) < 100:
                    await anyio.sleep(0)
                server.break_all()
            return await agb.list()

    after = anyio.run(program, backend=backend)

    assert len(results) == 600
    assert explained(results)
    assert len(server.requests) <= 601
    assert after.success is True


def test_reads_survive_a_restart(serve):
    """Reading calls notice nothing of a restart."""
    server, endpoint = serve("")
    begun = threading.Barrier(17, timeout=30)

    def work(number):
        begun.wait()
        return [agb.list() for _ in range(40)]

    client = AGB("test-key", Config(endpoint=endpoint), max_retries=5)
    with client as agb, ThreadPoolExecutor(16) as pool:
        futures = [pool.submit(work, number) for number in range(16)]
        begun.wait()
        server.break_all()
        results = [result for future in futures for result in future.result()]

    assert [result.error_message for result in results if not result.success] == []
