"""From the bytes of two streams to pieces of text: the position, the characters, the end."""

from __future__ import annotations

import base64
import codecs
from collections import deque
from collections.abc import Mapping
from typing import Any, Literal

from agb._core.commands.process_results import ProcessOutput
from agb._core.wire.replies import Reply, objects

Stream = Literal["stdout", "stderr"]
_STREAMS: tuple[Stream, ...] = ("stdout", "stderr")


class _Text:
    """Turns the bytes of one stream into text, and holds back half a character."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def decoded(self, data: bytes, *, is_last: bool = False) -> tuple[str, bytes]:
        """Return what can be read by now, as text and as the bytes it stands for."""
        data = self._decoder.getstate()[0] + data
        self._decoder.reset()
        text = self._decoder.decode(data, is_last)
        held = self._decoder.getstate()[0]
        return text, data[: len(data) - len(held)]


class Unread:
    """What has come of the output of a process and has not been handed over yet.

    Attributes:
        cursor: The position to ask for next.
        exit_code: The exit code of the process, None as long as it is not known to have ended.
        is_over: Whether nothing more will come.
    """

    def __init__(self) -> None:
        self.cursor: int = 0
        self.exit_code: int | None = None
        self.is_over: bool = False
        self._texts: dict[Stream, _Text] = {stream: _Text() for stream in _STREAMS}
        self._pieces: deque[ProcessOutput] = deque()
        self._dropped = 0

    def take(self, reply: Reply, answer: Mapping[str, Any]) -> None:
        """Take in the answer to a question for the position where this one is.

        Raises:
            APIError: It makes no sense.
        """
        cursor, dropped = answer.get("cursor"), answer.get("dropped")
        pieces = [_piece(reply, piece) for piece in objects(answer.get("output"))]
        if not isinstance(cursor, int) or not isinstance(dropped, int) or cursor < self.cursor:
            raise reply.refused("The reply to read_process_output has no valid position")
        if dropped > 0:
            self._flush()
            self._dropped += dropped
        for stream, data in pieces:
            self._add(stream, *self._texts[stream].decoded(data))
        self.cursor = cursor
        self.exit_code = read_exit_code(answer)
        if answer.get("end") is True:
            self._flush()
            self.is_over = True
            if self._dropped:
                self._pieces.append(ProcessOutput(dropped_bytes=self._dropped))

    def next(self) -> ProcessOutput | None:
        """Hand over the next piece, None if there is none."""
        return self._pieces.popleft() if self._pieces else None

    def _flush(self) -> None:
        for stream in _STREAMS:
            self._add(stream, *self._texts[stream].decoded(b"", is_last=True))

    def _add(self, stream: Stream, text: str, data: bytes) -> None:
        if data:
            self._pieces.append(ProcessOutput(stream, text, data, self._dropped))
            self._dropped = 0


def read_exit_code(answer: Mapping[str, Any]) -> int | None:
    """Return the exit code in an answer, None if there is none."""
    value = answer.get("exit_code")
    return value if isinstance(value, int) else None


def _piece(reply: Reply, piece: Mapping[str, Any]) -> tuple[Stream, bytes]:
    for stream in _STREAMS:
        if stream == piece.get("stream"):
            try:
                return stream, base64.b64decode(piece.get("data") or "", validate=True)
            except (TypeError, ValueError):
                break
    raise reply.refused("The reply to read_process_output has output that can't be read")
