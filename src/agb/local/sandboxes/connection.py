"""The server's end of the socket to one agent."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import attrs

from ..failures import SandboxError, SandboxGone, ToolError
from ..inside.frames import Decoder, FrameError, Message, encode
from .replies import is_valid, is_valid_event
from .sandbox import Event, OnEvent

if TYPE_CHECKING:
    import socket

    from ..settings import Settings

logger: logging.Logger = logging.getLogger(__name__)

_ENDED = "This session has ended: its first process was killed or has crashed"
_MISBEHAVED = "This session was closed: it sent what is no answer"
_SILENT = "This session was closed: it stopped answering"


@attrs.define(eq=False)
class _Asked:
    """A request without an answer yet.

    Attributes:
        method: What was asked.
        answer: Will be the answer.
        on_event: Takes its events.
        ahead: How many of them have not been passed on.
    """

    method: str
    answer: asyncio.Future[Message]
    on_event: OnEvent | None
    ahead: int = 0


class Connection(asyncio.Protocol):
    """Sends requests and matches the answers to them; believes nothing the agent says."""

    def __init__(self, settings: Settings, condemn: Callable[[], None]) -> None:
        """Prepare a connection.

        Args:
            settings: The limits.
            condemn: Called when the sandbox cannot be used any more and has to be ended.
        """
        self._limit = settings.inside.max_frame_bytes
        self._max_ahead = settings.inside.max_events_ahead
        self._cancel_grace_s = settings.cancel_grace_s
        self._condemn = condemn
        self._decoder = Decoder(self._limit)
        self._numbers = itertools.count(1)
        self._waiting: dict[int, _Asked] = {}
        # Cancelled requests whose answer is still to come, each with the alarm for its silence.
        self._cancelled: dict[int, asyncio.TimerHandle] = {}
        self._transport: asyncio.Transport | None = None
        self.gone: SandboxGone | None = None

    async def open(self, ours: socket.socket) -> None:
        """Take a connected socket over."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_unix_connection(lambda: self, sock=ours)
        except BaseException:
            ours.close()
            raise

    async def call(
        self,
        method: str,
        params: dict[str, object],
        timeout_s: float,
        on_event: OnEvent | None = None,
    ) -> Message:
        """Send a request and wait for its answer.

        Args:
            method: One of the agent's methods.
            params: Its parameters, JSON values.
            timeout_s: Seconds until the request is cancelled; an agent that is then still silent
                for `cancel_grace_s` is given up.
            on_event: Takes what the agent tells before it answers.

        Raises:
            ToolError: The tool said no.
            SandboxGone: The sandbox has ended.
            SandboxError: There was no answer in time.
        """
        number, answer = self._send(method, params, on_event)
        try:
            await asyncio.wait({answer}, timeout=timeout_s)
        finally:
            if not answer.done():
                self._cancel(number)
        if not answer.done():
            raise SandboxError(f"The session did not answer {method} within {timeout_s:g} s")
        return answer.result()

    def close(self, reason: str) -> None:
        """Close the connection; whoever waits for an answer hears the reason."""
        if self.gone is None:
            self.gone = SandboxGone(reason)
        for alarm in self._cancelled.values():
            alarm.cancel()
        self._cancelled.clear()
        waiting, self._waiting = self._waiting, {}
        for asked in waiting.values():
            if not asked.answer.done():
                asked.answer.set_exception(SandboxGone(str(self.gone)))
        if self._transport is not None:
            self._transport.abort()

    # ---- asyncio.Protocol ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take note of where to write."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take in a piece of the agent's answers."""
        try:
            for message in self._decoder.feed(data):
                self._receive(message)
        except FrameError as error:
            self.misbehaved(str(error))

    def misbehaved(self, how: str) -> None:
        """Have nothing more to do with an agent that does not keep to the rules."""
        logger.warning("agent: %s", how)
        self._give_up(_MISBEHAVED)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more will come."""
        self._give_up(_ENDED)

    # ---- requests and answers --------------------------------------------------------------------

    def _send(
        self, method: str, params: dict[str, object], on_event: OnEvent | None
    ) -> tuple[int, asyncio.Future[dict[str, object]]]:
        """Write a request."""
        if self.gone is not None or self._transport is None:
            raise SandboxGone(str(self.gone or _ENDED))
        number = next(self._numbers)
        try:
            frame = encode({"id": number, "method": method, "params": params}, self._limit)
        except FrameError as error:
            raise ToolError(f"The arguments are too large: {error}") from None
        answer: asyncio.Future[dict[str, object]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = _Asked(method, answer, on_event)
        self._transport.write(frame)
        return number, answer

    def _cancel(self, number: int) -> None:
        """Tell the agent that nobody waits for an answer any more."""
        if self._waiting.pop(number, None) is None or self._transport is None:
            return
        self._transport.write(encode({"id": number, "method": "cancel"}, self._limit))
        loop = asyncio.get_running_loop()
        self._cancelled[number] = loop.call_later(self._cancel_grace_s, self._give_up, _SILENT)

    def _receive(self, message: Message) -> None:
        """Take one answer, or an event before it."""
        number = message.get("id")
        if not isinstance(number, int):
            raise FrameError("an answer without a number")
        if "event" in message:
            self._receive_event(number, message["event"])
            return
        alarm = self._cancelled.pop(number, None)
        if alarm is not None:
            alarm.cancel()
            return
        asked = self._waiting.get(number)
        if asked is None:
            raise FrameError("an answer nobody asked for")
        outcome = _outcome(asked.method, message)
        # Not before: who waits for nonsense has to hear why the sandbox is closed.
        del self._waiting[number]
        if asked.answer.done():
            return
        if isinstance(outcome, ToolError):
            asked.answer.set_exception(outcome)
        else:
            asked.answer.set_result(outcome)

    def _receive_event(self, number: int, event: object) -> None:
        """Take one event."""
        if number in self._cancelled:
            return
        asked = self._waiting.get(number)
        if asked is None or asked.on_event is None or not is_valid_event(asked.method, event):
            raise FrameError("an event that has no place")
        if asked.ahead == self._max_ahead:
            raise FrameError("more events than there was room for")
        asked.ahead += 1

        def passed_on() -> None:
            asked.ahead -= 1
            if number in self._waiting and self._transport is not None:
                self._transport.write(encode({"id": number, "method": "passed_on"}, self._limit))

        asked.on_event(Event(cast("Message", event), passed_on))

    def _give_up(self, reason: str) -> None:
        """The sandbox cannot be used any more."""
        if self.gone is None:
            self.close(reason)
            self._condemn()


def _outcome(method: str, message: Message) -> dict[str, object] | ToolError:
    """Read an answer.

    Raises:
        FrameError: It is none.
    """
    if "result" in message:
        result = message["result"]
        if not is_valid(method, result):
            raise FrameError(f"a result of {method} that has not its shape")
        return cast("dict[str, object]", result)
    error = message.get("error")
    if isinstance(error, dict):
        problem = cast("dict[str, object]", error)
        text, detail = problem.get("message"), problem.get("detail", {})
        if isinstance(text, str) and isinstance(detail, dict):
            return ToolError(text, cast("dict[str, object]", detail))
    raise FrameError("an answer with neither result nor error")
