"""A link, between clients and programs that both write their bytes by hand."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from agb.local.failures import ToolError
from agb.local.links.listener import Link
from agb.local.settings import Settings

Program = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Behind:
    """A link, and the program behind it."""

    def __init__(self) -> None:
        self.link: Link
        self.connections = 0
        self.in_use = 0
        self.address: tuple[str, int] | None = None
        self.program_ended = asyncio.Event()
        self.unused = asyncio.Event()

    @contextlib.contextmanager
    def use(self):
        self.in_use += 1
        try:
            yield
        finally:
            self.in_use -= 1
            if not self.in_use:
                self.unused.set()

    async def connect(self) -> socket.socket:
        if self.address is None:
            raise ToolError("Nothing in this session listens on port 80")
        self.connections += 1
        connection = socket.socket()
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, self.address)
        return connection

    async def dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.link.port)

    async def say(self, text: str) -> str:
        """Send bytes over a connection of their own; return all that comes until its end."""
        reader, writer = await self.dial()
        writer.write(self.fill(text))
        answer = await reader.read()
        writer.close()
        return answer.decode()

    def fill(self, text: str) -> bytes:
        return text.replace("\n", "\r\n").replace("SECRET", self.link.admission.secret).encode()


@pytest.fixture
async def behind(request: pytest.FixtureRequest) -> AsyncIterator[Behind]:
    """A link with nothing behind it yet."""
    behind = Behind()
    settings = Settings(max_connections_per_link=3)
    behind.link = await Link.open("127.0.0.1", behind.connect, behind.use, settings)
    yield behind
    behind.link.close()


@pytest.fixture
async def run(behind: Behind) -> AsyncIterator[Callable[[Program], Awaitable[None]]]:
    """Put a program behind the link."""
    servers: list[asyncio.Server] = []

    async def run(program: Program) -> None:
        async def serve(reader, writer):
            try:
                await program(reader, writer)
            finally:
                writer.close()
                behind.program_ended.set()

        servers.append(await asyncio.start_server(serve, "127.0.0.1", 0))
        behind.address = servers[-1].sockets[0].getsockname()

    yield run
    for server in servers:
        server.close()


def says(answer: str, *, until: bytes = b"\r\n\r\n", heard: list[bytes] | None = None) -> Program:
    """A program that reads so far, answers, and hangs up."""

    async def program(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.readuntil(until)
        if heard is not None:
            heard.append(data)
        writer.write(answer.replace("\n", "\r\n").encode())
        await writer.drain()

    return program


GET = "GET /SECRET/a HTTP/1.1\nHost: h\nConnection: close\n\n"
OK = "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi"


async def test_a_request_and_its_response(behind, run):
    """The program is asked without the secret; its response comes back whole."""
    heard = []
    await run(says("HTTP/1.1 203 Fine\nContent-Length: 2\nX-Own: 1\n\nhi", heard=heard))

    answer = await behind.say(GET)

    assert heard[0].startswith(b"GET /a HTTP/1.1\r\n")
    assert b"onnection: close" in heard[0]
    assert behind.link.admission.secret.encode() not in heard[0]
    assert answer.startswith("HTTP/1.1 203 Fine\r\n")
    assert "x-own: 1\r\n" in answer.lower()
    assert answer.endswith("\r\n\r\nhi")


async def test_connection_stays(behind, run):
    """Several requests travel on one connection of the client, each to the program anew."""
    await run(says(OK))
    reader, writer = await behind.dial()

    for _ in range(3):
        writer.write(behind.fill("GET /SECRET/ HTTP/1.1\nHost: h\n\n"))
        assert (await reader.readuntil(b"\r\n\r\nhi")).startswith(b"HTTP/1.1 200")
    writer.close()

    assert behind.connections == 3


async def test_response_without_a_length(behind, run):
    """What an old program answers until it hangs up arrives in chunks, with an end."""
    await run(says("HTTP/1.0 200 OK\n\nall of it"))

    answer = await behind.say(GET)

    assert "transfer-encoding: chunked" in answer.lower()
    assert answer.endswith("9\r\nall of it\r\n0\r\n\r\n")


async def test_body_in_chunks(behind, run):
    """A request body without a length reaches the program in chunks."""
    heard = []
    await run(says(OK, until=b"0\r\n\r\n", heard=heard))

    answer = await behind.say(
        "POST /SECRET/ HTTP/1.1\nHost: h\nConnection: close\n"
        "Transfer-Encoding: chunked\n\n3\nabc\n0\n\n"
    )

    assert heard[0].endswith(b"3\r\nabc\r\n0\r\n\r\n")
    assert answer.endswith("hi")


async def test_head_has_no_body(behind, run):
    """The response to HEAD tells a length and has no body."""
    await run(says("HTTP/1.1 200 OK\nContent-Length: 5\n\n"))

    answer = await behind.say("HEAD /SECRET/ HTTP/1.1\nHost: h\nConnection: close\n\n")

    assert "content-length: 5" in answer.lower()
    assert answer.endswith("\r\n\r\n")


async def test_expectation_is_met_here(behind, run):
    """A client that waits for leave to send its body gets it."""
    await run(says(OK, until=b"abc"))
    reader, writer = await behind.dial()

    writer.write(
        behind.fill("POST /SECRET/ HTTP/1.1\nHost: h\nContent-Length: 3\nExpect: 100-continue\n\n")
    )
    leave = await reader.readuntil(b"\r\n\r\n")
    writer.write(b"abc")
    answer = await reader.readuntil(b"hi")
    writer.close()

    assert leave.startswith(b"HTTP/1.1 100")
    assert answer.startswith(b"HTTP/1.1 200")


async def test_another_protocol(behind, run):
    """After both have agreed on it, bytes travel both ways, also those that came at once."""

    async def program(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"upgrade: echo" in head.lower()
        writer.write(b"HTTP/1.1 101 Go\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nfirst ")
        while data := await reader.read(100):
            writer.write(data.upper())

    await run(program)
    reader, writer = await behind.dial()

    writer.write(
        behind.fill("GET /SECRET/ HTTP/1.1\nHost: h\nConnection: Upgrade\nUpgrade: echo\n\nsoon ")
    )
    head = await reader.readuntil(b"\r\n\r\n")
    early = await reader.readexactly(11)
    writer.write(b"later")
    late = await reader.readexactly(5)
    writer.write_eof()
    rest = await reader.read()
    writer.close()

    assert head.startswith(b"HTTP/1.1 101")
    assert sorted(early.split()) == [b"SOON", b"first"]
    assert (late, rest) == (b"LATER", b"")


async def test_hint_before_the_response(behind, run):
    """A program's words before its response are passed over."""
    await run(says("HTTP/1.1 103 Early Hints\nLink: x\n\n" + OK))

    assert (await behind.say(GET)).startswith("HTTP/1.1 200")


