"""What the agent opens for the server, handed out on a socket of its own."""

from __future__ import annotations

import sys
import threading


def receive_descriptor(channel: int) -> int:
    """Take the descriptor that came before everything else on a socket."""
    # Not `socket`, which takes longer to import than all the rest of the start.
    import _socket

    incoming = _socket.socket(fileno=channel)
    try:
        _data, ancillary, _flags, _address = incoming.recvmsg(
            1, _socket.CMSG_SPACE(4), _socket.MSG_CMSG_CLOEXEC
        )
    finally:
        incoming.detach()
    ((_level, _kind, data),) = ancillary
    return int.from_bytes(data[:4], sys.byteorder)


class Handing:
    """Hands descriptors to the server; any thread may."""

    def __init__(self, channel: int) -> None:
        """Prepare.

        Args:
            channel: The socket on which they are handed out.
        """
        self._channel = channel
        self._sending = threading.Lock()

    def hand_out(self, number: int, descriptor: int) -> None:
        """Send a descriptor, which stays open here.

        Args:
            number: What the server knows it by.
            descriptor: The descriptor.
        """
        import socket

        with self._sending, socket.socket(fileno=self._channel) as channel:
            try:
                socket.send_fds(channel, [number.to_bytes(8, "big")], [descriptor])
            finally:
                channel.detach()
