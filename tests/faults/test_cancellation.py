"""A call that is given up closes its connection, and everything else goes on."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading

import anyio
import pytest
import stamina
from anyio import to_thread

from agb import AGB, AsyncAGB, AsyncSession, Config, Session

BACKENDS = ["asyncio", "trio"]


def config(endpoint):
    return Config(endpoint=endpoint, timeout_ms=60_000)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_cancelled_scope_closes_the_connection(backend, serve):
    """A cancelled call hangs up, so that the server can stop; the next one connects anew."""
    server, endpoint = serve("never answers", 1)

    async def program():
        async with AsyncAGB("test-key", config(endpoint)) as agb:
            session = AsyncSession(agb, "s-1")
            async with anyio.create_task_group() as group:
                group.start_soon(session.code.run_code, "1", "python")
                await to_thread.run_sync(server.asked.acquire)
                group.cancel_scope.cancel()
            await to_thread.run_sync(server.hang_ups.acquire)
            return await session.code.run_code("2", "python")

    result = anyio.run(program, backend=backend)

    assert result.success is True
    assert server.requests == ["run_code", "run_code"]
    assert server.connections == 2


async def test_a_cancelled_task_closes_the_connection(serve):
    """The same for `Task.cancel` of asyncio."""
    server, endpoint = serve("never answers", 1)
    async with AsyncAGB("test-key", config(endpoint)) as agb:
        session = AsyncSession(agb, "s-1")
        task = asyncio.create_task(session.command.execute_command("sleep 9"))
        await asyncio.to_thread(server.asked.acquire)

        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(server.hang_ups.acquire)
        after = await session.info()

    assert after.success is True
    assert server.connections == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_cancelled_call_disturbs_no_other(backend, serve):
    """Nineteen calls in flight beside one that is cancelled all get their reply."""
    server, endpoint = serve("never answers", 1)
    replies = []

    async def call(session, enough):
        replies.append(await session.get_labels())
        if len(replies) == 19:
            enough.set()

    async def program():
        async with AsyncAGB("test-key", config(endpoint)) as agb:
            enough = anyio.Event()
            async with anyio.create_task_group() as group:
                for number in range(20):
                    group.start_soon(call, AsyncSession(agb, f"s-{number}"), enough)
                await enough.wait()
                await to_thread.run_sync(server.asked.acquire)
                group.cancel_scope.cancel()
            return await agb.list()

    last = anyio.run(program, backend=backend)

    assert [reply.error_message for reply in replies] == [""] * 19
    assert last.success is True


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_pause_before_a_retry_can_be_cancelled(backend, serve):
    """A call that waits for the time a server named ends when it is cancelled."""
    server, endpoint = serve("answers 503 with `Retry-After`")

    async def program():
        async with AsyncAGB("test-key", config(endpoint)) as agb:
            with stamina.set_testing(False), anyio.move_on_after(0.2) as scope:
                await agb.list()
            server.times = 0
            return scope.cancelled_caught, await agb.list()

    cancelled, after = anyio.run(program, backend=backend)

    assert cancelled is True
    assert after.success is True


@pytest.fixture
def has_come():
    """An event that the first Ctrl-C sets; those after it do nothing."""
    event = threading.Event()

    def come(number, frame):
        if not event.is_set():
            event.set()
            signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, come)
    yield event
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(sys.platform == "win32", reason="a thread can't be sent a signal here")
def test_ctrl_c_closes_the_connection(serve, has_come):
    """Ctrl-C during a blocking call hangs up and comes out as it is; the client lives."""
    server, endpoint = serve("never answers", 1)
    main = threading.get_ident()

    def interrupt():
        server.asked.acquire()
        # One that comes just before the thread begins to wait for the network does not wake it.
        while not has_come.is_set():
            signal.pthread_kill(main, signal.SIGINT)
            has_come.wait(0.1)

    with AGB("test-key", config(endpoint)) as agb:
        session = Session(agb, "s-1")
        thread = threading.Thread(target=interrupt)
        thread.start()

        with pytest.raises(KeyboardInterrupt):
            session.code.run_code("1", "python")

        thread.join()
        server.hang_ups.acquire()
        after = session.info()

    assert after.success is True
    assert server.connections == 2


def test_a_client_may_be_closed_by_another_thread(serve):
    """Closing a client while a call is under way ends neither in a hang nor in a crash."""
    server, endpoint = serve("never answers")
    agb = AGB("test-key", Config(endpoint=endpoint, timeout_ms=300))
    results = []
    thread = threading.Thread(target=lambda: results.append(agb.list()))
    thread.start()
    server.asked.acquire()

    agb.close()

    thread.join()
    assert results[0].success is False
