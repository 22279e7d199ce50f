"""What differs in more than colour: each thing twice, async and blocking, side by side.

The generator turns a name on the left of each pair into the one on its right. Only the async
halves import anyio, and only when they run.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, ParamSpec, TypeVar
from weakref import WeakKeyDictionary, finalize

if TYPE_CHECKING:
    import httpx

P = ParamSpec("P")
T = TypeVar("T")


class AsyncConnections:
    """The httpx client of each event loop that uses one `AsyncAGB`.

    Connections belong to the loop that opened them. Kept by weak reference to the loop itself, a
    client can't be taken for that of a later loop at the same address. But open connections refer
    to their loop in turn, so the clients of loops that ended are dropped when the next one is made.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport | None, *, trust_env: bool) -> None:
        self._transport = transport
        self._trust_env = trust_env
        self._clients: WeakKeyDictionary[object, tuple[int, httpx.AsyncClient]] = (
            WeakKeyDictionary()
        )

    def client(self) -> httpx.AsyncClient:
        """Return the client of the running event loop, made at its first use."""
        import httpx

        loop = _running_loop()
        process, client = self._clients.get(loop, (0, None))
        if client is None or process != os.getpid():
            self._drop_ended()
            client = httpx.AsyncClient(
                transport=self._transport, trust_env=self._trust_env, limits=_limits()
            )
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


class Connections:
    """The httpx client of one `AGB`, made anew in a forked process.

    A program need not close it: that also happens when its `AGB` is gone, or the interpreter ends.
    """

    def __init__(self, transport: httpx.BaseTransport | None, *, trust_env: bool) -> None:
        self._transport = transport
        self._trust_env = trust_env
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None
        self._process = os.getpid()

    def client(self) -> httpx.Client:
        """Return the client of this process, made at its first use."""
        import httpx

        client = self._usable()
        if client is not None:
            return client
        if self._process != os.getpid():
            # Another thread of the parent may have held the lock when it forked.
            self._lock = threading.Lock()
        with self._lock:
            client = self._usable()
            if client is None:
                client = httpx.Client(
                    transport=self._transport, trust_env=self._trust_env, limits=_limits()
                )
                # In this order: in a forked child another thread must not take the parent's.
                self._client = client
                self._process = os.getpid()
                finalize(self, _close, client, self._process)
            return client

    def close(self) -> None:
        """Close the client; connections of a parent process are left to it."""
        client, self._client = self._client, None
        if client is not None:
            _close(client, self._process)

    def _usable(self) -> httpx.Client | None:
        # An exit handler of the program may run after the client was closed for good order.
        client = self._client
        ours = client is not None and self._process == os.getpid() and not client.is_closed
        return client if ours else None


def _close(client: httpx.Client, process: int) -> None:
    if process == os.getpid():
        client.close()


async def async_run_in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking function in a worker thread."""
    from functools import partial

    from anyio import to_thread

    return await to_thread.run_sync(partial(function, *args, **kwargs))


def run_in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking function here: the blocking colour is in a thread already."""
    return function(*args, **kwargs)


async def async_notify(callback: Callable[[T], object] | None, value: T) -> None:
    """Call a callback of the program, if there is one, and wait for it if it is async."""
    import inspect

    if callback is not None:
        answer = callback(value)
        if inspect.isawaitable(answer):
            await answer


def notify(callback: Callable[[T], object] | None, value: T) -> None:
    """Call a callback of the program, if there is one."""
    if callback is not None:
        callback(value)


def async_shielded(seconds: float) -> AbstractContextManager[object]:
    """Let what is inside finish although the task is cancelled, for a bounded time."""
    import anyio

    return anyio.move_on_after(seconds, shield=True)


def shielded(seconds: float) -> AbstractContextManager[object]:
    """Do nothing: blocking code is not cancelled from outside."""
    return nullcontext(seconds)


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


def _limits() -> httpx.Limits:
    """Let as many calls be in flight as the program makes: none waits for another's connection."""
    import httpx

    return httpx.Limits(max_connections=None, max_keepalive_connections=100)
