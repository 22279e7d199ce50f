"""What differs in more than colour: each thing twice, async and blocking, side by side.

The generator turns a name on the left of each pair into the one on its right. Only the async
halves import anyio, and only when they run.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary, finalize

if TYPE_CHECKING:
    import ssl

    import httpcore
    import httpx

    from ._async.pool import AsyncPool
    from ._async.pool import Response as AsyncResponse
    from ._core.operation import Batch
    from ._core.replies import Reply
    from ._core.requests import Call
    from ._sync.pool import Pool, Response

P = ParamSpec("P")
T = TypeVar("T")

_SWITCHED = 101  # HTTP: Switching Protocols


class AsyncConnections:
    """The connections of each event loop that uses one `AsyncAGB`.

    Connections belong to the loop that opened them. Kept by weak reference to the loop itself, a
    client can't be taken for that of a later loop at the same address. But open connections refer
    to their loop in turn, so the clients of loops that ended are dropped when the next one is made.

    Without a pool they are those of a stock client, which can stream.
    """

    def __init__(
        self,
        pool: type[AsyncPool] | None,
        transport: httpx.AsyncBaseTransport | None,
        *,
        trust_env: bool,
    ) -> None:
        self._pool = pool
        self._transport = transport
        self._trust_env = trust_env
        self._clients: WeakKeyDictionary[object, tuple[int, AsyncPool | httpx.AsyncClient]] = (
            WeakKeyDictionary()
        )

    def client(self) -> AsyncPool | httpx.AsyncClient:
        """Return the client of the running event loop, made at its first use."""
        loop = _running_loop()
        process, client = self._clients.get(loop, (0, None))
        if client is None or process != os.getpid():
            self._drop_ended()
            client = self._made()
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

    def _made(self) -> AsyncPool | httpx.AsyncClient:
        if self._pool and self._transport is None and not (self._trust_env and _has_proxy()):
            return self._pool()
        return self._httpx_client(kept=100)

    def httpx_client(self) -> httpx.AsyncClient:
        """Make an HTTP client for one request, which keeps no connection: it need not be closed."""
        return self._httpx_client(kept=0)

    def _httpx_client(self, *, kept: int) -> httpx.AsyncClient:
        import httpx

        return httpx.AsyncClient(
            transport=self._transport,
            trust_env=self._trust_env,
            verify=ssl_context(),
            limits=_limits(kept),
        )

    def _drop_ended(self) -> None:
        for reference in self._clients.keyrefs():
            loop = reference()
            if loop is not None and _has_ended(loop):
                self._clients.pop(loop, None)


class Connections:
    """The connections of one `AGB`, made anew in a forked process.

    A program need not close it: that also happens when its `AGB` is gone, or the interpreter ends.
    Without a pool they are those of a stock client, which can stream.
    """

    def __init__(
        self, pool: type[Pool] | None, transport: httpx.BaseTransport | None, *, trust_env: bool
    ) -> None:
        self._pool = pool
        self._transport = transport
        self._trust_env = trust_env
        self._lock = threading.Lock()
        self._client: Pool | httpx.Client | None = None
        self._process = os.getpid()

    def client(self) -> Pool | httpx.Client:
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
                client = self._made()
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

    def _made(self) -> Pool | httpx.Client:
        if self._pool and self._transport is None and not (self._trust_env and _has_proxy()):
            return self._pool()
        return self._httpx_client(kept=100)

    def httpx_client(self) -> httpx.Client:
        """Make an HTTP client for one request, which keeps no connection: it need not be closed."""
        return self._httpx_client(kept=0)

    def _httpx_client(self, *, kept: int) -> httpx.Client:
        import httpx

        return httpx.Client(
            transport=self._transport,
            trust_env=self._trust_env,
            verify=ssl_context(),
            limits=_limits(kept),
        )

    def _usable(self) -> Pool | httpx.Client | None:
        # An exit handler of the program may run after the client was closed for good order.
        client = self._client
        ours = client is not None and self._process == os.getpid() and not client.is_closed
        return client if ours else None


def _close(client: Pool | httpx.Client, process: int) -> None:
    if process == os.getpid():
        client.close()


async def async_exchange(
    client: AsyncPool | httpx.AsyncClient,
    request: Any,  # noqa: ANN401  (each kind of client makes its own)
    seconds: float,
) -> tuple[AsyncResponse | httpx.Response, bytes]:
    """Send a request and read the whole reply within a time, from the first to the last byte.

    Raises:
        TimeoutError: It took longer; the connection is closed.
    """
    import anyio

    if not hasattr(client, "stream"):
        # On connections of our own the scope does what a time-out for each read would do again.
        request.extensions["timeout"] = {"connect": request.extensions["timeout"]["connect"]}
    with anyio.fail_after(seconds):
        response = await client.send(request)
    return response, response.content


def exchange(
    client: Pool | httpx.Client,
    request: Any,  # noqa: ANN401  (each kind of client makes its own)
    seconds: float,
) -> tuple[Response | httpx.Response, bytes]:
    """Send a request and read the whole reply within a time, from the first to the last byte.

    A blocking read can't be cancelled. On connections that httpcore opens each one ends with the
    deadline (see `_io/deadlines`); on those of a foreign transport the clock is looked at between
    them.

    Raises:
        TimeoutError: It took longer; the connection is closed.
    """
    from ._io.deadlines import Until, use_deadlines

    ends = Until(seconds)
    timeouts: dict[str, float] = request.extensions["timeout"]
    if not hasattr(client, "stream"):
        connect = Until(timeouts["connect"])
        request.extensions["timeout"] = {"connect": connect, "read": ends, "write": ends}
        whole = client.send(request)
        return whole, whole.content
    request.extensions["timeout"] = {name: Until(limit) for name, limit in timeouts.items()}
    foreign = cast("httpx.Client", client)
    use_deadlines(foreign)
    response = foreign.send(request, stream=True)
    try:
        parts: list[bytes] = []
        for part in response.iter_bytes():
            parts.append(part)
            if ends.left() < 0:
                raise TimeoutError
    finally:
        response.close()
    return response, b"".join(parts)


async def async_upgrade(
    client: httpx.AsyncClient, request: httpx.Request, seconds: float, *, is_ours: bool
) -> httpx.Response:
    """Send a request to switch protocols; of a response that does not switch, read the body, too.

    The connection is closed with the response: by its owner, who can't be replaced here.

    Raises:
        TimeoutError: It took longer; the connection is closed.
    """
    import anyio

    with anyio.fail_after(seconds):
        response = await client.send(request, stream=True)
        if response.status_code != _SWITCHED:
            await response.aread()
    return response


def upgrade(
    client: httpx.Client, request: httpx.Request, seconds: float, *, is_ours: bool
) -> httpx.Response:
    """Send a request to switch protocols; of a response that does not switch, read the body, too.

    A client of ours is closed, at the latest, when the response is gone or the interpreter ends.

    Raises:
        httpx.TimeoutException: It took longer; the connection is closed.
    """
    from ._io.deadlines import Until, use_deadlines

    use_deadlines(client)
    request.extensions["timeout"] = dict.fromkeys(request.extensions["timeout"], Until(seconds))
    response = client.send(request, stream=True)
    if is_ours:
        finalize(response, _close, client, os.getpid())
    if response.status_code != _SWITCHED:
        response.read()
    return response


def async_backend() -> Any:  # noqa: ANN401  (httpcore does not export the type)
    """Return the network that connections are made on."""
    import httpcore

    return httpcore.AnyIOBackend()


def backend() -> httpcore.NetworkBackend:
    """Return the network that connections are made on: one that keeps to deadlines."""
    from ._io.deadlines import DeadlineBackend

    return DeadlineBackend()


async def async_send_together(send: Callable[[Call], Awaitable[Reply]], batch: Batch) -> list[Any]:
    """Send the calls of a batch, several at once, and return the outcomes in their order.

    After one call has failed no other is begun; the error raised is the first in their order.
    """
    import anyio

    outcomes: dict[int, Any] = {}
    errors: dict[int, Exception] = {}
    turns = anyio.CapacityLimiter(batch.at_once)

    async def send_one(index: int) -> None:
        async with turns:
            if not errors:
                try:
                    outcomes[index] = batch.readers[index](await send(batch.calls[index]))
                except Exception as error:
                    errors[index] = error

    async with anyio.create_task_group() as group:
        for index in range(len(batch.calls)):
            group.start_soon(send_one, index)
    return _in_order(outcomes, errors)


def send_together(send: Callable[[Call], Reply], batch: Batch) -> list[Any]:
    """Send the calls of a batch, several at once, and return the outcomes in their order.

    After one call has failed no other is begun; the error raised is the first in their order.
    """
    from concurrent.futures import ThreadPoolExecutor, wait
    from contextvars import copy_context

    outcomes: dict[int, Any] = {}
    errors: dict[int, Exception] = {}

    def send_one(index: int) -> None:
        if not errors:
            try:
                outcomes[index] = batch.readers[index](send(batch.calls[index]))
            except Exception as error:
                errors[index] = error

    threads = ThreadPoolExecutor(min(batch.at_once, len(batch.calls)), "agb")
    try:
        wait([threads.submit(copy_context().run, send_one, i) for i in range(len(batch.calls))])
    finally:
        # Ctrl-C ends the waiting: calls in flight run out, no other is begun.
        threads.shutdown(wait=False, cancel_futures=True)
    return _in_order(outcomes, errors)


def _in_order(outcomes: dict[int, Any], errors: dict[int, Exception]) -> list[Any]:
    if errors:
        raise errors[min(errors)]
    return [outcome for _, outcome in sorted(outcomes.items(), key=itemgetter(0))]


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


@cache
def ssl_context() -> ssl.SSLContext:
    """Return what this process knows of certificates: reading them takes longer than many calls."""
    import httpx

    return httpx.create_ssl_context()


def _has_proxy() -> bool:
    """Tell whether the environment names a proxy; httpx knows how to reach a service through it."""
    from urllib.request import getproxies

    return not {"http", "https", "all"}.isdisjoint(getproxies())


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


def _limits(kept: int) -> httpx.Limits:
    """Let as many calls be in flight as the program makes: none waits for another's connection."""
    import httpx

    return httpx.Limits(max_connections=None, max_keepalive_connections=kept)
