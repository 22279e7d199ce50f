"""Streams: code whose output travels over a WebSocket while it runs.

One socket belongs to one session and carries any number of streams, told apart by the identifiers
that the client gave them. The protocol has no way to stop one: closing the socket ends them all.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..sandboxes.sandbox import Event
from ..sessions.failures import SessionNotFound
from ..sessions.manager import SessionManager
from ..settings import Settings
from ..tools.cell import Cell
from ..tools.tool_box import ToolBox
from .envelope import ApiFailure, new_request_id, render_failure
from .hang_up import end
from .refusals import refusal
from .requests import is_secret
from .stream_frames import POLICY_VIOLATION, BadFrame, Frame, read_frame
from .stream_teller import Teller

logger: logging.Logger = logging.getLogger(__name__)

STREAM_PATH = "/stream/"


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
    if not is_secret(socket.headers.get("x-access-token", ""), token):
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
                    frame = read_frame(message.get("text"))
                    if frame.id in self._streams:
                        raise BadFrame(POLICY_VIOLATION, "invocationId is in use")
                    teller = Teller(self._socket, frame)
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

    async def _stream(self, frame: Frame, teller: Teller) -> None:
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

    async def _run(self, frame: Frame, teller: Teller) -> None:
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