async def test_client_that_hangs_up(behind, run):
    """The program hears at once that nobody waits any more, also before it has answered."""

    async def program(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.read() == b""

    await run(program)
    _reader, writer = await behind.dial()

    writer.write(behind.fill("GET /SECRET/ HTTP/1.1\nHost: h\n\n"))
    await writer.drain()
    writer.close()

    await asyncio.wait_for(behind.program_ended.wait(), 30)


async def test_client_that_is_ahead(behind, run):
    """A client may send its next request before the answer to the first."""
    await run(says(OK))

    answer = await behind.say(
        "GET /SECRET/ HTTP/1.1\nHost: h\n\nGET /SECRET/ HTTP/1.1\nHost: h\nConnection: close\n\n"
    )

    assert answer.count("HTTP/1.1 200") == 2


async def test_program_that_answers_early(behind, run):
    """A program may refuse a body that it has not read; what it says arrives."""
    await run(says("HTTP/1.1 413 Too much\nContent-Length: 2\n\nno"))
    reader, writer = await behind.dial()

    writer.write(behind.fill("POST /SECRET/ HTTP/1.1\nHost: h\nContent-Length: 100000000\n\n"))
    answer = await reader.readuntil(b"no")
    writer.close()

    assert answer.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "program",
    ["", "SMTP ready\n\n", "HTTP/1.1 200 OK\nContent-Length: x\n\n"],
    ids=["silence", "words", "no length"],
)
async def test_program_that_makes_no_sense(behind, run, program):
    """What is no answer of a program becomes one that says so."""
    await run(says(program))

    answer = await behind.say(GET)

    assert answer.startswith("HTTP/1.1 502")
    assert "The program gave no answer that is HTTP" in answer


