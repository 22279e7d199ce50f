"""What only the async client has: event loops, cancellation, and two async libraries."""

from __future__ import annotations

import asyncio
import gc
import logging
import subprocess
import sys
import threading
import weakref

import anyio
import httpx
import pytest
import trio.testing

from agb import AsyncAGB, Config, ContextSync, CreateSessionParams

CREATE, RELEASE = "/mcp/createSession", "/mcp/releaseSession"
BACKENDS = ["asyncio", "trio"]


@pytest.fixture
def patient(service):
    """A transport that gives the event loop a turn before each reply, as a real one does."""

    async def handle(request):
        await anyio.lowlevel.checkpoint()
        return service.handle(request)

    return httpx.MockTransport(handle)


@pytest.fixture
def agb(patient):
    """A client that several loops can use, one after the other."""
    return AsyncAGB("test-key", Config(endpoint="https://api.test"), transport=patient)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_whole_program_runs(backend, agb, service):
    """A program with every kind of call runs on asyncio and on trio."""

    async def program():
        async with agb, agb.open_session() as session:
            return [
                await session.set_labels({"a": "b"}),
                await session.get_labels(),
                await session.info(),
                await session.code.run_code("1", "python"),
                await session.command.execute_command("ls"),
                await session.file_system.write_file("/a", "x"),
                await agb.list({"a": "b"}),
                await agb.get(session.session_id),
            ]

    results = anyio.run(program, backend=backend)

    assert [result.error_message for result in results] == [""] * 8
    assert service.labels == {}


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_real_connection_is_closed_with_the_client(backend, served, service):
    """On asyncio and on trio a client reuses its connection, and leaves nothing open."""

    async def program():
        async with AsyncAGB("test-key", Config(endpoint=served)) as agb:
            return [await agb.create() for _ in range(3)]

    results = anyio.run(program, backend=backend)

    assert all(result.success for result in results)
    assert service.connections == 1


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("backend", BACKENDS)
def test_one_client_serves_several_runs(backend, served, service):
    """A client made outside of any loop works in one loop after the other."""
    agb = AsyncAGB("test-key", Config(endpoint=served))

    async def create():
        return await agb.create()

    results = [anyio.run(create, backend=backend) for _ in range(4)]
    anyio.run(agb.aclose, backend=backend)
    gc.collect()

    assert [result.error_message for result in results] == [""] * 4
    assert service.connections == 4


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_loop_that_ended_is_let_go(served):
    """Connections keep an ended loop alive no longer than until the next one is used."""
    agb = AsyncAGB("test-key", Config(endpoint=served))

    async def create():
        await agb.create()
        return weakref.ref(asyncio.get_running_loop())

    loops = [asyncio.run(create()) for _ in range(3)]
    gc.collect()
    alive = [loop() is not None for loop in loops]
    asyncio.run(agb.aclose())
    gc.collect()

    assert alive[:2] == [False, False]
    assert loops[2]() is None


