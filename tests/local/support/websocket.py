"""The client's end of a WebSocket, as small as a test needs it."""

from __future__ import annotations

import json
import socket
from typing import Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)

__all__ = ["BytesMessage", "Refused", "WebSocket", "run_code"]


class Refused(Exception):
    """The server did not take the connection."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.envelope = json.loads(body) if body else None


class WebSocket:
    """A connection that the server took."""

    def __init__(self, address: str, path: str, token: str | None) -> None:
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=30)
        self._protocol = WSConnection(ConnectionType.CLIENT)
        headers = [] if token is None else [(b"X-Access-Token", token.encode())]
        self._events: list[Event] = []
        self._send(Request(host=address, target=path, extra_headers=headers))
        answer = self._next()
        if isinstance(answer, RejectConnection):
            body, part = b"", answer
            while answer.has_body and not getattr(part, "body_finished", False):
                part = self._next()
                assert isinstance(part, RejectData)
                body += part.data
            self.socket.close()
            raise Refused(answer.status_code, body)
        assert isinstance(answer, AcceptConnection)

    def __enter__(self) -> WebSocket:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, message: object) -> None:
        """Send a frame: bytes and text as they are, everything else as JSON."""
        is_raw = isinstance(message, str | bytes)
        self._send(Message(data=message if is_raw else json.dumps(message)))

    def receive(self) -> dict[str, Any]:
        """Receive a frame."""
        text = ""
        while True:
            event = self._next()
            assert isinstance(event, TextMessage), event
            text += event.data
            if event.message_finished:
                return json.loads(text)

    def closing(self) -> tuple[int, str]:
        """Receive the end: its code and reason."""
        while not isinstance(event := self._next(), CloseConnection):
            assert isinstance(event, TextMessage)
        return event.code, event.reason or ""

    def until_end(self, stream: str) -> list[dict[str, Any]]:
        """Receive the data of one stream to its end; all of it must be of that stream."""
        told: list[dict[str, Any]] = []
        while not told or told[-1]["phase"] != "end":
            frame = self.receive()
            assert frame["invocationId"] == stream
            told.append(frame["data"])
        return told

    def _send(self, event: Event) -> None:
        self.socket.sendall(self._protocol.send(event))

    def _next(self) -> Event:
        while not self._events:
            data = self.socket.recv(65_536)
            self._protocol.receive_data(data or None)
            self._events += self._protocol.events()
        return self._events.pop(0)


def run_code(stream: str, code: str, **params: object) -> dict[str, Any]:
    """The frame with which the official client 0.12.0 runs code."""
    given = {"language": "python", "timeoutS": 30, "code": code, **params}
    data = {"method": "run_code", "mode": "stream", "params": given}
    return {"invocationId": stream, "source": "SDK", "target": "wuying_codespace", "data": data}
