"""One link: where it listens, and the connections it has."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import attrs

from .admission import Admission
from .proxy import Connect, Proxy

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..settings import Settings

KeepAlive = contextlib.AbstractContextManager[None]


@attrs.define(eq=False)
class Link:
    """A reverse proxy to one port of a session.

    Attributes:
        admission: Who may use it.
        port: Where it listens.
    """

    admission: Admission
    port: int
    _server: asyncio.Server
    _connections: set[asyncio.Task[None]]

    @classmethod
    async def open(
        cls, address: str, connect: Connect, in_use: Callable[[], KeepAlive], settings: Settings
    ) -> Link:
        """Begin to listen.

        Args:
            address: The address of this machine to listen on.
            connect: Makes a connection to the program.
            in_use: Keeps the session from being idle while a connection is open.
            settings: The limits.

        Raises:
            OSError: The address can't be listened on.
        """
        admission = Admission()
        proxy = Proxy(admission, connect, settings.max_request_head_bytes, settings.keep_alive_s)
        connections: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with in_use():
                await proxy.serve(reader, writer)

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if len(connections) >= settings.max_connections_per_link:
                writer.transport.abort()
                return
            task = asyncio.ensure_future(serve(reader, writer))
            connections.add(task)
            task.add_done_callback(connections.discard)

        server = await asyncio.start_server(begin, address, 0)
        return cls(admission, server.sockets[0].getsockname()[1], server, connections)

    def close(self) -> None:
        """Stop to listen, and break off all connections."""
        self._server.close()
        for connection in self._connections:
            connection.cancel()
