"""One HTTP/1.1 connection: h11 reads and writes the messages, asyncio the bytes."""

from __future__ import annotations

import asyncio

import h11

_PIECE_BYTES = 1 << 16


class Peer:
    """Whoever is at the other end of a connection."""

    def __init__(
        self,
        role: type[h11.CLIENT] | type[h11.SERVER],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        max_head_bytes: int,
    ) -> None:
        self.http: h11.Connection = h11.Connection(role, max_head_bytes)
        self.reader: asyncio.StreamReader = reader
        self.writer: asyncio.StreamWriter = writer

    async def next_event(self) -> h11.Event | type[h11.PAUSED]:
        """Wait for the next part of a message.

        Raises:
            h11.RemoteProtocolError: What came is no HTTP.
            OSError: The connection broke.
        """
        while True:
            event = self.http.next_event()
            if isinstance(event, h11.Event) or event is h11.PAUSED:
                return event
            if self.http.they_are_waiting_for_100_continue:
                await self.send(h11.InformationalResponse(status_code=100, headers=[]))
            self.http.receive_data(await self.reader.read(_PIECE_BYTES))

    async def send(self, event: h11.Event) -> None:
        """Write a part of a message, and wait until the other side keeps up."""
        data = self.http.send(event)
        if data:
            self.writer.write(data)
            await self.writer.drain()

    async def hangs_up(self) -> bool:
        """Wait for the other side to hang up.

        Returns:
            False if it goes on to speak instead, before it was answered; what it said is kept.
        """
        data = await self.reader.read(_PIECE_BYTES)
        self.http.receive_data(data)
        return not data

    def close(self) -> None:
        """Close the connection; what was written still arrives."""
        self.writer.close()


async def tunnel(one: Peer, other: Peer) -> None:
    """Carry bytes both ways, after the two have agreed on another protocol."""

    async def carry(source: Peer, target: Peer) -> None:
        already, _ended = source.http.trailing_data
        target.writer.write(already)
        while data := await source.reader.read(_PIECE_BYTES):
            target.writer.write(data)
            await target.writer.drain()
        if target.writer.can_write_eof():
            target.writer.write_eof()

    await asyncio.gather(carry(one, other), carry(other, one))
