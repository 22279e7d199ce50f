"""The server's end of a stream, by a script: each step does one thing, right or wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Pong,
    Request,
    TextMessage,
)

from .server import Connection, HungUp, envelope, http


class Stream:
    """One WebSocket of a client that has been taken."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._protocol = WSConnection(ConnectionType.SERVER)
        self._events: list[Any] = []
        self._name = ""
        self._number = 0
        request = self.event(Request)
        connection.server.headers = {
            name.decode().lower(): value.decode() for name, value in request.extra_headers
        }
        connection.server.requests.append(f"stream {request.target}")

    def accept(self) -> None:
        self.connection.send(self._protocol.send(AcceptConnection()))

    def asked(self) -> dict[str, Any]:
        """Read what the client asks for."""
        frame = json.loads(self.event(TextMessage).data)
        self._name = frame["invocationId"]
        self.connection.server.bodies.append(json.dumps(frame["data"]))
        return frame

    def event(self, kind: type[Any]) -> Any:
        """Read on until there is an event of a kind."""
        while True:
            while self._events:
                event = self._events.pop(0)
                if isinstance(event, kind):
                    return event
            self._protocol.receive_data(self.connection.receive())
            self._events += self._protocol.events()

    def tell(self, **data: object) -> None:
        """Send a frame of the stream."""
        self._number += 1
        frame = {"invocationId": self._name, "source": "s", "target": "SDK", "data": data}
        self.say(TextMessage(json.dumps(frame)))

    def stdout(self, chunk: str) -> None:
        self.tell(phase="event", seq=self._number, eventType="stdout", chunk=chunk)

    def end(self) -> None:
        self.tell(phase="end", status="finished", executionCount=1, executionTime=0.1)

    def say(self, event: Any) -> None:
        self.connection.send(self._protocol.send(event))


Step = Callable[[Stream], None]


def stream(*steps: Step) -> Callable[[Connection], None]:
    """A fault of the server: take the stream of a client, and then go by the steps."""

    def serve(connection: Connection) -> None:
        taken = Stream(connection)
        taken.accept()
        taken.asked()
        connection.server.asked.release()
        for step in steps:
            step(taken)

    return serve


def in_turn(*faults: Callable[[Connection], None]) -> Callable[[Connection], None]:
    """Do another thing with each connection, then hang up."""
    remaining = iter(faults)

    def serve(connection: Connection) -> None:
        next(remaining)(connection)
        raise HungUp

    return serve


def refuse(status: str, body: bytes, *headers: str) -> Callable[[Connection], None]:
    """A fault of the server: answer a request for a stream by HTTP."""

    def serve(connection: Connection) -> None:
        while b"\r\n\r\n" not in connection.receive():
            pass
        connection.send(http(status, body, *headers))
        raise HungUp

    return serve


def silent(connection: Connection) -> None:
    """Never answer the request for a stream."""
    connection.server.asked.release()
    connection.until_hang_up()


def begun(taken: Stream) -> None:
    taken.stdout("begun\n")


def ended(taken: Stream) -> None:
    taken.end()


def waits(taken: Stream) -> None:
    taken.connection.until_hang_up()


def drips(taken: Stream) -> None:
    while not taken.connection.server.stopping.wait(0.01):
        taken.say(Ping())
    raise HungUp


def hangs_up(taken: Stream) -> None:
    raise HungUp


def breaks(taken: Stream) -> None:
    # What was sent before is lost in a broken connection, unless it was read.
    pings(taken)
    taken.connection.reset()


def closes(taken: Stream) -> None:
    taken.say(CloseConnection(1011, "out of memory"))
    taken.connection.until_hang_up()


def says_nonsense(taken: Stream) -> None:
    taken.say(TextMessage("no frame"))
    taken.connection.until_hang_up()


def breaks_the_protocol(taken: Stream) -> None:
    taken.connection.send(b"\xff" * 100)
    taken.connection.until_hang_up()


def says_too_much(taken: Stream) -> None:
    for _ in range(3):
        taken.say(TextMessage("x" * 400, message_finished=False))
    taken.connection.until_hang_up()


def speaks_in_bytes(taken: Stream) -> None:
    frame = {"invocationId": taken._name, "data": {"phase": "end", "status": "finished"}}
    taken.say(BytesMessage(json.dumps(frame).encode()))


def pings(taken: Stream) -> None:
    taken.say(Ping(b"there?"))
    assert bytes(taken.event(Pong).payload) == b"there?"


def is_pinged(taken: Stream) -> None:
    taken.say(taken.event(Ping).response())


def is_left(taken: Stream) -> None:
    taken.event(CloseConnection)
    taken.connection.server.hang_ups.release()


NOT_FOUND = envelope(None, success=False, code="InvalidSession.NotFound", message="gone")
WRONG_TOKEN = envelope(None, success=False, code="InvalidToken", message="wrong token")
