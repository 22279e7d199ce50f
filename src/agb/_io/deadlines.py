"""Deadlines for blocking connections: each wait for the network gets only what is left.

A socket's own time-out begins anew with every byte, so a server that sends one now and then would
never be given up. httpx hands the time-out of a request down to each read and write of its
connection as the very object it was given: ours knows when it ends.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

_PIECE_BYTES = 65_536


class Until(float):
    """A time-out in seconds that knows when it began."""

    __slots__ = ("_ends",)

    _ends: float

    def __new__(cls, seconds: float) -> Until:
        until = super().__new__(cls, seconds)
        until._ends = time.monotonic() + seconds
        return until

    def left(self) -> float:
        """Return the seconds that are left, below 0 when it is over."""
        return self._ends - time.monotonic()


def use_deadlines(client: httpx.Client) -> None:
    """Make the connections that an httpx client opens end with the `Until` of their request.

    Also those of a client that belongs to the program: other requests carry no `Until`, and for
    them nothing changes. A network that the program has put in itself is left alone.
    """
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx.HTTPTransport):
            # httpx has no public way to say which network its pool uses.
            pool = transport._pool
            if type(pool._network_backend) is httpcore.SyncBackend:
                pool._network_backend = DeadlineBackend()


class DeadlineBackend(httpcore.SyncBackend):
    """The network, with streams that look at the clock."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        stream = super().connect_tcp(host, port, timeout, local_address, socket_options)
        return _Stream(stream)


class _Stream(httpcore.NetworkStream):
    """A connection whose waits end with the deadline of the request that it carries."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE_BYTES):
            piece = buffer[start : start + _PIECE_BYTES]
            self._stream.write(piece, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  (as httpcore has it)
        return self._stream.get_extra_info(info)


def _left(timeout: float | None, over: type[Exception]) -> float | None:
    if not isinstance(timeout, Until):
        return timeout
    left = timeout.left()
    if left <= 0:
        raise over("the deadline of the call is over")
    return left
