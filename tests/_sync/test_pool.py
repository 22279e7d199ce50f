"""Kept connections: which one a call takes, and what becomes of the others."""

from __future__ import annotations

import gzip
import socket
import threading

import httpx
import pytest

from agb import AGB, Config
from agb._sync.pool import Pool

TIMEOUT = (5.0, 5.0, 5.0, 5.0)
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Wire:
    """A listening socket that answers each request with the next of some replies."""

    def __init__(self):
        self.replies = []
        self.requests = []
        self.connections = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/x?y=1"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection:
            while received := connection.recv(65_536):
                self.requests.append(received)
                reply = self.replies.pop(0) if self.replies else REPLY
                connection.sendall(reply)
                if not reply.startswith(b"HTTP") or b"close" in reply:
                    return

    def close(self):
        self._listening.close()


@pytest.fixture
def wire():
    """A server whose replies the test writes by hand."""
    server = Wire()
    yield server
    server.close()


@pytest.fixture
def pool():
    """A pool, closed at the end."""
    made = Pool()
    yield made
    made.close()


def request(pool, url, content=b"{}"):
    """Make a POST request."""
    return pool.build_request("POST", url, content=content, headers={"A": "b"}, timeout=TIMEOUT)


def test_a_request_leaves_in_one_piece(pool, wire):
    """Head and body of a request are one packet, with the headers of HTTP and the caller's."""
    response = pool.send(request(pool, wire.url))

    host = wire.url.split("/")[2].encode()
    assert (response.status_code, response.content) == (200, b"ok")
    assert wire.requests == [
        b"POST /x?y=1 HTTP/1.1\r\nHost: %b\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n"
        b"A: b\r\nContent-Length: 2\r\n\r\n{}" % host
    ]


def test_a_request_without_a_body_says_nothing_of_one(pool, wire):
    """A request without content has no length."""
    pool.send(request(pool, wire.url, None))

    assert b"Content-Length" not in wire.requests[0]


def test_calls_one_after_the_other_use_one_connection(pool, wire):
    """A thousand calls in a row use one connection."""
    for _ in range(1000):
        pool.send(request(pool, wire.url))

    assert wire.connections == 1


def test_a_connection_that_the_server_closed_is_not_used_again(pool, wire):
    """A connection that the server closed after its reply is replaced by a new one."""
    wire.replies = [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"]

    for _ in range(2):
        pool.send(request(pool, wire.url))

    assert wire.connections == 2


def test_a_broken_reply_is_the_error_of_httpx(pool, wire):
    """What httpcore raises arrives under the same name from httpx, and the next call works."""
    wire.replies = [b"nonsense\r\n\r\n"]

    with pytest.raises(httpx.RemoteProtocolError):
        pool.send(request(pool, wire.url))

    assert (pool.send(request(pool, wire.url))).content == b"ok"
    assert wire.connections == 2


def test_a_compressed_reply_is_read(pool, wire):
    """A body that the server compressed is given as it was."""
    body = gzip.compress(b"text" * 1000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    wire.replies = [head % len(body) + body, head % 4 + b"text"]

    response = pool.send(request(pool, wire.url))

    assert response.content == b"text" * 1000
    with pytest.raises(httpx.DecodingError):
        pool.send(request(pool, wire.url))


def test_a_large_reply_is_read_whole(pool, wire):
    """A reply of many packets is read to its end."""
    body = bytes(range(256)) * 20_000
    wire.replies = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body]

    response = pool.send(request(pool, wire.url))

    assert response.content == body


def test_another_service_gets_its_own_connection(pool, wire):
    """A connection is used for the address it leads to only, and closed otherwise."""
    other = Wire()

    for url in (wire.url, other.url, wire.url):
        pool.send(request(pool, url))

    assert (wire.connections, other.connections) == (2, 1)
    other.close()


def test_connections_left_over_are_closed(wire):
    """Connections that were idle for too long are closed when a call ends."""
    pool = Pool(idle_s=0.0)

    pool.send(request(pool, wire.url))

    assert not pool._idle


def test_a_call_that_outlives_its_client_leaves_nothing_open(pool, wire):
    """A connection given back to a closed pool is closed."""
    pool.is_closed = True

    pool.send(request(pool, wire.url))

    assert not pool._idle


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("http://api.test/a", b"api.test", b"/a"),
        ("https://api.test:443/a?b", b"api.test", b"/a?b"),
        ("http://api.test:8080/", b"api.test:8080", b"/"),
        ("http://[::1]:80/", b"[::1]", b"/"),
        ("http://[::1]:81/", b"[::1]:81", b"/"),
        ("http://bücher.test/", b"xn--bcher-kva.test", b"/"),
    ],
)
def test_an_address_is_what_the_url_says(url, host, target, pool):
    """Host, port and target come from the URL; the port is told where it is not the usual one."""
    made = request(pool, url)

    assert made.headers[0] == (b"Host", host)
    assert made.url.target == target


def test_certificates_are_read_once(pool):
    """All pools of a process share what they know of certificates."""
    other = Pool()

    for each in (pool, other):
        request(each, "https://api.test/")

    assert pool._ssl_context is not None
    assert pool._ssl_context is other._ssl_context
    other.close()


def test_an_encrypted_service_is_asked_encrypted(wire):
    """A service at an https address gets a TLS greeting, and one that knows none is an error."""
    wire.replies = [b"plain text, no TLS"]
    agb = AGB("test-key", Config(endpoint=wire.url.split("/x")[0].replace("http", "https")))

    result = agb.create()

    assert "ConnectError" in result.error_message
    assert wire.requests[0].startswith(b"\x16\x03")
    agb.close()
