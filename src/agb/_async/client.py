"""The transport of the house: `send` carries one call, `run` a whole operation."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

import anyio

from .. import _embedded
from .._core import replies
from .._core.config import LOCAL, Config, base_url
from .._core.exceptions import AGBError, APIConnectionError, APIError, APITimeoutError
from .._core.operation import Pause, Step, Steps
from .._core.replies import Reply
from .._core.requests import Call
from .._pair import AsyncConnections, async_run_in_thread
from .._version import __version__

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

_USER_AGENT = f"agb-python/{__version__}"
# The service works up to its own limit and then has to answer: the read time-out must not be first.
_READ_MARGIN_S = 10.0

_logger = logging.getLogger("agb")


class AsyncClient:
    """The HTTP side of an `AsyncAGB`: one for all its sessions, safe to share.

    Programs get it from `agb.client` or `session.get_client()`; they rarely need it.
    """

    __module__ = "agb"

    def __init__(
        self,
        config: Config,
        api_key: str,
        *,
        http_client: httpx.AsyncClient | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._config = config
        self._api_key = api_key
        self._is_local = config.endpoint == LOCAL
        self._base_url = "" if self._is_local else base_url(config.endpoint)
        self._http_client = http_client
        # A proxy of the environment can't reach this machine's own loopback.
        self._connections = AsyncConnections(transport, trust_env=not self._is_local)
        self._closed = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}(endpoint={self._config.endpoint!r})"

    async def run(self, operation: Steps[T]) -> T:
        """Run an operation of the core to its result.

        Args:
            operation: The generator of its steps.

        Returns:
            What the operation returns.

        Raises:
            RuntimeError: If this client has been closed.
        """
        if self._closed:
            operation.close()
            raise RuntimeError(
                "Cannot send a request, as the client has been closed; make a new one"
            )
        try:
            step = next(operation)
            while True:
                try:
                    reply = await self._take(step)
                except AGBError as error:
                    step = operation.throw(error)
                else:
                    step = operation.send(reply)
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def send(self, call: Call) -> Reply:
        """Send one call and read its reply.

        Args:
            call: What to ask.

        Returns:
            The reply, if it says success.

        Raises:
            AGBError: What went wrong, with a type for each thing a caller would do differently.
        """
        import httpx

        began = time.monotonic()
        url, key = await self._where(call)
        client, request = self._prepared(call, url, key)
        try:
            response = await client.send(request)
        except httpx.HTTPError as error:
            died = await async_run_in_thread(_embedded.failure) if self._is_local else None
            raise died or _translated(call, url, error) from _without_request(error)
        request_id = response.headers.get("x-request-id", "")
        try:
            reply = replies.read(call, response.status_code, request_id, response.content)
            request_id = reply.request_id
        except AGBError as error:
            request_id = error.request_id
            raise
        finally:
            _logger.debug(
                "%s %s: HTTP %d, request id %s, %.0f ms",
                call.method,
                call.path,
                response.status_code,
                request_id,
                (time.monotonic() - began) * 1000,
            )
        return reply

    async def aclose(self) -> None:
        """Close the connections that this client made; an injected HTTP client stays open."""
        self._closed = True
        await self._connections.aclose()

    async def _take(self, step: Step) -> Reply | None:
        if isinstance(step, Pause):
            await anyio.sleep(step.seconds)
            return None
        return await self.send(step)

    async def _where(self, call: Call) -> tuple[str, str]:
        """Return the URL of the service and the key to it; start the embedded one if need be."""
        if not self._is_local:
            return self._base_url, self._api_key
        server = _embedded.running()
        if server is None:
            server = await async_run_in_thread(_embedded.server, call.starts_server)
        return server.endpoint, server.api_key

    def _prepared(self, call: Call, url: str, key: str) -> tuple[httpx.AsyncClient, httpx.Request]:
        """Return the HTTP client to use and the request that it has to send."""
        import httpx

        try:
            client = self._http_client or self._connections.client()
            request = client.build_request(
                call.method,
                url + call.target,
                content=call.content,
                headers={
                    "Authorization": f"Bearer {key}",
                    "Content-Type": "application/json",
                    "User-Agent": _USER_AGENT,
                },
                timeout=self._timeout(call),
            )
        except (httpx.InvalidURL, ValueError, ImportError, OSError) as error:
            # A host name that is none, or a setting of the environment: a proxy, a certificate.
            raise APIConnectionError(
                f"{call.method} {call.path} at {url} can't be sent"
                f" ({type(error).__name__}: {error}); check the endpoint and the proxy settings"
            ) from error
        return client, request

    def _timeout(self, call: Call) -> httpx.Timeout:
        import httpx

        seconds = self._config.timeout_ms / 1000
        longer = call.time_limit_s + _READ_MARGIN_S if call.time_limit_s else 0
        return httpx.Timeout(
            seconds,
            connect=call.connect_timeout_s or seconds,
            read=call.read_timeout_s or max(seconds, longer),
        )


def _translated(call: Call, url: str, error: httpx.HTTPError) -> AGBError:
    """Make the one error of this package that says what an httpx error means."""
    import httpx

    what = f"{call.method} {call.path} at {url}"
    cause = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        return APITimeoutError(f"{what} got no reply in time ({cause})")
    if isinstance(error, httpx.TransportError):
        return APIConnectionError(f"{what} failed ({cause}); check that the endpoint is up")
    return APIError(f"{what} failed ({cause})")


def _without_request(error: httpx.HTTPError) -> httpx.HTTPError:
    """Take the request, whose headers carry the API key, out of an error that will be kept."""
    error._request = None  # pyright: ignore[reportPrivateUsage]  (httpx has no public way)
    return error
