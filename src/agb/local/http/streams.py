"""Streams: code whose output travels over a WebSocket while it runs.

One socket belongs to one session and carries any number of streams, told apart by the identifiers
that the client gave them. The protocol has no way to stop one: closing the socket ends them all.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import cast
from urllib.parse import urlsplit

import anyio
import attrs
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..json_values import parse, type_name
from ..sandboxes.sandbox import Event
from ..sessions.failures import SessionNotFound
from ..sessions.manager import SessionManager
from ..settings import Settings
from ..tools.tool_box import SERVER, STREAMED, ToolBox
from ..tools.tool_replies import Cell
from .envelope import ApiFailure, invalid_request, new_request_id, render_failure
from .hang_up import end
from .refusals import refusal

logger: logging.Logger = logging.getLogger(__name__)

STREAM_PATH = "/stream/"

# Reasons to close a socket, as RFC 6455 numbers them.
_UNSUPPORTED_DATA = 1003
_POLICY_VIOLATION = 1008
_LONGEST_ID = 200
# Characters of output in one frame at most.
_PIECE = 1 << 16


class BadFrame(Exception):
    """Raised for a frame that belongs to no stream, so that no stream could be told of it."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def stream_url(base_url: str, session_id: str) -> str:
    """Make the address at which a session is streamed.

    Args:
        base_url: The address under which the client reached this server.
        session_id: The session.

    Returns:
        A WebSocket URL.
    """
    address = urlsplit(base_url)
    scheme = "wss" if address.scheme == "https" else "ws"
    return f"{scheme}://{address.netloc}{STREAM_PATH}{session_id}"


def serve_streams(
    sessions: SessionManager, tools: ToolBox, settings: Settings
) -> Callable[[WebSocket], Awaitable[None]]:
    """Make the endpoint of all streams.

    Args:
        sessions: The sessions of this server.
        tools: What to call in them.
        settings: The limits of the server.

    Returns:
        The handler of one socket.
    """

    async def serve(socket: WebSocket) -> None:
        session_id = socket.path_params["session_id"]
        try:
            _authorize(socket, session_id, sessions)
        except (ApiFailure, SessionNotFound) as error:
            failure = refusal(error, tool_call=True)
            response = render_failure(new_request_id(), failure, tool_call=False)
            await socket.send_denial_response(response)
            return
        with contextlib.suppress(WebSocketDisconnect):
            await socket.accept()
            await _Socket(socket, session_id, tools, settings.calls_per_session).serve()

    return serve


def _authorize(socket: WebSocket, session_id: str, sessions: SessionManager) -> None:
    token = sessions.stream_token(session_id)
    if not token:
        raise SessionNotFound(session_id)
    given = socket.headers.get("x-access-token", "")
    # Compared as bytes: `compare_digest` refuses text beyond ASCII. Headers are Latin-1.
    if not hmac.compare_digest(given.encode("latin-1"), token.encode()):
        raise ApiFailure(401, "InvalidToken", "The token of this session is missing or wrong.")


class _Socket:
    """One socket and the streams on it."""

    def __init__(
        self, socket: WebSocket, session_id: str, tools: ToolBox, max_streams: int
    ) -> None:
        self._socket = socket
        self._session_id = session_id
        self._tools = tools
        self._max_streams = max_streams
        self._streams: set[str] = set()

    async def serve(self) -> None:
        """Start streams until the client closes the socket; that ends those that still run."""
        async with anyio.create_task_group() as group:
            try:
                while (message := await self._socket.receive())["type"] != "websocket.disconnect":
                    frame = _read_frame(message.get("text"))
                    if frame.id in self._streams:
                        raise BadFrame(_POLICY_VIOLATION, "invocationId is in use")
                    teller = _Teller(self._socket, frame)
                    if len(self._streams) < self._max_streams:
                        self._streams.add(frame.id)
                        group.start_soon(self._stream, frame, teller)
                    else:
                        full = f"One socket has {self._max_streams} streams at most."
                        await teller.fail(ApiFailure(429, "TooManyStreams", full))
            except BadFrame as bad:
                await self._socket.close(bad.code, str(bad))
            finally:
                group.cancel_scope.cancel()

    async def _stream(self, frame: _Frame, teller: _Teller) -> None:
        try:
            await self._run(frame, teller)
        except WebSocketDisconnect:
            # The end of the socket ends all its streams; `serve` hears of it, too.
            pass
        except Exception as error:
            failure = refusal(error, tool_call=True)
            if failure.code == "InternalError":
                logger.exception("a stream of %s failed", self._session_id)
            with contextlib.suppress(WebSocketDisconnect):
                await teller.fail(failure)
        finally:
            self._streams.discard(frame.id)

    async def _run(self, frame: _Frame, teller: _Teller) -> None:
        method, given = frame.request()
        # At most so many as the agent has room for.
        events: asyncio.Queue[Event | None] = asyncio.Queue()
        running = asyncio.ensure_future(
            self._tools.stream(self._session_id, method, given, events.put_nowait)
        )
        running.add_done_callback(lambda _: events.put_nowait(None))
        try:
            while (event := await events.get()) is not None:
                await teller.tell(event.content)
                event.passed_on()
            cell = Cell.read(running.result())
        finally:
            await end(running)
        await teller.finish(cell)


