"""What the client uses of its dependencies although they do not promise to keep it.

A release of theirs may take it away; then the test of that dependency says what is missing, who
uses it for what, and what to do. What the embedded server uses is in `tests/local`.
"""

from __future__ import annotations

from importlib.metadata import version

import anyio
import httpcore
import httpx
import pytest

from agb._io.deadlines import DeadlineBackend, Until, use_deadlines

ORIGIN = httpcore.Origin(b"http", b"a.test", 80)
# A reply, and what nobody asked for right behind it.
RECEIVED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}more"

LEFT_OVER = (
    "`_has_more` in agb/_async/pool.py reads it to close a connection on which more came than the"
    " reply, which the next call would take for its own. Have it read where such bytes are now; if"
    " they can't be seen any more, keep no connection after its reply."
)
NETWORK = (
    "`use_deadlines` in agb/_io/deadlines.py sets it so that each wait of a blocking call ends with"
    " the deadline of the call. Have it reach the network of the pool where it is now; if there is"
    " no way, say in docs/reliability.md that a blocking call of an injected client may be late."
)
REQUEST = (
    "`without_request` in agb/_io/httpx_errors.py sets it to None, as the headers of the request"
    " hold the API key and the error is kept. Have it clear where the request is now, and look with"
    " tests/_async/test_secrets.py whether any error still shows the key."
)


def part(owner, name, purpose):
    """Return an attribute of what belongs to a dependency, or fail with what its absence means."""
    if not hasattr(owner, name):
        kind = owner if isinstance(owner, type) else type(owner)
        package = kind.__module__.partition(".")[0]
        found = f"{package} {version(package)} no longer has `{kind.__name__}.{name}`"
        pytest.fail(f"{found}; {purpose}", pytrace=False)
    return getattr(owner, name)


def left_over(connection):
    """Return what came after a reply, by the way that the pools of both colours take."""
    protocol = part(connection, "_connection", LEFT_OVER)
    state = part(protocol, "_h11_state", LEFT_OVER)
    return part(state, "trailing_data", LEFT_OVER)[0]


def blocking_left_over():
    """Return what a blocking connection has left after its reply."""
    backend = httpcore.MockBackend([RECEIVED])
    with (
        httpcore.HTTPConnection(ORIGIN, network_backend=backend) as connection,
        connection.stream("GET", "http://a.test/") as reply,
    ):
        reply.read()
        return left_over(connection)


async def async_left_over():
    """Return what an async connection has left after its reply."""
    backend = httpcore.AsyncMockBackend([RECEIVED])
    async with (
        httpcore.AsyncHTTPConnection(ORIGIN, network_backend=backend) as connection,
        connection.stream("GET", "http://a.test/") as reply,
    ):
        await reply.aread()
        return left_over(connection)


def test_httpcore():
    """A connection knows what came after a reply, and a pool by which network it connects."""
    left = blocking_left_over(), anyio.run(async_left_over)
    with httpcore.ConnectionPool() as pool:
        network = part(pool, "_network_backend", NETWORK)

    assert left == (b"more", b"more"), f"httpcore hides what came after a reply; {LEFT_OVER}"
    assert type(network) is httpcore.SyncBackend, f"httpcore connects in another way; {NETWORK}"


def test_httpx():
    """A client knows its transports, these their pools; an error holds its request."""
    with httpx.Client(proxy="http://proxy.test", trust_env=False) as client:
        mounts = part(client, "_mounts", NETWORK)
        transports = (part(client, "_transport", NETWORK), *mounts.values())
        pools = [part(transport, "_pool", NETWORK) for transport in transports]
        for pool in pools:
            part(pool, "_network_backend", NETWORK)
        use_deadlines(client)
        networks = [pool._network_backend for pool in pools]
    request = httpx.Request("GET", "http://a.test/")
    holds_its_request = part(httpx.ReadError("", request=request), "_request", REQUEST) is request

    assert [type(each) for each in networks] == [DeadlineBackend] * 2, f"A proxy escapes; {NETWORK}"
    assert holds_its_request, f"httpx keeps the request of an error elsewhere; {REQUEST}"


def test_httpx_and_httpcore_hand_time_outs_on():
    """The time-out of a request reaches the network as the very object that it was given."""
    given = Until(5.0)
    seen = []

    class Stream(httpcore.MockStream):
        def read(self, max_bytes, timeout=None):
            seen.append(timeout)
            return super().read(max_bytes, timeout)

        def write(self, buffer, timeout=None):
            seen.append(timeout)

    class Network(httpcore.MockBackend):
        def connect_tcp(self, *args, timeout=None, **more):
            seen.append(timeout)
            return Stream([RECEIVED])

    with httpx.Client(trust_env=False) as client:
        pool = part(part(client, "_transport", NETWORK), "_pool", NETWORK)
        part(pool, "_network_backend", NETWORK)
        pool._network_backend = Network([])
        request = client.build_request("GET", "http://a.test/")
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write"), given)
        client.send(request)

    assert len(seen) >= 3
    assert all(timeout is given for timeout in seen), (
        "httpx or httpcore hands on other time-outs than it was given; agb/_io/deadlines.py takes"
        " from them how much of a call's time is left. Have the streams of `DeadlineBackend` learn"
        " the deadline in another way, such as a context variable."
    )
