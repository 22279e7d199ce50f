"""Which HTTP client carries what: calls, files, and streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._io.certificates import ssl_context
from .pool import AsyncPool

if TYPE_CHECKING:
    import httpx

_KEPT = 100  # connections that httpx keeps open without a request


class AsyncHTTPClients:
    """Makes the HTTP clients of one service. It refers to none of them, so that each can end.

    Args:
        transport: Carries all requests in place of the network, None for the network.
        trust_env: Whether the settings of the environment count, such as a proxy.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport | None, *, trust_env: bool) -> None:
        self._transport = transport
        self._trust_env = trust_env

    def for_calls(self) -> AsyncPool | httpx.AsyncClient:
        """Make one for calls: connections of our own, where nothing is in between."""
        if self._transport is None and not (self._trust_env and _has_proxy()):
            return AsyncPool()
        return self._made(kept=_KEPT)

    def for_files(self) -> httpx.AsyncClient:
        """Make one for files, which have to be streamed."""
        return self._made(kept=_KEPT)

    def for_one_stream(self) -> httpx.AsyncClient:
        """Make one for one request, which keeps no connection: it need not be closed."""
        return self._made(kept=0)

    def _made(self, *, kept: int) -> httpx.AsyncClient:
        import httpx

        # As many calls are in flight as the program makes: none waits for another's connection.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=kept)
        return httpx.AsyncClient(
            transport=self._transport,
            trust_env=self._trust_env,
            verify=ssl_context(),
            limits=limits,
        )


def _has_proxy() -> bool:
    """Tell whether the environment names a proxy; httpx knows how to reach a service through it."""
    from urllib.request import getproxies

    return not {"http", "https", "all"}.isdisjoint(getproxies())
