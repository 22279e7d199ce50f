"""A server on raw sockets that speaks the protocol, until it is told to go wrong."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from typing import Any


class HungUp(Exception):
    """The client closed its end."""


class Connection:
    """One connection of a client, served by a thread of its own."""

    def __init__(self, server: FaultyServer, client: socket.socket) -> None:
        self.server = server
        self.served = 0  # requests answered on this connection
        self._client = client
        self._received = b""

    def receive(self) -> bytes:
        data = self._client.recv(65_536)
        if not data:
            raise HungUp
        return data

    def request(self) -> tuple[str, dict[str, Any]]:
        """Read one whole request; return what it asks for and its JSON body."""
        while b"\r\n\r\n" not in self._received:
            self._received += self.receive()
        head, _, rest = self._received.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        self.server.headers = headers
        length = int(headers.get("content-length", "0"))
        while len(rest) < length:
            rest += self.receive()
        self._received = rest[length:]
        body = json.loads(rest[:length] or b"{}")
        path = lines[0].split(" ")[1].partition("?")[0]
        name = body["name"] if path == "/mcp" else path.rpartition("/")[2]
        self.server.requests.append(name)
        if path == "/mcp":
            self.server.bodies.append(body["sessionId"] + body["args"])
        return name, body

    def send(self, data: bytes) -> None:
        self._client.sendall(data)

    def send_last(self, data: bytes) -> None:
        """Send and hang up in one: whoever has the data knows of the end."""
        self._client.send(data, getattr(socket, "MSG_MORE", 0))
        self.close()

    def drip(self, data: bytes) -> None:
        """Send a byte now and then: far more often than a time-out, and forever."""
        while True:
            for byte in data:
                self.send(bytes([byte]))
                if self.server.stopping.wait(0.01):
                    raise HungUp

    def until_hang_up(self) -> None:
        """Do nothing until the client gives up."""
        with contextlib.suppress(OSError):
            while True:
                self.receive()
        raise HungUp

    def reset(self) -> None:
        """Break the connection: the other end reads an error, not an end."""
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise HungUp

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._client.close()


Fault = Callable[[Connection], None]


class FaultyServer:
    """Serves each connection by a fault, `times` times; after that, and without one, properly."""

    def __init__(self, fault: Fault | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[str] = []
        self.headers: dict[str, str] = {}  # of the last request
        self.bodies: list[str] = []  # of tool calls: session and arguments
        self.connections = 0
        self.hang_ups = threading.Semaphore(0)  # one for each client that closed its end
        self.asked = threading.Semaphore(0)  # one for each request whose fault begins
        self.stopping = threading.Event()
        self.times = -1
        self.fault = fault
        self._tls = tls
        self._open: set[Connection] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
        self._accepting = threading.Thread(target=self._accept)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> FaultyServer:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        self.break_all()
        for thread in self._threads:
            thread.join()

    def break_all(self) -> None:
        """Break every connection, as a server does that is started anew."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection._client.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with self._lock:
            self.connections += 1
        connection = Connection(self, client)
        try:
            if self._tls is not None:
                connection._client = self._tls.wrap_socket(client, server_side=True)
            with self._lock:
                self._open.add(connection)
            while True:
                fault = self._next_fault(connection)
                if fault is not None:
                    fault(connection)
                else:
                    connection.send(reply(*connection.request()))
                    connection.served += 1
        except HungUp:
            self.hang_ups.release()
        except (OSError, ValueError):
            pass  # the client broke the connection, or spoke something else than HTTP
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _next_fault(self, connection: Connection) -> Fault | None:
        with self._lock:
            if self.fault is None or self.times == 0:
                return None
            if getattr(self.fault, "needs_served", False) and not connection.served:
                return None
            self.times -= 1
            return self.fault


def reply(name: str, body: dict[str, Any]) -> bytes:
    """Make the reply to a request, right for every call of the API."""
    return http("200 OK", envelope(_data(name)))


def envelope(data: object, **fields: object) -> bytes:
    body = {"requestId": "R", "success": True, "code": "ok", "message": None, "data": data}
    return json.dumps({**body, **fields}).encode()


def http(status: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    length = len(body) if length is None else length
    head = [f"HTTP/1.1 {status}", f"Content-Length: {length}", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


def _data(name: str) -> object:
    texts = {"get_file_info": "size: 3\nisDirectory: false", "read_file": "YWJj"}
    if name in ("createSession", "getSession", "getMcpResource"):
        return {"sessionId": "s-1"}
    if name == "GetLabel":
        return {"labels": "{}"}
    if name == "ListSession":
        return []
    return {"content": [{"type": "text", "text": texts.get(name, "")}], "isError": False}
