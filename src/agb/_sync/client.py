"""The transport of the house: `send` carries one call, `run` a whole operation."""

from __future__ import annotations

import logging
import time
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from .._core import arguments
from .._core.config import LOCAL, Config, base_url
from .._core.exceptions import AGBError, APIConnectionError
from .._core.files.request_sizes import Transfer
from .._core.tools.offers import Offers
from .._core.version import __version__
from .._core.wire import replies, retry
from .._core.wire.call import Call
from .._core.wire.operation import Batch, Step, Steps, Work
from .._core.wire.replies import Reply
from .._io import embedded, tracing
from .._pair.batch import send_together
from .._pair.connections import Connections
from .._pair.exchange import exchange
from .._pair.threads import run_in_thread
from .http_clients import HTTPClients
from .sending import Sending, delivered

if TYPE_CHECKING:
    import httpx

    from .._io.responses import Response
    from .pool import Pool

T = TypeVar("T")

_USER_AGENT = f"agb-python/{__version__}"

_logger = logging.getLogger("agb")


class Client:
    """The HTTP side of an `AGB`: one for all its sessions, safe to share.

    Programs get it from `agb.client` or `session.get_client()`; they rarely need it.

    Example:
        >>> agb.client is session.get_client()
        True
    """

    __module__ = "agb"

    def __init__(
        self,
        config: Config,
        api_key: str,
        *,
        http_client: httpx.Client | None = None,
        transport: httpx.BaseTransport | None = None,
        max_retries: int = retry.DEFAULT_MAX_RETRIES,
    ) -> None:
        self._max_retries = arguments.whole_number("max_retries", max_retries, at_least=0)
        self._config = config
        self._api_key = api_key
        self._is_local = config.endpoint == LOCAL
        self._base_url = "" if self._is_local else base_url(config.endpoint)
        self._http_client = http_client
        # A proxy of the environment can't reach this machine's own loopback.
        self._http_clients = HTTPClients(transport, trust_env=not self._is_local)
        self._connections = Connections(self._http_clients.for_calls)
        # A store is no part of the service.
        self._store_connections = Connections(self._http_clients.for_files)
        self._transfer = Transfer()
        self._offers = Offers(config.endpoint)
        self._closed = False

    @property
    def _timeout_s(self) -> float:
        return self._config.timeout_ms / 1000

    def _for_stores(self) -> httpx.Client:
        """Return an HTTP client that streams: the injected one if there is one."""
        return self._http_client or self._store_connections.client()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(endpoint={self._config.endpoint!r})"

    def run(self, operation: Steps[T]) -> T:
        """Run an operation of the core to its result.

        Args:
            operation: The generator of its steps.

        Returns:
            What the operation returns.

        Raises:
            RuntimeError: If this client has been closed.

        Example:
            >>> from agb._core.sessions import operations as sessions
            >>> found = agb.client.run(sessions.get(session.session_id))
            >>> found.success
            True
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
                    reply = self._take(step)
                except AGBError as error:
                    step = operation.throw(error)
                else:
                    step = operation.send(reply)
        except StopIteration as stop:
            result: T = stop.value
            return result

    def send(self, call: Call) -> Reply:
        """Send one call and read its reply; send it again where that is safe.

        Args:
            call: What to ask.

        Returns:
            The reply, if it says success.

        Raises:
            AGBError: What went wrong, with a type for each thing a caller would do differently.

        Example:
            >>> from agb._core.sessions import session_calls
            >>> reply = agb.client.send(session_calls.get_session(session.session_id))
            >>> reply.status_code
            200
        """
        url, key = self._where(call)
        sending = Sending(call, url, key, self._timeout_s)
        with tracing.span(call.name, call.method, path=call.path) as span:
            try:
                reply = delivered(sending, self._max_retries, lambda: self._attempt(sending))
            except AGBError as error:
                tracing.end(span, sending.attempts, error)
                raise
            tracing.end(span, sending.attempts, reply)
        return reply

    def close(self) -> None:
        """Close the connections that this client made; an injected HTTP client stays open.

        Example:
            >>> from agb import AGB
            >>> other = AGB.local()
            >>> other.client.close()
        """
        self._closed = True
        self._connections.close()
        self._store_connections.close()

    def _httpx_client(self) -> httpx.Client:
        """Return the HTTP client that opens a stream."""
        return self._http_client or self._http_clients.for_one_stream()

    def _take(self, step: Step) -> Any:  # noqa: ANN401  (each kind of step has its own)
        if isinstance(step, Call):
            return self.send(step)
        if isinstance(step, Batch):
            return send_together(self.send, step)
        if isinstance(step, Work):
            return step.action()
        time.sleep(step.seconds)
        return None

    def _where(self, call: Call) -> tuple[str, str]:
        """Return the URL of the service and the key to it; start the embedded one if need be."""
        if not self._is_local:
            return self._base_url, self._api_key
        server = embedded.running()
        if server is None:
            server = run_in_thread(embedded.server, call.starts_server)
        return server.endpoint, server.api_key

    def _attempt(self, sending: Sending) -> Reply:
        """Send a call once, within the time it has, and say in a debug line how that ended."""
        call = sending.call
        began = time.monotonic()
        # The first attempt has the whole of it, to the last digit.
        spent_s = sending.spent_s() if sending.attempts else 0.0
        sending.attempts += 1
        status, request_id = "no reply", ""
        try:
            response, content = self._exchanged(sending, spent_s)
            status = f"HTTP {response.status_code}"
            request_id = response.headers.get("x-request-id", "")
            wait = retry.retry_after(response.headers)
            reply = replies.read(call, response.status_code, request_id, content, wait)
            request_id = reply.request_id
        except AGBError as error:
            request_id = error.request_id or request_id
            if error.status_code is None:
                status = type(error).__name__
            raise
        finally:
            _logger.debug(
                "%s %s%s: %s, request id %s, %.0f ms, attempt %d",
                call.method,
                call.path,
                f" {call.name}" if call.is_tool else "",
                status,
                request_id,
                (time.monotonic() - began) * 1000,
                sending.attempts,
            )
        return reply

    def _exchanged(
        self, sending: Sending, spent_s: float
    ) -> tuple[Response | httpx.Response, bytes]:
        """Exchange a request for its reply, and translate what the network has to say."""
        seconds = retry.allowance_s(sending.call, sending.timeout_s, spent_s)
        client, request = self._prepared(sending, seconds)
        try:
            return exchange(client, request, seconds)
        except (TimeoutError, _httpx().HTTPError) as error:
            from .._io.httpx_errors import translated, without_request

            died = run_in_thread(embedded.failure) if self._is_local else None
            call, url = sending.call, sending.url
            raise died or translated(call, url, seconds, error) from without_request(error)

    def _prepared(self, sending: Sending, seconds: float) -> tuple[Pool | httpx.Client, Any]:
        """Return the HTTP client to use and the request, in its own form, that it has to send."""
        call, url = sending.call, sending.url
        limit = min(seconds, sending.timeout_s)
        connect = min(seconds, call.connect_timeout_s) if call.connect_timeout_s else limit
        try:
            client = self._http_client or self._connections.client()
            request = client.build_request(
                call.method,
                url + call.target,
                content=call.content,
                headers={
                    "Authorization": f"Bearer {sending.key}",
                    "Content-Type": "application/json",
                    "User-Agent": _USER_AGENT,
                },
                # To connect, to read, to write, and to wait for a connection.
                timeout=(connect, seconds, limit, limit),
            )
        except (ValueError, ImportError, OSError, _httpx().InvalidURL) as error:
            # A host name that is none, or a setting of the environment: a proxy, a certificate.
            raise APIConnectionError(
                f"{call.method} {call.path} at {url} can't be sent"
                f" ({type(error).__name__}: {error}); check the endpoint and the proxy settings"
            ) from error
        return client, request


def _httpx() -> ModuleType:
    """Import httpx where it is needed: an `except` clause asks only after something went wrong."""
    import httpx

    return httpx
