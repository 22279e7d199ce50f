"""Watching a directory of a real sandbox, in both colours."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Queue

import anyio
import pytest

from agb import AGB, AsyncAGB, FileChangeEvent, LocalServerError, Session
from agb._io import embedded

HERE = "/home/user/watched"
on_both = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@pytest.fixture
def session() -> Iterator[Session]:
    with AGB.local() as agb, agb.open_session() as session:
        session.file_system.create_directory("watched").raise_for_error()
        yield session


def told(events: list[FileChangeEvent]) -> set[tuple[str, str]]:
    return {(event.event_type, event.path.removeprefix(HERE)) for event in events}


def test_what_a_thread_sees(session: Session) -> None:
    """Files made, changed and deleted by the program or in the sandbox come to the callback."""
    seen: Queue[list[FileChangeEvent]] = Queue()
    files = session.file_system
    files.write_file("watched/old", "1")
    watcher = files.watch_directory("watched", seen.put, 0.01)
    watcher.start()
    watcher.ready_event.wait()

    files.create_directory("watched/new")
    made = seen.get()
    files.write_file("watched/old", "changed", "append")
    changed = seen.get()
    session.command.execute_command("rm watched/old")
    deleted = seen.get()
    watcher.stop_event.set()
    watcher.join()

    assert told(made) == {("create", "/new")}
    assert told(changed) == {("modify", "/old")}
    assert told(deleted) == {("delete", "/old")}
    assert seen.empty()


def test_a_directory_that_is_not_there_yet(session: Session) -> None:
    """A thread that watches too early waits, and is ready when the directory is there."""
    seen: Queue[list[FileChangeEvent]] = Queue()
    files = session.file_system
    watcher = files.watch_directory("later", seen.put, 0.01)
    watcher.start()

    files.create_directory("later")
    watcher.ready_event.wait()
    files.create_directory("later/new")
    events = seen.get()
    watcher.stop_event.set()
    watcher.join()

    assert [event.path for event in events] == ["/home/user/later/new"]


def test_a_directory_that_goes_and_comes_back(session: Session) -> None:
    """A directory that is made anew is watched as before."""
    seen: Queue[list[FileChangeEvent]] = Queue()
    session.file_system.create_directory("watched/first")
    watcher = session.file_system.watch_directory("watched", seen.put, 0.01)
    watcher.start()
    watcher.ready_event.wait()

    session.command.execute_command("rm -r watched")
    went = seen.get()
    session.command.execute_command("mkdir watched; mkdir watched/second")
    came = seen.get()
    watcher.stop_event.set()
    watcher.join()

    assert told(went) == {("delete", "/first")}
    assert told(came) == {("create", "/second")}


def test_a_thread_ends_with_its_session(session: Session) -> None:
    """When the session is deleted the thread ends by itself."""
    watcher = session.file_system.watch_directory("watched", print, 0.01)
    watcher.start()
    watcher.ready_event.wait()

    session.delete()

    watcher.join()


@on_both
@pytest.mark.parametrize("has_callback", [False, True])
def test_what_an_async_watcher_sees(backend: str, has_callback: bool) -> None:
    """What changes inside `async with` comes to `async for`, or to the callback."""

    async def program() -> list[FileChangeEvent]:
        async with AsyncAGB.local() as agb, agb.open_session() as session:
            files = session.file_system
            await files.create_directory("watched")
            called = anyio.Event()
            given: list[FileChangeEvent] = []

            async def callback(events: list[FileChangeEvent]) -> None:
                given.extend(events)
                called.set()

            watching = files.watch_directory("watched", callback if has_callback else None, 0.01)
            async with watching as watcher:
                await files.create_directory("watched/new")
                if has_callback:
                    await called.wait()
                    return given
                return await watcher.__anext__()

    assert told(anyio.run(program, backend=backend)) == {("create", "/new")}


@on_both
def test_iterating_ends_with_the_session(backend: str) -> None:
    """When the session is deleted `async for` ends."""

    async def program() -> list[list[FileChangeEvent]]:
        async with AsyncAGB.local() as agb:
            session = (await agb.create()).unwrap()
            async with session.file_system.watch_directory(".", interval=0.01) as watcher:
                await session.delete()
                return [events async for events in watcher]

    assert anyio.run(program, backend=backend) == []


@on_both
def test_iterating_ends_when_the_server_is_gone(backend: str) -> None:
    """An embedded server that ended took the session with it: `async for` ends."""
    from agb import local

    async def program() -> list[list[FileChangeEvent]]:
        async with AsyncAGB.local() as agb:
            session = (await agb.create()).unwrap()
            async with session.file_system.watch_directory(".", interval=0.01) as watcher:
                await anyio.to_thread.run_sync(local.stop)
                return [events async for events in watcher]

    assert anyio.run(program, backend=backend) == []


def test_a_call_while_another_thread_stops_the_server(session: Session) -> None:
    """The reason of a call that the end of the server cuts off can be told without its log."""
    server = embedded.server(start_again=False)

    server.end()  # what `stop` does before it forgets the server
    failure = embedded.failure()
    gone = session.file_system.get_file_change("watched")
    embedded.stop()

    assert isinstance(failure, LocalServerError)
    assert isinstance(gone.exception, LocalServerError)
    assert "It was stopped." in gone.error_message
