"""The frames of one WebSocket, between bytes and messages: nothing here waits or has a socket.

Built on `wsproto`, which comes with the extra `agb[stream]` and is imported only when a stream
begins.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections import deque
from typing import TYPE_CHECKING

from agb._core.exceptions import APIConnectionError, APIError, UnsupportedError

if TYPE_CHECKING:
    from wsproto.events import CloseConnection

# The key to which each server appends this has to be hashed so (RFC 6455).
_ACCEPT_SALT = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
# Characters of one message: a result with large figures.
_LONGEST_MESSAGE = 1 << 26


class Frames:
    """Turns bytes into messages, and says which bytes to answer with.

    Args:
        url: Where it comes from, for messages.
    """

    def __init__(self, url: str) -> None:
        try:
            from wsproto.connection import Connection, ConnectionType
        except ImportError as error:
            raise UnsupportedError(
                "Streaming needs more than is installed: pip install 'agb[stream]'",
                tool="run_code",
            ) from error
        self._url = url
        self._key = base64.b64encode(os.urandom(16)).decode()
        self._connection = Connection(ConnectionType.CLIENT)
        self._parts: list[str] = []
        self._length = 0
        self._messages: deque[str] = deque()
        self._end: APIError | None = None

    def handshake(self) -> dict[str, str]:
        """Return the headers with which an HTTP request asks for a WebSocket."""
        return {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": self._key,
        }

    def is_accepted(self, accept: str) -> bool:
        """Tell by its header `Sec-WebSocket-Accept` whether the other side speaks WebSocket."""
        digest = hashlib.sha1((self._key + _ACCEPT_SALT).encode(), usedforsecurity=False).digest()
        return accept == base64.b64encode(digest).decode()

    def text(self, message: str) -> bytes:
        """Return the bytes of a message to send."""
        from wsproto.events import TextMessage

        return self._connection.send(TextMessage(message))

    def ping(self) -> bytes:
        """Return the bytes that ask whether the other side is still there."""
        from wsproto.events import Ping

        return self._connection.send(Ping())

    def close(self) -> bytes:
        """Return the bytes that say goodbye; nothing if that was done."""
        from wsproto.connection import ConnectionState
        from wsproto.events import CloseConnection

        if self._connection.state is not ConnectionState.OPEN:
            return b""
        return self._connection.send(CloseConnection(1000))

    def feed(self, data: bytes) -> bytes:
        """Take in what was received, nothing at its end; return what has to be answered."""
        from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage

        answers = b""
        self._connection.receive_data(data or None)
        for event in self._connection.events():
            if isinstance(event, TextMessage):
                self._add(event.data, whole=event.message_finished)
            elif isinstance(event, BytesMessage):
                self._add(event.data.decode(errors="replace"), whole=event.message_finished)
            elif isinstance(event, Ping):
                answers += self._connection.send(event.response())
            elif isinstance(event, CloseConnection):
                # By the other side, by the end of the connection, or by what is no frame.
                self._closed(event)
        return answers

    def next_message(self) -> str | None:
        """Return the next message, None if nothing more has come.

        Raises:
            APIError: Nothing more will come.
        """
        if self._messages:
            return self._messages.popleft()
        if self._end is not None:
            raise self._end
        return None

    def _add(self, part: str, *, whole: bool) -> None:
        self._length += len(part)
        self._parts.append(part)
        if self._length > _LONGEST_MESSAGE:
            self._parts.clear()
            self._end = APIError(
                f"A message of the stream from {self._url} has over {_LONGEST_MESSAGE} characters,"
                " too many to be taken; the code may have run",
                outcome_unknown=True,
            )
        elif whole:
            self._messages.append("".join(self._parts))
            self._parts.clear()
            self._length = 0

    def _closed(self, event: CloseConnection) -> None:
        reason = f"{int(event.code)} {event.reason or ''}".strip()
        self._end = APIConnectionError(
            f"The stream from {self._url} was closed before its end ({reason}); the code may have"
            " run, in part or to its end",
            outcome_unknown=True,
        )
