"""Kept connections: the two methods of an httpx client that this package needs, without the rest.

A call here costs less than half of one on a stock httpx client, which builds more objects for each
request than it sends bytes, and whose pool looks at every connection it has (`docs/benchmarks.md`).
The protocol itself is httpcore's, as it is in httpx.
"""

from __future__ import annotations

import time
import zlib
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .._io.certificates import ssl_context
from .._io.responses import Response

if TYPE_CHECKING:
    import ssl

    import httpcore

# Gateways usually keep a silent connection for a minute; asking for a new one costs a few journeys.
_IDLE_S = 30.0
_SWEEP_INTERVAL_S = 1.0
_DEFAULT_PORTS = {"http": 80, "https": 443}
_GZIP = zlib.MAX_WBITS | 16


class AsyncPool:
    """Connections to one service, used again as soon as they are free.

    A call has a connection to itself. It takes the one used last, so one call after another uses
    one connection, and as many are open as there were calls at once. Safe for threads where calls
    block: taking and giving back is a single step of a deque.

    Args:
        idle_s: How long a connection is kept without being used, in seconds.
    """

    def __init__(self, *, idle_s: float = _IDLE_S) -> None:
        self._idle_s = idle_s
        self._idle: deque[httpcore.AsyncHTTPConnection] = deque()
        self._ssl_context: ssl.SSLContext | None = None
        self._next_sweep = 0.0
        self.is_closed = False

    def build_request(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None,
        headers: Mapping[str, str],
        timeout: tuple[float, float, float, float],
    ) -> httpcore.Request:
        """Make a request, which sends nothing.

        Args:
            method: The HTTP method.
            url: The whole URL.
            content: The body, None for none.
            headers: The headers that the caller decides.
            timeout: Seconds to connect, for a read, for a write; the fourth has no meaning here.

        Raises:
            ValueError: If there can't be a host of that name.
            OSError: If the certificates that the environment names can't be read.
        """
        import httpcore

        address, host = _address(url)
        if address.scheme == b"https" and self._ssl_context is None:
            self._ssl_context = ssl_context()
        lines = [(b"Host", host), (b"Accept", b"*/*"), (b"Accept-Encoding", b"gzip")]
        lines += [(name.encode(), value.encode()) for name, value in headers.items()]
        if content is not None:
            lines.append((b"Content-Length", b"%d" % len(content)))
        connect, read, write, _ = timeout
        timeouts = {"connect": connect, "read": read, "write": write}
        return httpcore.Request(
            method, address, headers=lines, content=content, extensions={"timeout": timeouts}
        )

    async def send(self, request: httpcore.Request) -> Response:
        """Send a request and read the whole reply.

        Raises:
            httpx.TransportError: What httpx raises for the same trouble.
        """
        import httpcore

        try:
            connection = await self._take(request.url.origin)
            try:
                answer = await connection.handle_async_request(request)
                try:
                    content = await answer.aread()
                finally:
                    await answer.aclose()
            finally:
                await self._give_back(connection)
            headers = {
                name.decode().lower(): value.decode("latin-1") for name, value in answer.headers
            }
            if headers.get("content-encoding") == "gzip":
                content = zlib.decompress(content, _GZIP)
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise _as_httpx(type(error).__name__, error) from error
        except zlib.error as error:
            raise _as_httpx("DecodingError", error) from error
        return Response(answer.status, headers, content)

    async def aclose(self) -> None:
        """Close what is idle now, and what is in use when its call is over."""
        self.is_closed = True
        while connection := self._next_idle():
            await connection.aclose()

    async def _take(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        import httpcore

        from .network import new_network

        while connection := self._next_idle():
            # The embedded server may have begun anew at another port.
            if connection.can_handle_request(origin) and not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore.AsyncHTTPConnection(
            origin,
            ssl_context=self._ssl_context,
            keepalive_expiry=self._idle_s,
            network_backend=new_network(),
        )

    async def _give_back(self, connection: httpcore.AsyncHTTPConnection) -> None:
        """Keep a connection whose reply was read to its end; others have closed themselves."""
        if connection.is_available():
            if _has_more(connection):
                await connection.aclose()
            else:
                self._idle.append(connection)
        if self.is_closed:
            await self.aclose()
        elif (now := time.monotonic()) > self._next_sweep:
            self._next_sweep = now + _SWEEP_INTERVAL_S
            await self._sweep()

    async def _sweep(self) -> None:
        """Close connections that were left over when fewer calls were made at once."""
        while oldest := self._next_idle(oldest=True):
            if not oldest.has_expired():
                self._idle.appendleft(oldest)
                return
            await oldest.aclose()

    def _next_idle(self, *, oldest: bool = False) -> httpcore.AsyncHTTPConnection | None:
        try:
            return self._idle.popleft() if oldest else self._idle.pop()
        except IndexError:
            return None


def _has_more(connection: httpcore.AsyncHTTPConnection) -> bool:
    """Tell whether more came than the reply: the next call would take it for its own."""
    protocol: Any = connection._connection
    return bool(protocol._h11_state.trailing_data[0])


@lru_cache(maxsize=64)
def _address(url: str) -> tuple[httpcore.URL, bytes]:
    """Take a URL apart, once for all tool calls of a client; return it with its `Host` header."""
    import httpcore

    parts = urlsplit(url)
    default = _DEFAULT_PORTS[parts.scheme]
    host = (parts.hostname or "").encode("idna")
    name = b"[%b]" % host if b":" in host else host
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    address = httpcore.URL(
        scheme=parts.scheme.encode(),
        host=host,
        port=parts.port or default,
        target=target.encode("ascii"),
    )
    return address, name if parts.port in (None, default) else b"%b:%d" % (name, parts.port)


def _as_httpx(name: str, error: Exception) -> Exception:
    """Make the error of the same name that httpx has; callers know only those."""
    import httpx

    made: Exception = getattr(httpx, name)(str(error))
    return made
