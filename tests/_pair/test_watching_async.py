"""Watching a directory by `async with` and `async for`, against a service in this process."""

from __future__ import annotations

import asyncio
import threading

import anyio
import httpx
import pytest

from agb import (
    AsyncAGB,
    AsyncDirectoryWatcher,
    AsyncSession,
    Config,
    FileChangeEvent,
    InvalidArgumentError,
)

EVENTS = [FileChangeEvent("create", f"/w/{number}", "file") for number in range(9)]
CONFIG = Config(endpoint="https://api.test")
TOOL = "get_file_change"
SOON = 0.001  # seconds from poll to poll
on_both = pytest.mark.parametrize("backend", ["asyncio", "trio"])


def polls(service, *found):
    """Prepare what each poll finds, by the numbers of the events; the last one for good."""
    service.on(TOOL, *(service.changes(*(EVENTS[n] for n in numbers)) for numbers in found))


@pytest.fixture
def run(service):
    """Runs a program with a session of the async client, whose directory is quiet."""
    service.labels["s-1"] = {}
    polls(service, [])

    async def handle(request):
        await anyio.lowlevel.checkpoint()
        return service.handle(request)

    def run(backend, program):
        async def main():
            transport = httpx.MockTransport(handle)
            async with AsyncAGB("test-key", CONFIG, transport=transport) as agb:
                with anyio.fail_after(60):
                    return await program(AsyncSession(agb, "s-1"))

        return anyio.run(main, backend=backend)

    return run


@on_both
def test_iterating_inside_a_block(backend, run, service):
    """`async for` inside `async with` gives what is new since the block began."""
    polls(service, [0], [], [1, 2], [], [3], [])

    async def program(session):
        found = []
        async with session.file_system.watch_directory("/w", interval=SOON) as watcher:
            begun = service.seen
            async for events in watcher:
                found.append(events)
                if len(found) == 2:
                    watcher.stop()
        return begun, found, [events async for events in watcher]

    begun, found, after = run(backend, program)

    assert begun == [TOOL]
    assert found == [EVENTS[1:3], EVENTS[3:4]]
    assert after == []


@on_both
def test_iterating_without_a_block(backend, run, service):
    """`async for` alone polls as it goes."""
    polls(service, [0], [1], [])

    async def program(session):
        found = []
        watcher = session.file_system.watch_dir("/w", interval=SOON)
        async for events in watcher:
            found.append(events)
            await watcher.aclose()
        return found

    assert run(backend, program) == [EVENTS[1:2]]


@on_both
@pytest.mark.parametrize("is_async", [False, True])
def test_a_callback(backend, is_async, run, service, caplog):
    """A plain or async callback gets what is new, and what it raises is logged."""
    polls(service, [], [1], [2], [])
    seen = []

    async def program(session):
        enough = anyio.Event()

        def callback(events):
            seen.append(events)
            if len(seen) == 1:
                raise ValueError("of the callback")
            enough.set()

        async def async_callback(events):
            await anyio.lowlevel.checkpoint()
            callback(events)

        given = async_callback if is_async else callback
        async with session.file_system.watch_directory("/w", given, SOON):
            await enough.wait()

    run(backend, program)

    assert seen == [EVENTS[1:2], EVENTS[2:3]]
    assert "ValueError: of the callback" in caplog.text


@on_both
def test_leaving_lets_a_callback_finish(backend, run, service):
    """Leaving the block waits for a callback that runs, and nothing is polled meanwhile."""
    polls(service, [], [1])
    finished = []

    async def program(session):
        entered = anyio.Event()

        async def callback(events):
            entered.set()
            await anyio.wait_all_tasks_blocked()
            finished.append(events)

        async with session.file_system.watch_directory("/w", callback, SOON):
            await entered.wait()

    run(backend, program)

    assert finished == [EVENTS[1:2]]
    assert service.seen == [TOOL] * 2


@on_both
def test_leaving_drops_what_nobody_took(backend, run, service):
    """Changes that nobody iterates over don't keep the block from being left."""
    polls(service, [], [1])

    async def program(session):
        async with session.file_system.watch_directory("/w", interval=SOON):
            while len(service.requests) < 2:
                await anyio.lowlevel.checkpoint()
            await anyio.wait_all_tasks_blocked()

    run(backend, program)

    assert service.seen == [TOOL] * 2


@on_both
def test_a_cancelled_step_loses_nothing(backend, run, service):
    """Inside the block a step may be cancelled at any time; the next one has what was found."""
    found = []

    def numbered(request):
        return service.changes(EVENTS[min(len(service.requests) - 1, 8)])

    service.on(TOOL, numbered)

    async def program(session):
        async with session.file_system.watch_directory("/w", interval=SOON) as watcher:
            while len(found) < 7:
                for turns in range(4):
                    async with anyio.create_task_group() as group:
                        group.start_soon(step, watcher)
                        for _ in range(turns):
                            await anyio.lowlevel.checkpoint()
                        group.cancel_scope.cancel()
                await step(watcher)

    async def step(watcher):
        found.extend(await watcher.__anext__())

    run(backend, program)

    assert found[:7] == EVENTS[1:8]


