"""What polls a directory: something to enter and to iterate, or a thread, as documented."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TypeVar

from agb._core.files.change_results import FileChangeEvent
from agb._core.files.watching import Polling
from agb._core.wire.operation import Steps

if TYPE_CHECKING:
    import anyio
    from anyio.abc import TaskGroup
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
    from typing_extensions import Self

T = TypeVar("T")

Events = list[FileChangeEvent]


class AsyncRunner(Protocol):
    """A client, as far as a watcher needs one."""

    async def run(self, operation: Steps[T]) -> T:
        """Run an operation of the core to its result."""
        ...


class Runner(Protocol):
    """The same, blocking."""

    def run(self, operation: Steps[T]) -> T:
        """Run an operation of the core to its result."""
        ...


class AsyncDirectoryWatcher:
    """Watches a directory: what `AsyncFileSystem.watch_directory` returns.

    `async with` polls in the background from its beginning to its end; a change that is made
    inside is seen. The changes go to the callback, if there is one, else to `async for`. A
    cancelled `async for` loses nothing and may go on later.

    `async for` alone works too, polling as it goes: its first step sets the point to compare with,
    and a step that is cancelled may lose what it was about to give.

    Example:
        >>> async with session.file_system.watch_directory(".", interval=0.1) as watcher:
        ...     _ = await session.file_system.write_file("seen.txt", "")
        ...     async for events in watcher:
        ...         break
        >>> events[0].path
        '/home/user/seen.txt'
    """

    __module__ = "agb"

    def __init__(
        self,
        client: AsyncRunner,
        polling: Polling,
        callback: Callable[[Events], Awaitable[None] | None] | None,
        stop_event: anyio.Event | None,
    ) -> None:
        self._client = client
        self._polling = polling
        self._callback = callback
        self._stop_event = stop_event
        self._is_stopped = False
        self._scope: anyio.CancelScope | None = None
        self._group: TaskGroup | None = None
        self._found: MemoryObjectReceiveStream[Events] | None = None

    def stop(self) -> None:
        """End watching, also a poll on its way; a callback that runs is left to finish.

        Example:
            >>> async with session.file_system.watch_directory(".") as watcher:
            ...     watcher.stop()
        """
        self._is_stopped = True
        if self._scope is not None:
            self._scope.cancel()

    async def aclose(self) -> None:
        """End watching: the same as `stop`, for `contextlib.aclosing` and the like.

        Example:
            >>> watcher = session.file_system.watch_directory(".")
            >>> await watcher.aclose()
        """
        self.stop()

    async def __aenter__(self) -> Self:
        import anyio

        if not self._polling.is_ready:
            await self._poll()
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        give, self._found = anyio.create_memory_object_stream[Events](0)
        self._group.start_soon(self._watch, give)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        assert self._group is not None  # it was entered
        assert self._found is not None
        self._found.close()
        # Without the exception of the block: a group would wrap it.
        await self._group.__aexit__(None, None, None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[FileChangeEvent]:
        if self._found is not None and not self._is_over():
            return await self._found.__anext__()
        events = await self._next()
        if not events:
            raise StopAsyncIteration
        return events

    async def _watch(self, give: MemoryObjectSendStream[Events]) -> None:
        """Hand over what changes, in the background of `async with`."""
        import anyio

        with give:
            while events := await self._next():
                if self._callback is not None:
                    await self._call_back(self._callback, events)
                    continue
                try:
                    await give.send(events)
                except anyio.BrokenResourceError:  # the block was left
                    return

    async def _call_back(
        self, callback: Callable[[Events], Awaitable[None] | None], events: Events
    ) -> None:
        try:
            running = callback(events)
            if inspect.isawaitable(running):
                await running
        except Exception:
            self._polling.callback_failed()

    async def _next(self) -> Events:
        """Poll until something has changed; nothing means that watching is over."""
        while not self._is_over():
            events = await self._poll()
            if events and not self._is_over():
                return events
        return []

    async def _poll(self) -> Events:
        """Pause, then poll; a stop ends both."""
        import anyio

        events: Events = []
        async with anyio.create_task_group() as group:
            self._scope = group.cancel_scope
            if self._stop_event is not None:
                group.start_soon(self._stop_with, self._stop_event)
            await anyio.sleep(self._polling.pause_s)
            try:
                events = await self._client.run(self._polling.poll())
            except RuntimeError as closed:  # the program closed the client
                self._polling.end(str(closed))
            group.cancel_scope.cancel()
        return events

    async def _stop_with(self, stop_event: anyio.Event) -> None:
        await stop_event.wait()
        self.stop()

    def _is_over(self) -> bool:
        event = self._stop_event
        is_asked = self._is_stopped or (event is not None and event.is_set())
        return is_asked or self._polling.is_over


class DirectoryWatcher(threading.Thread):
    """Watches a directory: the thread that `FileSystem.watch_directory` returns, not yet started.

    It is a daemon thread: `start` it, and to end it set its `stop_event` and `join` it.

    Attributes:
        stop_event: Ends watching once it is set, after the poll or callback that is under way.
        ready_event: Set when the first poll has set the point that later ones compare with, and
            in any case when watching is over; `is_alive` tells the two apart.

    Example:
        >>> watcher = session.file_system.watch_directory(".", print, interval=0.1)
        >>> watcher.start()
        >>> watcher.ready_event.wait(30)
        True
        >>> watcher.stop_event.set()
        >>> watcher.join(30)
    """

    __module__ = "agb"

    def __init__(
        self,
        client: Runner,
        polling: Polling,
        callback: Callable[[Events], object],
        stop_event: threading.Event | None,
    ) -> None:
        super().__init__(name="agb-watcher", daemon=True)
        self._client = client
        self._polling = polling
        self._callback = callback
        self.stop_event: threading.Event = stop_event or threading.Event()
        self.ready_event: threading.Event = threading.Event()

    def run(self) -> None:
        """Watch until it is over: what the thread does. Call `start` instead.

        Example:
            >>> watcher = session.file_system.watch_directory(".", print)
            >>> watcher.stop_event.set()
            >>> watcher.run()
        """
        try:
            while not (self._polling.is_over or self.stop_event.wait(self._polling.pause_s)):
                self._hand_over(self._poll())
        finally:
            # Nobody waits for what will not come.
            self.ready_event.set()

    def _poll(self) -> Events:
        try:
            return self._client.run(self._polling.poll())
        except RuntimeError as closed:  # the program closed the client
            self._polling.end(str(closed))
            return []

    def _hand_over(self, events: Events) -> None:
        """Tell that the first poll has succeeded, and what changed since the last one."""
        if self._polling.is_ready:
            self.ready_event.set()
        if events and not self.stop_event.is_set():
            self._call_back(events)

    def _call_back(self, events: Events) -> None:
        try:
            self._callback(events)
        except Exception:
            self._polling.callback_failed()
