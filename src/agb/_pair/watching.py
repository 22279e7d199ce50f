"""The part of a file system that watches, as a base class of it."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from agb._core.files import watching
from agb._core.files.change_results import FileChangeEvent
from agb._core.files.watching import Polling
from agb._pair.watchers import AsyncDirectoryWatcher, DirectoryWatcher

if TYPE_CHECKING:
    import anyio

    from agb._async.session import AsyncBaseSession
    from agb._sync.session import BaseSession


class AsyncWatching:
    """The part of `AsyncFileSystem` that watches."""

    session: AsyncBaseSession

    def watch_directory(
        self,
        path: str,
        callback: Callable[[list[FileChangeEvent]], Awaitable[None] | None] | None = None,
        interval: float = 1.0,
        stop_event: anyio.Event | None = None,
    ) -> AsyncDirectoryWatcher:
        """Watch a directory with all below it.

        Watch a path only once in a session: the service remembers one point to compare with.
        A poll that fails is logged and the pauses grow; watching ends with the session and when
        the client is closed.

        Args:
            path: The directory.
            callback: Called with each list of changes, never an empty one, inside `async with`; a
                plain or an async function. An exception of it is logged and watching goes on.
            interval: Seconds from one poll, and what was done with its changes, to the next.
            stop_event: Ends watching once it is set.

        Returns:
            A watcher to enter, iterate and `stop`.

        Raises:
            InvalidArgumentError: If an argument can't be used; there is no result to say it in.

        Example:
            >>> _ = await session.file_system.create_directory("box")
            >>> async with session.file_system.watch_directory("box", interval=0.1) as watcher:
            ...     _ = await session.file_system.create_directory("box/new")
            ...     async for events in watcher:
            ...         print(events)
            ...         watcher.stop()
            [FileChangeEvent(event_type='create', path='/home/user/box/new', path_type='directory')]
        """
        import anyio

        polling = Polling(self.session.session_id, path, interval)
        if callback is not None:
            watching.check_callback(callback)
        watching.check_stop_event(stop_event, anyio.Event)
        return AsyncDirectoryWatcher(self.session.get_client(), polling, callback, stop_event)

    watch_dir = watch_directory


class Watching:
    """The part of `FileSystem` that watches."""

    session: BaseSession

    def watch_directory(
        self,
        path: str,
        callback: Callable[[list[FileChangeEvent]], object],
        interval: float = 1.0,
        stop_event: threading.Event | None = None,
    ) -> DirectoryWatcher:
        """Watch a directory with all below it.

        Watch a path only once in a session: the service remembers one point to compare with.
        A poll that fails is logged and the pauses grow; watching ends with the session and when
        the client is closed.

        Args:
            path: The directory.
            callback: Called in the watcher's thread with each list of changes, never an empty one.
                An exception of it is logged and watching goes on.
            interval: Seconds from one poll, and what was done with its changes, to the next.
            stop_event: Ends watching once it is set; one of its own if left out.

        Returns:
            A daemon thread that is not started yet, with attributes `stop_event` and `ready_event`.

        Raises:
            InvalidArgumentError: If an argument can't be used; there is no result to say it in.

        Example:
            >>> from queue import Queue
            >>> seen = Queue()
            >>> _ = session.file_system.create_directory("box")
            >>> watcher = session.file_system.watch_directory("box", seen.put, interval=0.1)
            >>> watcher.start()
            >>> watcher.ready_event.wait()
            True
            >>> _ = session.file_system.create_directory("box/new")
            >>> seen.get()
            [FileChangeEvent(event_type='create', path='/home/user/box/new', path_type='directory')]
            >>> watcher.stop_event.set()
            >>> watcher.join()
        """
        polling = Polling(self.session.session_id, path, interval)
        watching.check_callback(callback)
        watching.check_stop_event(stop_event, threading.Event)
        return DirectoryWatcher(self.session.get_client(), polling, callback, stop_event)

    watch_dir = watch_directory
