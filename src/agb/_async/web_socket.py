"""A WebSocket of its own for each stream: opened by httpx, framed by `_io/frames`.

It reads only when it is asked to. So there is no task and no thread behind it, one who reads
slowly slows the other side down, and whoever stops reading just closes it.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .._core.code import stream_request
from .._core.code.stream_request import StreamRequest
from .._core.exceptions import AGBError, APIConnectionError, APIError, APITimeoutError
from .._core.version import __version__
from .._core.wire import replies, retry
from .._core.wire.call import Call
from .._io import embedded
from .._io.frames import Frames
from .._io.secret_addresses import secret_address
from .._pair.shielding import async_shielded
from .._pair.threads import async_run_in_thread
from .._pair.upgrade import async_upgrade
from .sending import Sending, delivered

if TYPE_CHECKING:
    import httpx

    from .client import AsyncClient

_GOODBYE_S = 1.0
_READ_BYTES = 1 << 16
_SWITCHED = 101
_USER_AGENT = f"agb-python/{__version__}"

_logger = logging.getLogger("agb")


class AsyncWebSocket:
    """One open WebSocket.

    Args:
        response: The response that switched to it.
        frames: Its frames.
        url: Where, for messages.
        left_s: How long it may be waited for, all in all, in seconds. What the program does
            between two messages does not count.
        limit_s: The time from which that was left.
    """

    def __init__(
        self, response: httpx.Response, frames: Frames, url: str, left_s: float, limit_s: float
    ) -> None:
        self._response = response
        # Any: httpcore's stream, whose type differs by colour.
        self._stream: Any = response.extensions["network_stream"]
        self._frames = frames
        self._url = url
        self._left_s = left_s
        self._limit_s = limit_s
        self._is_asked = False
        self._process = os.getpid()

    async def send(self, message: str) -> None:
        """Send a message.

        Raises:
            AGBError: It can't be sent.
        """
        await self._write(self._frames.text(message))

    async def receive(self) -> str:
        """Receive the next message.

        Raises:
            AGBError: There is none, or not in time.
        """
        while (message := self._frames.next_message()) is None:
            await self._take_in(await self._read())
        return message

    async def aclose(self, *, politely: bool = False) -> None:
        """Close the connection; the local server then ends what still runs.

        Args:
            politely: Say goodbye before, to a side that listens.
        """
        with async_shielded(_GOODBYE_S):
            # A forked child only lets go of it: the connection is its parent's.
            if politely and self._process == os.getpid():
                with suppress(AGBError):
                    await self._write(self._frames.close())
            await self._response.aclose()

    async def _read(self) -> bytes | None:
        """Read what comes, None if nothing came for a while."""
        import httpcore

        if self._left_s <= 0:
            raise APITimeoutError(
                f"The stream from {self._url} did not end in time: {self._limit_s:g} s; the code"
                " may have run, in part or to its end",
                outcome_unknown=True,
            )
        began = time.monotonic()
        try:
            data: bytes = await self._stream.read(
                _READ_BYTES, timeout=min(self._left_s, stream_request.PING_INTERVAL_S)
            )
        except httpcore.ReadTimeout:
            return None
        except (httpcore.NetworkError, OSError) as error:
            raise self._lost(f"{type(error).__name__}: {error}") from error
        finally:
            self._left_s -= time.monotonic() - began
        return data

    async def _take_in(self, data: bytes | None) -> None:
        """Take in what came; where nothing did, ask for a sign of life or give up without one."""
        if data is not None:
            self._is_asked = False
            await self._write(self._frames.feed(data))
        elif self._is_asked:
            silent_s = 2 * stream_request.PING_INTERVAL_S
            raise self._lost(f"nothing was heard of it for {silent_s:g} s")
        else:
            self._is_asked = True
            await self._write(self._frames.ping())

    async def _write(self, data: bytes) -> None:
        import httpcore

        if data:
            try:
                await self._stream.write(data, timeout=max(_GOODBYE_S, self._left_s))
            except (httpcore.NetworkError, httpcore.TimeoutException, OSError) as error:
                raise self._lost(f"{type(error).__name__}: {error}") from error

    def _lost(self, reason: str) -> APIConnectionError:
        return APIConnectionError(
            f"The stream from {self._url} broke ({reason}); the code may have run, in part or to"
            " its end",
            outcome_unknown=True,
        )


async def open_web_socket(client: AsyncClient, request: StreamRequest) -> AsyncWebSocket:
    """Open the WebSocket of a stream; try again where that may help, as no code has been sent.

    Args:
        client: The client of the session.
        request: Where, and with which token.

    Returns:
        The WebSocket; nothing has been sent over it.

    Raises:
        AGBError: The service did not take it.
    """
    seconds = request.allowance_s(client._config.timeout_ms / 1000)
    sending = Sending(Call("GET", request.path), request.origin, request.token, seconds)
    try:
        response, frames = await delivered(
            sending, client._max_retries, lambda: _attempt(client, request, sending)
        )
    except AGBError as error:
        # Whatever it is, no code has been sent.
        error.outcome_unknown = False
        raise
    where = request.origin + request.path
    return AsyncWebSocket(response, frames, where, sending.left_s(), seconds)


async def _attempt(
    client: AsyncClient, request: StreamRequest, sending: Sending
) -> tuple[httpx.Response, Frames]:
    """Ask for a WebSocket once, and say in a debug line how that ended."""
    began = time.monotonic()
    # The first attempt has the whole of it, to the last digit.
    seconds = sending.left_s() if sending.attempts else sending.timeout_s
    sending.attempts += 1
    frames = Frames(request.origin + request.path)
    status, request_id = "no reply", ""
    try:
        response = await _handshake(client, request, frames, seconds)
        status, request_id = "open", response.headers.get("x-request-id", "")
    except AGBError as error:
        request_id = error.request_id
        status = f"HTTP {error.status_code}" if error.status_code else type(error).__name__
        raise
    finally:
        _logger.debug(
            # Of the address only the host: what comes after it may be as good as a key.
            "stream from %s: %s, request id %s, %.0f ms, attempt %d",
            request.origin,
            status,
            request_id,
            (time.monotonic() - began) * 1000,
            sending.attempts,
        )
    return response, frames


async def _handshake(
    client: AsyncClient, request: StreamRequest, frames: Frames, seconds: float
) -> httpx.Response:
    """Ask for a WebSocket and check that the answer is one."""
    import httpx

    from .._io.httpx_errors import translated, without_request

    call, url = Call("GET", request.path), request.origin
    headers = {**frames.handshake(), "X-Access-Token": request.token, "User-Agent": _USER_AGENT}
    try:
        connection = client._httpx_client()
        asked = connection.build_request("GET", request.url, headers=headers, timeout=seconds)
        with secret_address():
            is_ours = client._http_client is None
            response = await async_upgrade(connection, asked, seconds, is_ours=is_ours)
    except (TimeoutError, httpx.HTTPError) as error:
        died = await async_run_in_thread(embedded.failure) if client._is_local else None
        raise died or translated(call, url, seconds, error) from without_request(error)
    except (ValueError, ImportError, OSError, httpx.InvalidURL) as error:
        raise APIConnectionError(
            f"The stream at {url} can't be opened ({type(error).__name__}: {error});"
            " check the endpoint and the proxy settings"
        ) from error
    if not frames.is_accepted(response.headers.get("sec-websocket-accept", "")):
        await response.aclose()
        request_id = response.headers.get("x-request-id", "")
        if response.status_code != _SWITCHED:
            wait = retry.retry_after(response.headers)
            replies.read(call, response.status_code, request_id, response.content, wait)
        raise APIError(f"What answers at {url} opened no WebSocket (HTTP {response.status_code})")
    return response
