"""How long connections live: with an event loop, or with a process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary, finalize


class AsyncClosable(Protocol):
    """An HTTP client or a pool, as far as its end is concerned."""

    async def aclose(self) -> None:
        """Close its connections."""
        ...


class Closable(Protocol):
    """The same, blocking."""

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        ...

    def close(self) -> None:
        """Close its connections."""
        ...


A = TypeVar("A", bound=AsyncClosable)
C = TypeVar("C", bound=Closable)


class AsyncConnections(Generic[A]):
    """The connections of each event loop that uses one `AsyncAGB`.

    Connections belong to the loop that opened them. Kept by weak reference to the loop itself, a
    client can't be taken for that of a later loop at the same address. But open connections refer
    to their loop in turn, so the clients of loops that ended are dropped when the next one is made.

    Args:
        make: Makes the HTTP client or pool of a loop.
    """

    def __init__(self, make: Callable[[], A]) -> None:
        self._make = make
        self._clients: WeakKeyDictionary[object, tuple[int, A]] = WeakKeyDictionary()

    def client(self) -> A:
        """Return the client of the running event loop, made at its first use."""
        loop = _running_loop()
        process, client = self._clients.get(loop, (0, None))
        if client is None or process != os.getpid():
            self._drop_ended()
            client = self._make()
            self._clients[loop] = (os.getpid(), client)
        return client

    async def aclose(self) -> None:
        """Close the client of the running event loop, and let go those of loops that ended.

        Another loop that runs in another thread has to close its own: nobody else can.
        """
        _, client = self._clients.pop(_running_loop(), (0, None))
        self._drop_ended()
        if client is not None:
            await client.aclose()

    def _drop_ended(self) -> None:
        for reference in self._clients.keyrefs():
            loop = reference()
            if loop is not None and _has_ended(loop):
                self._clients.pop(loop, None)


class Connections(Generic[C]):
    """The connections of one `AGB`, made anew in a forked process.

    A program need not close it: that also happens when its `AGB` is gone, or the interpreter ends.

    Args:
        make: Makes the HTTP client or pool. It must not refer to the `AGB`, which would then never
            be gone.
    """

    def __init__(self, make: Callable[[], C]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._client: C | None = None
        self._process = os.getpid()

    def client(self) -> C:
        """Return the client of this process, made at its first use."""
        client = self._usable()
        if client is not None:
            return client
        if self._process != os.getpid():
            # Another thread of the parent may have held the lock when it forked.
            self._lock = threading.Lock()
        with self._lock:
            client = self._usable()
            if client is None:
                client = self._make()
                # In this order: in a forked child another thread must not take the parent's.
                self._client = client
                self._process = os.getpid()
                finalize(self, close_if_ours, client, self._process)
            return client

    def close(self) -> None:
        """Close the client; connections of a parent process are left to it."""
        client, self._client = self._client, None
        if client is not None:
            close_if_ours(client, self._process)

    def _usable(self) -> C | None:
        # An exit handler of the program may run after the client was closed for good order.
        client = self._client
        ours = client is not None and self._process == os.getpid() and not client.is_closed
        return client if ours else None


def close_if_ours(client: Closable, process: int) -> None:
    """Close what a process has made, if this is that process."""
    if process == os.getpid():
        client.close()


def _running_loop() -> object:
    """Return the running event loop itself: what connections belong to, on asyncio and on trio."""
    import sniffio

    if sniffio.current_async_library() == "trio":
        import trio

        return trio.lowlevel.current_trio_token()
    import asyncio

    return asyncio.get_running_loop()


def _has_ended(loop: object) -> bool:
    """Tell whether an event loop is closed; the token of a trio run dies with its run."""
    return bool(getattr(loop, "is_closed", bool)())