@attrs.frozen
class _Frame:
    """A frame of the client: one request for a stream.

    Attributes:
        id: What the client calls the stream.
        source: Who it says it is.
        target: Whom it asks.
        data: What it asks.
    """

    id: str
    source: str
    target: str
    data: object

    def request(self) -> tuple[str, dict[str, object]]:
        """Read what is asked.

        Returns:
            The method and its arguments, by the names of the tool.

        Raises:
            ApiFailure: It can't be understood.
        """
        data = _object("data", self.data)
        method, mode = data.get("method"), data.get("mode", "stream")
        if not isinstance(method, str) or method not in STREAMED:
            raise invalid_request(f"method must be one of: {', '.join(STREAMED)}")
        if mode != "stream":
            raise invalid_request("mode must be: stream")
        params = _object("params", data.get("params"))
        # The one name that differs from that of the tool.
        limit = params.get("timeoutS", params.get("timeout_s"))
        return method, {**params, "timeout_s": limit}


def _read_frame(text: object) -> _Frame:
    if not isinstance(text, str):
        raise BadFrame(_UNSUPPORTED_DATA, "frames must be text")
    try:
        frame = parse(text)
    except ValueError:
        raise BadFrame(_UNSUPPORTED_DATA, "frames must be JSON") from None
    if not isinstance(frame, dict):
        raise BadFrame(_UNSUPPORTED_DATA, "frames must be JSON objects")
    fields = cast("dict[str, object]", frame)
    number = fields.get("invocationId", fields.get("requestId"))
    if not isinstance(number, str) or not 0 < len(number) <= _LONGEST_ID:
        raise BadFrame(_POLICY_VIOLATION, f"invocationId must have 1 to {_LONGEST_ID} characters")
    source, target = fields.get("source"), fields.get("target")
    return _Frame(
        number,
        source if isinstance(source, str) else "SDK",
        target if isinstance(target, str) else SERVER,
        fields.get("data"),
    )


def _object(name: str, value: object) -> dict[str, object]:
    """Take an object, or an object as JSON text."""
    if isinstance(value, str):
        try:
            value = parse(value)
        except ValueError as error:
            raise invalid_request(f"{name} is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise invalid_request(f"{name} must be a JSON object, not {type_name(value)}")
    return cast("dict[str, object]", value)


class _Teller:
    """Tells a client what happens in one stream."""

    def __init__(self, socket: WebSocket, frame: _Frame) -> None:
        self._socket = socket
        self._frame = frame
        self._trace_id = new_request_id()
        self._number = 0

    async def tell(self, event: dict[str, object]) -> None:
        """Tell what the sandbox told: a piece of output, or something shown."""
        for kind, content in event.items():
            if kind == "result":
                await self._event("result", result=_shown(cast("dict[str, object]", content)))
            else:
                await self._event(kind, chunk=content)

    async def finish(self, cell: Cell) -> None:
        """Tell the rest of a cell, and how it ended."""
        # The wire has no field for a traceback.
        for kind, texts in (("stdout", cell.stdout), ("stderr", [*cell.stderr, cell.traceback])):
            for text in texts:
                for piece in _pieces(text):
                    await self._event(kind, chunk=piece)
        for bundle in cell.bundles:
            await self.tell({"result": bundle})
        if cell.failure is not None:
            await self._error("TimeoutError" if cell.timed_out else "ExecutionError", cell.failure)
        await self._end(cell.failure, cell.count, cell.duration_s)

    async def fail(self, failure: ApiFailure) -> None:
        """Tell why the code did not run, or why nothing more of it is known."""
        await self._error(failure.code, failure.message)
        await self._end(failure.message, None, 0.0)

    async def _error(self, code: str, message: str) -> None:
        # Always an object: clients take a text for a broken protocol.
        error = {"code": code, "message": message, "traceId": self._trace_id}
        await self._event("error", error=error)

    async def _end(self, failure: str | None, count: int | None, duration_s: float) -> None:
        await self._send(
            phase="end",
            status="finished" if failure is None else "failed",
            executionCount=count,
            executionTime=duration_s,
            executionError=failure,
        )

    async def _event(self, kind: str, **content: object) -> None:
        self._number += 1
        await self._send(phase="event", seq=self._number, eventType=kind, **content)

    async def _send(self, **data: object) -> None:
        frame = self._frame
        message = {"invocationId": frame.id, "source": frame.target, "target": frame.source}
        # ASCII, so that text from a sandbox can't break the encoding, whatever it holds.
        await self._socket.send_text(json.dumps({**message, "data": data}, separators=(",", ":")))


def _shown(bundle: dict[str, object]) -> dict[str, object]:
    mime = {kind: content for kind, content in bundle.items() if kind != "isMainResult"}
    return {"isMainResult": bundle.get("isMainResult") is True, "mime": mime}


def _pieces(text: str) -> Iterable[str]:
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