@on_both
def test_an_exception_of_the_block_comes_out_as_it_is(backend, run):
    """The background of the block does not wrap what is raised in it."""

    async def program(session):
        async with session.file_system.watch_directory("/w", print):
            raise ValueError("of the block")

    with pytest.raises(ValueError, match=r"^of the block$"):
        run(backend, program)


@on_both
@pytest.mark.parametrize("has_callback", [False, True])
def test_a_cancelled_block_ends(backend, has_callback, run, service):
    """Cancelling what is around the block ends it, also in a callback or a poll that hangs."""
    polls(service, [], [1])
    begun = []

    async def callback(events):
        begun.append(events)
        await anyio.sleep_forever()

    async def program(session):
        given = callback if has_callback else None
        with anyio.CancelScope() as scope:
            async with session.file_system.watch_directory("/w", given, SOON):
                while len(service.requests) < 2:
                    await anyio.lowlevel.checkpoint()
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
                await anyio.sleep_forever()
        return scope.cancelled_caught

    assert run(backend, program) is True
    assert begun == ([EVENTS[1:2]] if has_callback else [])


def test_a_cancelled_task_ends(run):
    """The same for `Task.cancel` of asyncio."""

    async def program(session):
        entered = asyncio.Event()

        async def watch():
            async with session.file_system.watch_directory("/w", interval=SOON) as watcher:
                entered.set()
                async for _ in watcher:
                    pass

        task = asyncio.create_task(watch())
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return len(asyncio.all_tasks())

    assert run("asyncio", program) == 1


@on_both
@pytest.mark.parametrize("way", ["stop", "aclose", "event"])
def test_each_way_to_stop(backend, way, run):
    """Each way to stop ends a step that waits, in a block and without, in a pause of an hour."""

    async def program(session):
        stop_event = anyio.Event()
        stopped = []

        async def iterate(watcher):
            stopped.append([events async for events in watcher])

        async def end(watcher):
            await anyio.wait_all_tasks_blocked()
            if way == "event":
                stop_event.set()
            elif way == "stop":
                watcher.stop()
            else:
                await watcher.aclose()

        def made():
            return session.file_system.watch_directory("/w", None, 3600, stop_event)

        async with made() as watcher, anyio.create_task_group() as group:
            group.start_soon(iterate, watcher)
            group.start_soon(end, watcher)
        stop_event = anyio.Event()
        alone = made()
        async with anyio.create_task_group() as group:
            group.start_soon(iterate, alone)
            group.start_soon(end, alone)
        return stopped

    assert run(backend, program) == [[], []]


@on_both
def test_an_event_stops_before_what_was_found_is_taken(backend, run, service):
    """Once stopped, a watcher gives nothing, also not what it has found already."""
    polls(service, [], [1])

    async def program(session):
        stop_event = anyio.Event()
        watching = session.file_system.watch_directory("/w", None, SOON, stop_event)
        async with watching as watcher:
            while len(service.requests) < 2:
                await anyio.lowlevel.checkpoint()
            await anyio.wait_all_tasks_blocked()
            stop_event.set()
            return [events async for events in watcher]

    assert run(backend, program) == []


@on_both
def test_a_watcher_that_was_stopped_before(backend, run, service):
    """A watcher that is stopped before it begins asks nothing."""

    async def program(session):
        watcher = session.file_system.watch_directory("/w")
        watcher.stop()
        return [events async for events in watcher]

    assert run(backend, program) == []
    assert service.requests == []


@on_both
def test_async_ends_with_the_session(backend, run, service):
    """Iterating ends when the session is gone; failures before that are waited out."""
    gone = service.refused("Session not found", "InvalidSession.NotFound")
    service.on(TOOL, service.refused("why"), service.changes(), service.changes(EVENTS[1]), gone)

    async def program(session):
        async with session.file_system.watch_directory("/w", interval=SOON) as watcher:
            return [events async for events in watcher]

    assert run(backend, program) == [EVENTS[1:2]]
    assert service.seen == [TOOL] * 4


@on_both
def test_async_ends_with_the_client(backend, run):
    """Iterating ends when the client is closed."""

    async def program(session):
        async with session.file_system.watch_directory("/w", interval=SOON) as watcher:
            await session.agb.aclose()
            return [events async for events in watcher]

    assert run(backend, program) == []


@on_both
def test_a_watcher_that_was_iterated_may_be_entered(backend, run, service):
    """Entering a watcher that is ready polls nothing twice."""
    polls(service, [], [1], [2], [])

    async def program(session):
        watcher = session.file_system.watch_directory("/w", interval=SOON)
        first = await watcher.__anext__()
        async with watcher:
            return first, await watcher.__anext__()

    assert run(backend, program) == (EVENTS[1:2], EVENTS[2:3])


@pytest.mark.parametrize(
    "arguments",
    [
        ("",),
        ("/w", "print"),
        ("/w", None, 0),
        ("/w", None, float("nan")),
        ("/w", None, 1, threading.Event()),
    ],
)
def test_async_arguments_are_checked_at_the_call(arguments):
    """What can't be used raises at the call, also outside of an event loop; the rest is made."""
    files = AsyncSession(AsyncAGB("test-key", CONFIG), "s-1").file_system

    with pytest.raises(InvalidArgumentError):
        files.watch_directory(*arguments)

    made = files.watch_directory("/w", print, 1, anyio.Event())
    assert isinstance(made, AsyncDirectoryWatcher)
