"""Connecting to what listens on a port of the session, for the server."""

from __future__ import annotations

from .failures import ToolFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .cancellation import Cancellation
    from .handing import Handing

_CONNECT_S = 10.0
_LOOPBACK = ("127.0.0.1", "::1")


class Ports:
    """Hands the server connections to the ports of this session.

    The server can't enter the session's network, but a connection made in here works out there.
    So no byte of it has to pass through this process.
    """

    def __init__(self, handing: Handing) -> None:
        self._handing = handing

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
            with connection:
                self._handing.hand_out(number, connection.fileno())
            return {}
        raise ToolFailure(f"Nothing in this session listens on port {port}")
