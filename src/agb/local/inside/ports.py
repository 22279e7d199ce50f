"""Connecting to what listens on a port of the session, for the server."""

from __future__ import annotations

import sys
import threading

from .failures import ToolFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .cancellation import Cancellation

_CONNECT_S = 10.0
_LOOPBACK = ("127.0.0.1", "::1")


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


class Ports:
    """Hands the server connections to the ports of this session.

    The server can't enter the session's network, but a connection made in here works out there.
    So no byte of it has to pass through this process.
    """

    def __init__(self, channel: int) -> None:
        """Prepare.

        Args:
            channel: The socket on which connections are handed out.
        """
        self._channel = channel
        self._sending = threading.Lock()

    def connect_port(
        self, cancellation: Cancellation, *, port: int, number: int
    ) -> dict[str, object]:
        """Connect to a port and hand the connection out.

        Args:
            cancellation: Not looked at: connecting within one machine does not take long.
            port: The port.
            number: What the server knows the connection by.
        """
        import socket

        for host in _LOOPBACK:
            try:
                connection = socket.create_connection((host, port), _CONNECT_S)
            except OSError:
                continue
            with connection, self._sending, socket.socket(fileno=self._channel) as channel:
                try:
                    socket.send_fds(channel, [number.to_bytes(8, "big")], [connection.fileno()])
                finally:
                    channel.detach()
            return {}
        raise ToolFailure(f"Nothing in this session listens on port {port}")
