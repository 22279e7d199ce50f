"""uvicorn, set up for this server: no signals of its own, and JSON even for broken HTTP."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Generator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..settings import Settings
from .envelope import invalid_request, new_request_id, render_failure


class HttpServer(uvicorn.Server):
    """Serves the application until `should_exit` is set."""

    def __init__(self, app: ASGIApp, settings: Settings, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",
                http=_Protocol,
                ws="wsproto",
                # No pings of ours: a client that takes its time over what it has read, and reads no
                # further meanwhile, is not a dead one. Clients ping, and a closed socket tells.
                ws_ping_interval=None,
                ws_max_size=settings.max_request_bytes,
                ws_per_message_deflate=False,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=round(settings.keep_alive_s),
                timeout_graceful_shutdown=round(settings.shutdown_grace_s),
                # A head of so many bytes that has not ended is longer. With one more, it would
                # depend on the pieces in which it arrives whether it is refused.
                h11_max_incomplete_event_size=settings.max_request_head_bytes - 1,
            )
        )
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, then say so."""
        await super().startup(sockets)
        self._on_ready()

    def stop_listening(self) -> None:
        """Take no further connections; those there are go on."""
        for server in getattr(self, "servers", ()):
            server.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals alone: uvicorn would raise them again at the end, and exit by them."""
        yield


class _Protocol(H11Protocol):
    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP at all, or whose head is too long, in an envelope too."""
        response = render_failure(new_request_id(), invalid_request(msg), tool_call=False)
        head = [b"HTTP/1.1 400 Bad Request", b"connection: close"]
        head += [name + b": " + value for name, value in response.raw_headers]
        self.transport.write(b"\r\n".join([*head, b"", bytes(response.body)]))
        self.transport.close()
