"""Messages between two processes: four bytes of length, then JSON in UTF-8."""

from __future__ import annotations

import json
import os
import struct
import threading

HEADER = struct.Struct(">I")
Message = dict[str, object]


class FrameError(Exception):
    """The other side sent what is not a message, or a message is too long to be sent."""


def encode(message: Message, limit: int) -> bytes:
    """Turn a message into the bytes of one frame.

    Args:
        message: JSON values; text that no UTF-8 can hold becomes U+FFFD.
        limit: The longest frame allowed, in bytes.

    Raises:
        FrameError: The frame would be longer.
    """
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    try:
        body = text.encode()
    except UnicodeEncodeError:
        # A lone surrogate: half a character of a program's output, or a file name that is not text.
        body = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
    if len(body) > limit:
        raise FrameError(f"a message of {len(body)} bytes is over the limit of {limit} bytes")
    return HEADER.pack(len(body)) + body


def length_of(header: bytes, limit: int) -> int:
    """Read the length of the body that follows, refusing one over the limit."""
    (length,) = HEADER.unpack(header)
    if length > limit:
        raise FrameError(f"a message of {length} bytes is over the limit of {limit} bytes")
    return int(length)


def decode(body: bytes) -> Message:
    """Read the body of one frame."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FrameError("a message is not JSON") from error
    if not isinstance(message, dict):
        raise FrameError("a message is not a JSON object")
    return message


class Decoder:
    """Cuts a stream of bytes into messages."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Take in what was read and return the messages that are complete."""
        self._buffer += data
        messages: list[Message] = []
        while len(self._buffer) >= HEADER.size:
            end = HEADER.size + length_of(bytes(self._buffer[: HEADER.size]), self._limit)
            if len(self._buffer) < end:
                break
            messages.append(decode(bytes(self._buffer[HEADER.size : end])))
            del self._buffer[:end]
        return messages


class Channel:
    """Messages over blocking file descriptors; any thread may send, one receives."""

    def __init__(self, reading: int, writing: int, limit: int) -> None:
        self._reading = reading
        self._writing = writing
        self._limit = limit
        self._sending = threading.Lock()

    def send(self, message: Message) -> None:
        """Write one message."""
        frame = memoryview(encode(message, self._limit))
        with self._sending:
            while frame:
                frame = frame[os.write(self._writing, frame) :]

    def receive(self) -> Message | None:
        """Wait for one message; None at the end of the stream."""
        header = self._read(HEADER.size)
        if header is None:
            return None
        body = self._read(length_of(header, self._limit))
        return None if body is None else decode(body)

    def _read(self, size: int) -> bytes | None:
        """Read exactly so many bytes; None when the stream ends before."""
        parts: list[bytes] = []
        while size > 0:
            part = os.read(self._reading, min(size, 1 << 20))
            if not part:
                return None
            parts.append(part)
            size -= len(part)
        return b"".join(parts)
