"""Connections and files that an agent hands out, also one that does not keep to the rules."""

from __future__ import annotations

import array
import os
import socket
import threading

import pytest

from agb.local.failures import SandboxGone, ToolError
from agb.local.inside.failures import ToolFailure
from agb.local.inside.handing import Handing, receive_descriptor
from agb.local.inside.paths import Home
from agb.local.inside.ports import Ports
from agb.local.inside.whole_files import WholeFiles
from agb.local.sandboxes.descriptors import Descriptors, NotHandedOut, as_connection, is_content


class Pair:
    """The server's end, and that of an agent which the test plays."""

    def __init__(self) -> None:
        self.sockets = Descriptors()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self.sockets.hand_over(ours)
            self.agent = socket.socket(fileno=receive_descriptor(theirs.fileno()))

    def send(self, number: int, *descriptors: int) -> None:
        socket.send_fds(self.agent, [number.to_bytes(8, "big")], list(descriptors))

    def take(self, number: int) -> socket.socket:
        return as_connection(self.sockets.take(number))

    def close(self) -> None:
        self.sockets.close()
        self.agent.close()


@pytest.fixture
def pair():
    pair = Pair()
    yield pair
    pair.close()


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def connection(listener):
    with socket.create_connection(listener.getsockname()) as connection:
        yield connection


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_connection_is_handed_out(pair, listener):
    """A connection made by the agent is one for the server, to the same program."""
    ports = Ports(Handing(pair.agent.fileno()))

    with pair.sockets.expect() as number:
        ports.connect_port(None, port=listener.getsockname()[1], number=number)
        connection = pair.take(number)
    with connection, listener.accept()[0] as accepted:
        accepted.sendall(b"hello")
        connection.setblocking(True)

        assert connection.recv(5) == b"hello"


def test_nothing_listens(pair, listener):
    """A port without a program is a failure in plain words, and nothing is sent."""
    port = listener.getsockname()[1]
    listener.close()

    with pytest.raises(ToolFailure, match=f"listens on port {port}"):
        Ports(Handing(pair.agent.fileno())).connect_port(None, port=port, number=1)
    with pytest.raises(NotHandedOut), pair.sockets.expect() as number:
        pair.take(number)


def test_each_gets_the_one_it_asked_for(pair, connection):
    """Connections that come in another order reach those who asked for them."""
    with pair.sockets.expect() as first, pair.sockets.expect() as second:
        pair.send(second, connection.fileno())
        pair.send(first, connection.fileno())
        taken = [pair.take(number) for number in (first, second)]

    assert len({each.fileno() for each in taken}) == 2
    for each in taken:
        each.close()


def test_what_nobody_waits_for_any_more_is_closed(pair, connection):
    """A connection whose call was cancelled is closed when the next one is taken."""
    with pair.sockets.expect() as cancelled:
        pass
    before = open_descriptors()
    with pair.sockets.expect() as abandoned, pair.sockets.expect() as number:
        pair.send(cancelled, connection.fileno())
        pair.send(abandoned, connection.fileno())
        pair.send(number, connection.fileno())
        pair.send(number, connection.fileno())
        pair.take(number).close()

    assert open_descriptors() == before


@pytest.mark.parametrize("kind", ["file", "pipe", "unix", "udp", "nothing", "two", "number"])
def test_what_is_no_connection(pair, connection, kind):
    """Anything but one TCP connection is refused, and closed."""
    reading, writing = os.pipe()
    ours, theirs = socket.socketpair()
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    file = os.memfd_create("file")
    sent = {
        "file": [file],
        "pipe": [writing],
        "unix": [theirs.fileno()],
        "udp": [datagrams.fileno()],
        "nothing": [],
        "two": [connection.fileno(), connection.fileno()],
        "number": [],
    }
    before = open_descriptors()

    with pair.sockets.expect() as number:
        if kind == "number":
            rights = array.array("i", [connection.fileno()])
            control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)]
            pair.agent.sendmsg([b"x" * 100], control)
        else:
            pair.send(number, *sent[kind])
        with pytest.raises(NotHandedOut):
            pair.take(number)

    assert open_descriptors() == before
    for each in (ours, theirs, datagrams):
        each.close()
    for descriptor in (reading, writing, file):
        os.close(descriptor)


def test_files_are_handed_out(pair, tmp_path):
    """A file is opened to be read, and one is created to take the place of another, whole."""
    files = WholeFiles(Home(str(tmp_path)), Handing(pair.agent.fileno()))
    (tmp_path / "old").write_text("old")

    with pair.sockets.expect() as first, pair.sockets.expect() as second:
        files.open_file(None, path="old", number=first)
        made = files.create_part(None, path="old", number=second)
        reading, writing = pair.sockets.take(first), pair.sockets.take(second)
    os.write(writing, b"new")
    before = (tmp_path / "old").read_text()
    files.finish_part(None, **made)

    assert is_content(reading)
    assert is_content(writing)
    assert before == os.read(reading, 10).decode() == "old"
    assert (tmp_path / "old").read_text() == "new"
    assert os.listdir(tmp_path) == ["old"]
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("path", ["/proc/self/oom_score_adj", "/sys/kernel/mm", "/dev/null", "."])
def test_what_has_no_content_of_its_own(path):
    """What does something when it is read or written is not touched by the server."""
    descriptor = os.open(path, os.O_RDONLY)

    assert not is_content(descriptor)
    os.close(descriptor)
    assert not is_content(descriptor)


def test_flood(pair, connection):
    """However many connections nobody asked for come, the server gives up looking in time."""
    ended = threading.Event()

    def flood() -> None:
        while not ended.is_set():
            try:
                pair.send(77, connection.fileno())
            except OSError:
                return

    flooding = threading.Thread(target=flood)
    flooding.start()
    with pytest.raises(NotHandedOut), pair.sockets.expect() as number:
        pair.take(number)
    ended.set()
    pair.sockets.close()
    flooding.join(30)

    assert not flooding.is_alive()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_port_of_a_sandbox(fresh, own_tool):
    """A program in a sandbox is reached through its port, and through no other one."""
    script = (
        "import socket, sys\n"
        "server = socket.create_server(('127.0.0.1', 8000))\n"
        "print('listens', flush=True)\n"
        "server.accept()[0].sendall(b'from inside')\n"
    )
    await own_tool("write_file", path="serve.py", content=script, mode="overwrite")
    await own_tool("shell", command="mkfifo up; python3 serve.py > up & read line < up")

    with await fresh.connect(8000) as connection:
        connection.setblocking(True)
        assert connection.recv(100) == b"from inside"
    with pytest.raises(ToolError, match="listens on port 8001"):
        await fresh.connect(8001)
    await fresh.aclose()
    with pytest.raises(SandboxGone):
        await fresh.connect(8000)
