"""Open files and connections, handed out by an agent."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import stat
from collections.abc import Generator

# What the agent may have sent and nobody has taken: its calls were cancelled meanwhile.
_MOST_AT_ONCE = 1000


class NotHandedOut(Exception):
    """The agent sent what it was not asked for, or said it had sent what it had not."""


class Descriptors:
    """Takes descriptors from an agent, and believes nothing it says about them.

    They come over a socket of their own, each as one packet: the number under which it was asked
    for, and one descriptor.
    """

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.setblocking(False)
        self._numbers = itertools.count(1)
        self._arrived: dict[int, int] = {}
        self._expected: set[int] = set()

    def hand_over(self, channel: socket.socket) -> None:
        """Send the agent its end, as the first thing on the socket between us."""
        with self._theirs:
            socket.send_fds(channel, [b"\0"], [self._theirs.fileno()])

    @contextlib.contextmanager
    def expect(self) -> Generator[int]:
        """Choose the number for a descriptor that is about to be asked for."""
        number = next(self._numbers)
        self._expected.add(number)
        try:
            yield number
        finally:
            self._expected.discard(number)
            if number in self._arrived:
                os.close(self._arrived.pop(number))

    def take(self, number: int) -> int:
        """Take a descriptor that the agent says it has sent; it may be of anything.

        Raises:
            NotHandedOut: It has not.
        """
        for _ in range(_MOST_AT_ONCE):
            if number in self._arrived:
                return self._arrived.pop(number)
            self._receive()
        raise NotHandedOut("more descriptors than were asked for")

    def close(self) -> None:
        """Close what nobody has taken; what was taken lives on."""
        self._ours.close()
        self._theirs.close()
        for descriptor in self._arrived.values():
            os.close(descriptor)
        self._arrived.clear()

    def _receive(self) -> None:
        """Take in one packet; a descriptor whose call was cancelled meanwhile is closed."""
        try:
            packet, descriptors, flags, _address = socket.recv_fds(
                self._ours, 8, 1, socket.MSG_CMSG_CLOEXEC
            )
        except OSError as error:
            raise NotHandedOut("a descriptor was announced and not sent") from error
        if flags & socket.MSG_CTRUNC or len(descriptors) != 1:
            for descriptor in descriptors:
                os.close(descriptor)
            raise NotHandedOut("a packet without exactly one descriptor")
        number = int.from_bytes(packet, "big")
        if number in self._expected and number not in self._arrived:
            self._arrived[number] = descriptors[0]
        else:
            os.close(descriptors[0])


def as_connection(descriptor: int) -> socket.socket:
    """Make sure that a descriptor is a TCP connection, and not a file or a socket of this machine.

    Only the session's own network can be at its other end: the agent has no other one.

    Raises:
        NotHandedOut: It is something else, and was closed.
    """
    try:
        connection = socket.socket(fileno=descriptor)
    except OSError as error:
        os.close(descriptor)
        raise NotHandedOut("a descriptor that is no socket") from error
    if connection.family not in (socket.AF_INET, socket.AF_INET6) or (
        connection.type != socket.SOCK_STREAM
    ):
        connection.close()
        raise NotHandedOut("a socket that is no TCP connection")
    connection.setblocking(False)
    return connection


def is_content(descriptor: int) -> bool:
    """Tell whether a descriptor is of a file that holds data.

    A file of the kernel (`/proc`) does things when it is read or written, and does them with the
    rights of this server. What keeps no data has no blocks to keep it in.
    """
    try:
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return is_file and os.fstatvfs(descriptor).f_blocks > 0
    except OSError:
        return False  # opened in a way that allows nothing