def test_loops_of_several_threads_share_a_client(served, service):
    """Loops that run at the same time, each in a thread, use one client, and each closes it."""
    agb = AsyncAGB("test-key", Config(endpoint=served))
    together = threading.Barrier(4, timeout=30)
    results = []

    async def program():
        together.wait()
        async with agb.open_session() as session:
            results.append(await session.info())
        together.wait()
        await agb.aclose()

    threads = [threading.Thread(target=asyncio.run, args=(program(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [result.error_message for result in results] == [""] * 4
    assert service.labels == {}


async def test_many_calls_at_once_are_independent(agb):
    """Calls in flight together each get their own session."""
    results = await asyncio.gather(*(agb.create() for _ in range(50)))

    assert len({result.session.session_id for result in results}) == 50


async def test_a_cancelled_task_deletes_its_session(agb, service):
    """A task of asyncio that is cancelled in the block deletes its session once."""
    entered = asyncio.Event()

    async def work():
        async with agb.open_session():
            entered.set()
            await anyio.sleep_forever()

    task = asyncio.create_task(work())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert service.seen == [CREATE, RELEASE]


@pytest.mark.parametrize("way", ["open_session", "session"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_cancelled_scope_deletes_its_session(backend, way, agb, service):
    """A cancel scope that ends the block still lets the session be deleted, once."""

    async def program():
        with anyio.CancelScope() as scope:
            opened = agb.open_session() if way == "open_session" else (await agb.create()).unwrap()
            async with opened:
                scope.cancel()
                await anyio.sleep_forever()
        return scope.cancelled_caught

    cancelled = anyio.run(program, backend=backend)

    assert cancelled is True
    assert service.seen == [CREATE, RELEASE]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_deadline_cuts_a_call(backend):
    """A call that waits for its reply ends when its scope is cancelled, and the client lives."""
    asked = []

    async def handle(request):
        asked.append(request)
        if len(asked) == 1:
            scope.cancel()
            await anyio.sleep_forever()
        return httpx.Response(200, json={"success": True, "data": []})

    async def program():
        nonlocal scope
        async with AsyncAGB("test-key", transport=httpx.MockTransport(handle)) as agb:
            with anyio.CancelScope() as scope:
                await agb.list()
            return scope.cancelled_caught, await agb.list()

    scope = None
    cancelled, result = anyio.run(program, backend=backend)

    assert cancelled is True
    assert result.success is True


def on_mock_clock(program):
    """Run a program on trio whose clock jumps to whatever is waited for; return the seconds."""

    async def timed():
        began = trio.current_time()
        await program()
        return trio.current_time() - began

    clock = trio.testing.MockClock(autojump_threshold=0)
    # By trio itself: anyio 4.5 does not hand the clock on.
    return trio.run(timed, clock=clock)


def test_the_cleanup_of_a_cancelled_block_is_bounded(service, caplog):
    """A deletion that gets no reply holds a cancelled block up for 30 seconds, and is logged."""

    async def handle(request):
        if request.url.path == RELEASE:
            await anyio.sleep_forever()
        return service.handle(request)

    async def program():
        agb = AsyncAGB("test-key", transport=httpx.MockTransport(handle))
        with anyio.CancelScope() as scope:
            async with agb, agb.open_session():
                scope.cancel()

    seconds = on_mock_clock(program)

    assert seconds == pytest.approx(30)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "Session s-1 was not deleted: no reply within 30 s" in caplog.text


def test_a_sync_is_polled_until_it_ends(agb, service):
    """A sync of contexts before a deletion is asked after every 1.5 seconds until it ends."""
    running, ended = (
        service.ok({"contextStatus": f'[{{"type": "data", "data": "{tasks}"}}]'})
        for tasks in (
            r"[{\"status\": \"Running\", \"taskType\": \"upload\"}]",
            r"[{\"status\": \"Success\", \"taskType\": \"upload\"}]",
        )
    )
    service.on("/sdk/SyncContext", service.ok())
    service.on("/sdk/GetContextInfo", running, running, ended)

    async def program():
        async with agb:
            session = (await agb.create()).unwrap()
            (await session.delete(sync_context=True)).raise_for_error()

    seconds = on_mock_clock(program)

    assert seconds == pytest.approx(3)
    assert service.seen[-4:] == ["/sdk/GetContextInfo"] * 3 + [RELEASE]


def test_a_closed_client_is_silent_at_exit(served):
    """An interpreter that ends after its client was closed writes nothing at all."""
    program = f"""
import asyncio
from agb import AsyncAGB, Config, ContextSync, CreateSessionParams

async def main():
    asyncio.get_running_loop().slow_callback_duration = 60  # -X dev would report a slow import
    async with AsyncAGB("test-key", Config(endpoint={served!r})) as agb:
        print((await agb.create()).success)

asyncio.run(main())
"""
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", program]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "True\n", "")


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_async_callback_of_sync_is_waited_for(backend, agb, service):
    """`context.sync` also takes an async function, and waits for it before it returns."""
    service.on("/sdk/SyncContext", service.ok())
    service.on("/sdk/GetContextInfo", service.ok({"contextStatus": ""}))
    seen = []

    async def callback(success):
        await anyio.lowlevel.checkpoint()
        seen.append(success)

    async def program():
        async with agb, agb.open_session() as session:
            await session.context.sync(callback=callback)
            return list(seen)

    assert anyio.run(program, backend=backend) == [True]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_creation_that_is_cancelled_while_its_files_come_leaves_no_session(backend, agb, service):
    """The session was there already, but nobody would ever have had it: it is deleted."""
    running = '[{"type": "data", "data": "[{\\"status\\": \\"Running\\"}]"}]'
    service.on("/sdk/GetContextInfo", service.ok({"contextStatus": running}))
    params = CreateSessionParams(context_syncs=[ContextSync("c-1", "/data")])

    async def program():
        async with agb, anyio.create_task_group() as group:
            group.start_soon(agb.create, params)
            while "/sdk/GetContextInfo" not in service.seen:
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()

    anyio.run(program, backend=backend)

    assert service.seen[-1] == RELEASE
    assert service.labels == {}
