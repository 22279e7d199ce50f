"""Real servers, each a process of its own."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

import pytest

from .pretending import API_KEY


class Server:
    """An `agb serve` process that has said it is ready."""

    def __init__(self, process: subprocess.Popen[str], ready: dict[str, object]) -> None:
        self.process = process
        self.ready = ready
        self.pid: int = ready["pid"]
        self.address = urlsplit(ready["endpoint"]).netloc

    def connect(self) -> socket.socket:
        host, port = self.address.rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=30)

    def head(self, line: str, body: bytes) -> bytes:
        """The head of a request as the official client 0.4.1 sends it."""
        return (
            f"{line} HTTP/1.1\r\nHost: {self.address}\r\nAccept: */*\r\n"
            f"authorization: Bearer {self.ready['api_key']}\r\n"
            "Content-Type: application/json\r\n"
            + (f"Content-Length: {len(body)}\r\n" if line.startswith("POST") else "")
            + "\r\n"
        ).encode()

    def raw(self, request: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        """Send bytes over a connection of their own and read one response."""
        with self.connect() as connection:
            connection.sendall(request)
            with http.client.HTTPResponse(connection) as response:
                response.begin()
                return response, response.read()

    def send(self, line: str, body: str = "{}") -> dict:
        """Send a request line and a body, byte for byte; return the reply's envelope."""
        content = body.encode() if line.startswith("POST") else b""
        response, answer = self.raw(self.head(line, content) + content)
        envelope = json.loads(answer)
        assert response.status == envelope["httpStatusCode"]
        assert response.headers["content-type"] == "application/json"
        assert response.headers["x-request-id"] == envelope["requestId"]
        return envelope

    def tool(self, session_id: str, name: str, arguments: str) -> dict:
        """Call a tool as the official client does: arguments as JSON text inside JSON."""
        body = json.dumps({"args": arguments, "sessionId": session_id, "name": name})
        return self.send("POST /mcp?autoGenSession=false", body)

    def text(self, session_id: str, name: str, arguments: str) -> str:
        """Call a tool that works and return its text."""
        envelope = self.tool(session_id, name, arguments)
        assert envelope["success"] is True
        assert envelope["message"] is None
        assert envelope["data"]["isError"] is False, envelope
        return envelope["data"]["content"][0]["text"]

    def create(self, version: str | None = "0.12.0") -> str:
        stats = "" if version is None else f"?sdkStats=%7B%22sdk_version%22%3A%22{version}%22%7D"
        return self.send(f"POST /mcp/createSession{stats}")["data"]["sessionId"]


StartServer = Callable[..., Server]

# No sandbox in reserve, and no Python before the first cell: hardly any test needs one.
NOTHING_AHEAD = {"AGB_LOCAL_SPARE_SANDBOXES": "0", "AGB_LOCAL_WARM_SANDBOXES": "0"}
SERVE = [sys.executable, "-m", "agb.local", "serve", "--port", "0", "--json"]


def _start(*options: str, command: Sequence[str] = SERVE, **popen: object) -> Server:
    # Tests that look at its processes know which to expect.
    popen["env"] = {**NOTHING_AHEAD, **popen.get("env", os.environ)}
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True, **popen)
    line = process.stdout.readline()
    if not line and process.wait(30) == 3:
        process.stdout.close()
        pytest.skip("this machine can't run sandboxes")
    return Server(process, json.loads(line))


def _stop(server: Server) -> None:
    server.process.terminate()
    server.process.wait(30)
    for stream in (server.process.stdout, server.process.stdin, server.process.stderr):
        if stream is not None:
            stream.close()


@pytest.fixture
def start_server() -> Iterator[StartServer]:
    """Start servers, each its own process; what a test leaves running is ended."""
    servers: list[Server] = []

    def start(*options: str, **popen: object) -> Server:
        servers.append(_start(*options, **popen))
        return servers[-1]

    yield start
    for server in servers:
        _stop(server)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One real server for all tests that only talk to it."""
    server = _start(env={**os.environ, "AGB_API_KEY": API_KEY})
    yield server
    _stop(server)


@pytest.fixture
def folder() -> Iterator[str]:
    """A path for a state folder that users without rights can pass."""
    parent = tempfile.mkdtemp()
    os.chmod(parent, 0o711)
    yield os.path.join(parent, "state")
    shutil.rmtree(parent)
