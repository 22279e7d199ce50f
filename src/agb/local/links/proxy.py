"""Passes the requests of one connection on to a program, and its responses back."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable

import anyio
import attrs
import h11

from ..failures import SandboxError, ToolError
from .admission import Admission, Admitted, Headers, upgrade_of, without_hop_by_hop
from .peer import Peer, tunnel

Connect = Callable[[], Awaitable[socket.socket]]


class _Refused(Exception):
    """A request that is answered here, in plain words."""

    def __init__(self, status: int, text: str, headers: Headers | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers or []


@attrs.frozen
class Proxy:
    """What the connections of one link have in common.

    Attributes:
        admission: Who may use the link.
        connect: Makes a connection to the program.
        max_head_bytes: Longest request line, or status line, with all its headers.
        idle_s: Seconds without a request until a connection is closed.
    """

    admission: Admission
    connect: Connect
    max_head_bytes: int
    idle_s: float

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it ends."""
        client = Peer(h11.SERVER, reader, writer, self.max_head_bytes)
        try:
            while await self._serve_one(client) and client.http.our_state is h11.DONE:
                client.http.start_next_cycle()
        finally:
            client.close()

    async def _serve_one(self, client: Peer) -> bool:
        """Answer one request; False at the end of the connection."""
        try:
            with anyio.fail_after(self.idle_s):
                request = await client.next_event()
        except (TimeoutError, OSError):
            return False
        except h11.RemoteProtocolError as error:
            await _answer(client, _Refused(error.error_status_hint, f"This is no HTTP: {error}"))
            return False
        if not isinstance(request, h11.Request):
            return False
        try:
            admitted = self._admitted(request)
            async with self._program() as program:
                await _exchange(client, program, request, admitted, self._headers(client, request))
        except _Refused as refused:
            await _answer(client, refused)
        except (h11.RemoteProtocolError, h11.LocalProtocolError, OSError):
            # One of the two broke off: so does the other, for it is all that is left to say.
            return False
        return client.http.their_state is h11.DONE

    def _admitted(self, request: h11.Request) -> Admitted:
        if self.admission.is_without_slash(request):
            location = b"/" + self.admission.secret.encode() + b"/"
            raise _Refused(307, "The address ends with a slash.", [(b"location", location)])
        admitted = self.admission.admit(request)
        if admitted is None or request.method == b"CONNECT":
            raise _Refused(404, "There is nothing at this address.")
        return admitted

    @contextlib.asynccontextmanager
    async def _program(self) -> AsyncGenerator[Peer, None]:
        try:
            connection = await self.connect()
        except (ToolError, SandboxError) as error:
            raise _Refused(502, f"{error}. Once a program does, load this page again.") from error
        reader, writer = await asyncio.open_connection(sock=connection)
        program = Peer(h11.CLIENT, reader, writer, self.max_head_bytes)
        try:
            yield program
        finally:
            program.close()

    def _headers(self, client: Peer, request: h11.Request) -> Headers:
        address = client.writer.get_extra_info("peername")[0]
        headers = self.admission.passed_on(request, address)
        return headers + (upgrade_of(request.headers) or [(b"connection", b"close")])


async def _exchange(
    client: Peer, program: Peer, request: h11.Request, admitted: Admitted, headers: Headers
) -> None:
    """Carry a request and its response, at the same time: either may be without end."""
    chunked = any(name == b"transfer-encoding" for name, _value in request.headers)
    framing = [(b"transfer-encoding", b"chunked")] if chunked else []
    await program.send(
        h11.Request(method=request.method, target=admitted.target, headers=[*headers, *framing])
    )
    sending = asyncio.create_task(_carry_request(client, program))
    receiving = asyncio.create_task(_carry_response(client, program, admitted))
    try:
        await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done() and not receiving.done() and sending.result():
            raise ConnectionResetError("the client has hung up")
        await receiving
    finally:
        for task in (sending, receiving):
            task.cancel()
        await asyncio.gather(sending, receiving, return_exceptions=True)
    if program.http.their_state is h11.SWITCHED_PROTOCOL:
        await tunnel(client, program)


async def _carry_request(client: Peer, program: Peer) -> bool:
    """Carry the body of a request; then say whether the client hangs up before the response."""
    event: object = None
    while not isinstance(event, h11.EndOfMessage):
        event = await client.next_event()
        if not isinstance(event, h11.Data | h11.EndOfMessage):
            return isinstance(event, h11.ConnectionClosed)
        try:
            await program.send(event)
        except (OSError, h11.LocalProtocolError):
            # A program may answer, and hang up, without having read everything.
            return False
    return await client.hangs_up()


async def _carry_response(client: Peer, program: Peer, admitted: Admitted) -> None:
    """Carry a response to its end, or to the agreement on another protocol."""
    event: object = None
    while not isinstance(event, h11.EndOfMessage):
        try:
            event = await program.next_event()
        except (h11.RemoteProtocolError, OSError) as error:
            if client.http.our_state is not h11.SEND_RESPONSE:
                raise ConnectionResetError("the program broke off its response") from error
            raise _Refused(502, f"The program gave no answer that is HTTP: {error}") from error
        if isinstance(event, h11.InformationalResponse):
            if event.status_code == 101:
                agreed = without_hop_by_hop(event.headers) + upgrade_of(event.headers)
                await client.send(h11.InformationalResponse(status_code=101, headers=agreed))
                return
        elif isinstance(event, h11.Response):
            headers = without_hop_by_hop(event.headers) + admitted.headers
            await client.send(
                h11.Response(status_code=event.status_code, headers=headers, reason=event.reason)
            )
        elif isinstance(event, h11.Data | h11.EndOfMessage):
            await client.send(event)


async def _answer(client: Peer, refused: _Refused) -> None:
    """Answer a request here; the connection ends with that."""
    body = f"{refused}\n".encode()
    headers = [
        *refused.headers,
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    with contextlib.suppress(h11.LocalProtocolError, OSError):
        await client.send(h11.Response(status_code=refused.status, headers=headers))
        await client.send(h11.Data(data=body))
        await client.send(h11.EndOfMessage())
