"""The time-out that knows when it ends, under blocking connections."""

from __future__ import annotations

import httpcore
import httpx
import pytest

from agb._io.deadlines import DeadlineBackend, Until, use_deadlines


@pytest.fixture
def connected(served):
    """A connection to a server that answers."""
    port = int(served.rpartition(":")[2])
    stream = DeadlineBackend().connect_tcp("127.0.0.1", port, Until(30))
    yield stream
    stream.close()


def test_a_time_out_is_a_number():
    """To whoever does not know better it is the number of seconds that it began with."""
    until = Until(30.0)

    assert until == 30.0
    assert 0 < until.left() <= 30.0


def test_what_is_over_is_over(connected):
    """When the time is over a read, a write and a handshake time out, whatever there is to read."""
    over = Until(0.0)
    context = httpx.create_ssl_context()

    with pytest.raises(httpcore.WriteTimeout):
        connected.write(b"GET / HTTP/1.1\r\n\r\n", over)
    with pytest.raises(httpcore.ReadTimeout):
        connected.read(1, over)
    with pytest.raises(httpcore.ConnectTimeout):
        connected.start_tls(context, "server.test", over)


def test_an_ordinary_time_out_stays_what_it_is(connected):
    """A plain number, and no time-out at all, reach the socket as they are."""
    connected.write(b"GET /getSession HTTP/1.1\r\n\r\n", 30.0)

    first = connected.read(4, None)

    assert first == b"HTTP"
    assert connected.get_extra_info("socket").gettimeout() is None


def test_transports_that_are_no_network_are_left_alone():
    """A client keeps a transport that has no connections; one without a proxy for a host, too."""
    mounts = {"all://here.test": None, "all://there.test": httpx.MockTransport(httpx.Response)}
    with httpx.Client(mounts=mounts) as client:
        use_deadlines(client)

        assert isinstance(client._transport._pool._network_backend, DeadlineBackend)


def test_a_network_of_the_program_is_left_alone():
    """A network that a program has put under its own client stays there."""
    network = httpcore.MockBackend([])
    with httpx.Client() as client:
        client._transport._pool._network_backend = network
        use_deadlines(client)

        assert client._transport._pool._network_backend is network
