"""Code that runs while its output is read."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING

from .._core.code import stream_request
from .._core.code.results import EnhancedCodeExecutionResult
from .._core.code.stream_events import CodeStreamEvent
from .._core.code.stream_fold import StreamFold
from .._core.code.stream_request import Route
from .._core.exceptions import AGBError, CommandError
from .._io import tracing
from .web_socket import AsyncWebSocket, open_web_socket

if TYPE_CHECKING:
    from opentelemetry.trace import Span
    from typing_extensions import Self

    from .session import AsyncBaseSession

_logger = logging.getLogger("agb")


class AsyncCodeStream:
    """A run of code whose output is told while it runs: what `code.stream` gives.

    `async for` gives its events in order, an `EndEvent` as the last, and `result` is then that of
    the whole run. Nothing is raised for what the service, the network or the code did: a stream
    that fails gives an `ErrorEvent` and an `EndEvent` whose result says why.

    The code is sent when the first event is asked for. Use it in `async with`: leaving the block,
    or being cancelled in it, closes the connection, upon which the local server interrupts code
    that still runs. The cloud has no such signal; there it goes on to its own time limit.

    Example:
        >>> async with session.code.stream("print('one')", "python") as stream:
        ...     names = [type(event).__name__ async for event in stream]
        >>> names, stream.result.success
        (['StdoutEvent', 'EndEvent'], True)
    """

    __module__ = "agb"

    def __init__(
        self, session: AsyncBaseSession, code: str, language: str, timeout_s: float
    ) -> None:
        self._session = session
        self._code = code
        self._language = language
        self._timeout_s = timeout_s
        self._id = os.urandom(16).hex()
        self._fold = StreamFold(self._id)
        self._events: deque[CodeStreamEvent] = deque()
        self._socket: AsyncWebSocket | None = None
        self._closed = False
        self._began = 0.0
        self._span: Span | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(session_id={self._session.session_id!r})"

    @property
    def result(self) -> EnhancedCodeExecutionResult:
        """The result of the run; of one that has not ended, a failed result that says so.

        Of an output that is very long it has the beginning; events are always complete.

        Example:
            >>> async with session.code.stream("6 * 7", "python") as stream:
            ...     events = [event async for event in stream]
            >>> stream.result.result
            '42'
        """
        return self._fold.outcome()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> CodeStreamEvent:
        while not self._events:
            if self._closed:
                raise StopAsyncIteration
            await self._advance()
        return self._events.popleft()

    async def aclose(self) -> None:
        """Close the stream; code that still runs in the local server is interrupted.

        Example:
            >>> stream = session.code.stream("while True: print('again')", "python")
            >>> async for event in stream:
            ...     break
            >>> await stream.aclose()
            >>> stream.result.success
            False
        """
        self._closed = True
        self._events.clear()
        await self._hang_up()

    async def _advance(self) -> None:
        """Take one frame; whatever ends the stream closes its connection."""
        try:
            if self._socket is None:
                self._began = time.monotonic()
                self._span = tracing.begin("stream run_code")
                self._socket = await self._opened()
            self._events += self._fold.feed(await self._socket.receive())
        except AGBError as error:
            self._events += self._fold.fail(error)
        except BaseException:
            await self.aclose()
            raise
        if self._fold.result is not None:
            self._closed = True
            await self._hang_up(politely=True)

    async def _opened(self) -> AsyncWebSocket:
        """Open the connection and send the code."""
        session = self._session
        client = session.get_client()
        request, learned = await client.run(
            stream_request.prepare(
                session.session_id,
                Route(session.ws_url, session.token, session.tool_list),
                session.agb.endpoint,
                self._id,
                self._code,
                self._language,
                self._timeout_s,
            )
        )
        if learned is not None:
            session._describe(learned)
        socket = await open_web_socket(client, request)
        self._socket = socket
        await socket.send(request.frame)
        return socket

    async def _hang_up(self, *, politely: bool = False) -> None:
        socket, self._socket = self._socket, None
        try:
            if socket is not None:
                await socket.aclose(politely=politely)
        finally:
            self._tell_end()

    def _tell_end(self) -> None:
        """Say in a debug line, and to whoever traces, how the stream ended; once."""
        began, self._began = self._began, 0.0
        if not began:
            return
        result = self._fold.result
        request_id = (result.request_id if result else "") or self._id
        error = None if result is None else result.exception
        _logger.debug(
            "stream run_code: %s, request id %s, %.0f ms",
            "left" if result is None else type(error).__name__ if error else "ended",
            request_id,
            (time.monotonic() - began) * 1000,
        )
        # That the code failed is no failure of the call.
        lost = None if isinstance(error, CommandError) else error
        tracing.finish(self._span, request_id, lost)