async def test_program_that_breaks_off(behind, run):
    """Half a response is never made to look like a whole one."""
    await run(says("HTTP/1.1 200 OK\nContent-Length: 100\n\nhalf"))

    answer = await behind.say(GET)

    assert answer.endswith("\r\n\r\nhalf")
    assert "content-length: 100" in answer.lower()


async def test_nothing_listens(behind):
    """Where no program listens yet, the page says so."""
    answer = await behind.say(GET)

    assert answer.startswith("HTTP/1.1 502")
    assert "Nothing in this session listens on port 80." in answer


@pytest.mark.parametrize(
    "said",
    [
        "GET / HTTP/1.1\nHost: h\n\n",
        "GET /wrong/ HTTP/1.1\nHost: h\n\n",
        "GET http://h/SECRET/ HTTP/1.1\nHost: h\n\n",
        "CONNECT /SECRET/ HTTP/1.1\nHost: h\n\n",
    ],
)
async def test_who_does_not_know_the_address(behind, run, said):
    """Nothing is passed on for who does not know the address."""
    await run(says(OK))

    answer = await behind.say(said)

    assert answer.startswith("HTTP/1.1 404")
    assert behind.connections == 0


async def test_missing_slash(behind):
    """The address without its slash leads to the one with it."""
    answer = await behind.say("GET /SECRET HTTP/1.1\nHost: h\n\n")

    assert answer.startswith("HTTP/1.1 307")
    assert f"location: /{behind.link.admission.secret}/\r\n" in answer.lower().replace(
        behind.link.admission.secret.lower(), behind.link.admission.secret
    )


@pytest.mark.parametrize(
    "said",
    [
        "nonsense\n\n",
        "GET /SECRET/ HTTP/1.1\n\n",
        "POST /SECRET/ HTTP/1.1\nHost: h\nContent-Length: 3\nContent-Length: 4\n\n",
        "GET /SECRET/ HTTP/1.1\nHost: h\nA: " + "a" * 300_000,
    ],
    ids=["words", "no host", "two lengths", "long head"],
)
async def test_client_that_makes_no_sense(behind, run, said):
    """What is no request is refused, and never passed on."""
    await run(says(OK))

    answer = await behind.say(said)

    assert answer.startswith("HTTP/1.1 4")
    assert behind.connections == 0


async def test_broken_chunks_end_the_exchange(behind, run):
    """A request that turns out to be none breaks off, for the program too."""

    async def program(reader, writer):
        await reader.read()

    await run(program)

    await behind.say("POST /SECRET/ HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\nzz\n")

    await asyncio.wait_for(behind.program_ended.wait(), 30)


async def test_connections_are_bounded(behind):
    """A connection beyond the limit is broken off; others go on."""
    held = [await behind.dial() for _ in range(3)]
    for _reader, writer in held:
        writer.write(b"GET ")
        await writer.drain()

    reader, writer = await behind.dial()
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()

    for reader, writer in held:
        writer.write(behind.fill("/ HTTP/1.1\nHost: h\n\n"))
        assert (await reader.read()).startswith(b"HTTP/1.1 404")
        writer.close()


async def test_end_of_a_link(behind, run):
    """The end of a link ends its connections, and nobody listens any more."""
    await run(says(OK))
    open_ones = [await behind.dial() for _ in range(2)]
    for reader, writer in open_ones:
        writer.write(behind.fill("GET /SECRET/ HTTP/1.1\nHost: h\n\n"))
        await reader.readuntil(b"\r\n\r\nhi")
    used = behind.in_use

    behind.link.close()

    for reader, writer in open_ones:
        assert await reader.read() == b""
        writer.close()
    with pytest.raises(ConnectionRefusedError):
        await behind.dial()
    await asyncio.wait_for(behind.unused.wait(), 30)
    assert used == 2
