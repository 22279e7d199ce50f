"""A tiny AGB server for measurements: it speaks just enough of the protocol, and does no work.

    python benchmarks/tiny_server.py --round-trip-ms 20

It runs in a process of its own, prints its URL as its first line, and ends when its standard input
ends. The time of a round trip is made by answering later; calls in flight at once wait at once.
`GET /connections` tells how many connections were opened so far, `GET /requests` how many requests.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import sys
from typing import Any
from urllib.parse import parse_qs

SESSIONS = 1_000


class Service:
    """What the server knows: files by path, and the limits it was told to have.

    Args:
        longest_body: The longest request body it takes, in bytes, like a gateway's limit.
        longest_range: The longest range of a file it gives, in bytes; more is an error.
    """

    def __init__(self, longest_body: int, longest_range: int) -> None:
        self.longest_body = longest_body
        self.longest_range = longest_range
        self.files: dict[str, bytearray] = {}
        self._writes: list[bytes] = []
        self.connections = 0
        self.requests = 0

    def answer(self, path: str, query: str, body: bytes) -> tuple[int, bytes]:
        """Answer one request; return the HTTP status and the body."""
        self.requests += 1
        if len(body) > self.longest_body:
            return 413, b"Request Entity Too Large"
        if path in ("/connections", "/requests"):
            return 200, str(getattr(self, path[1:])).encode()
        if path == "/sdk/ListSession":
            return 200, self._page({key: values[0] for key, values in parse_qs(query).items()})
        if body.endswith(_WRITE_FILE):
            # What is measured is the client: a write is worked off when somebody looks at the file.
            self._writes.append(body)
            return 200, _text("ok")
        if path == "/mcp":
            return 200, self._tool(json.loads(body))
        return 200, _ok({"sessionId": "s-1", "resourceUrl": ""})

    def _page(self, query: dict[str, str]) -> bytes:
        size, start = int(query["maxResults"]), int(query.get("nextToken", "0"))
        ids = range(start, min(start + size, SESSIONS))
        more = {"nextToken": str(start + size)} if start + size < SESSIONS else {}
        return _ok([{"sessionId": f"s-{number}"} for number in ids], count=SESSIONS, **more)

    def _tool(self, body: dict[str, Any]) -> bytes:
        name, given = body["name"], json.loads(body["args"])
        if name == "run_code":
            return _RUN_CODE
        self._work_off()
        file = self.files.get(given["path"], bytearray())
        if name == "get_file_info":
            return _text(f"size: {len(file)}\nisDirectory: false")
        start, length = given.get("offset", 0), given["length"]
        if length > self.longest_range:
            return _text(f"length is at most {self.longest_range}", is_error=True)
        return _text(base64.b64encode(file[start : start + length]).decode())

    def _work_off(self) -> None:
        for body in self._writes:
            given = json.loads(json.loads(body)["args"])
            file = self.files.setdefault(given["path"], bytearray())
            if given["mode"] == "overwrite":
                file.clear()
            file += given["content"].encode()
        self._writes.clear()


def _ok(data: object, **siblings: object) -> bytes:
    envelope = {"requestId": "R-1", "success": True, "code": "ok", "message": None, "data": data}
    return json.dumps({**envelope, **siblings}).encode()


def _text(text: str, *, is_error: bool = False) -> bytes:
    return _ok({"content": [{"type": "text", "text": text}], "isError": is_error})


# How the body of such a request ends, in the spelling of `json.dumps`.
_WRITE_FILE = b'"name": "write_file"}'
_RUN_CODE = _text(
    json.dumps(
        {
            "result": [{"text/plain": "42", "isMainResult": True}],
            "stdout": [],
            "stderr": [],
            "execution_count": 1,
            "execution_time": 0.001,
            "executionError": None,
        }
    )
)


class Connection(asyncio.Protocol):
    """One connection: HTTP/1.1 with keep-alive, one request after another."""

    def __init__(self, service: Service, delay_s: float) -> None:
        self._service = service
        self._delay_s = delay_s
        self._received = bytearray()
        self._whole = self._body = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._service.connections += 1

    def data_received(self, data: bytes) -> None:
        """Collect a request, and answer it when it is whole."""
        self._received += data
        if not self._whole:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._received[:end].lower()
            _, _, length = head.partition(b"content-length:")
            self._whole = end + 4 + int(length.split(b"\r\n", 1)[0] or 0)
            self._body = end + 4
        if len(self._received) < self._whole:
            return
        target = bytes(self._received[: self._body]).split(b" ", 2)[1].decode()
        body = bytes(self._received[self._body :])
        self._received.clear()
        self._whole = 0
        path, _, query = target.partition("?")
        status, answer = self._service.answer(path, query, body)
        head = b"HTTP/1.1 %d -\r\nContent-Type: application/json\r\n" % status
        reply = b"%bContent-Length: %d\r\n\r\n%b" % (head, len(answer), answer)
        if self._delay_s:
            asyncio.get_running_loop().call_later(self._delay_s, self._transport.write, reply)
        else:
            self._transport.write(reply)


async def serve(options: argparse.Namespace) -> None:
    """Serve until the standard input ends."""
    service = Service(options.longest_body, options.longest_range)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(service, options.round_trip_ms / 1000), "127.0.0.1", 0, backlog=1024
    )
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--round-trip-ms", type=float, default=0.0)
    parser.add_argument("--longest-body", type=int, default=64 << 20)
    parser.add_argument("--longest-range", type=int, default=64 << 20)
    asyncio.run(serve(parser.parse_args()))
