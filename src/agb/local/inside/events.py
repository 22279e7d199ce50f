"""What a request in flight tells before its answer."""

from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .frames import Message


class Events:
    """The events of one request: so many may be under way as the server said there is room for.

    The server says of each event when it has passed it on. Whoever sends holds back meanwhile, so a
    slow reader at the far end costs memory nowhere, and never blocks the answers to other requests.
    """

    def __init__(self, send: Callable[[Message], None], number: object, room: int) -> None:
        """Prepare to send.

        Args:
            send: Sends a message to the server.
            number: The number of the request.
            room: How many events may be under way.
        """
        self._send = send
        self._number = number
        self._room = room
        self._lock = threading.Lock()
        self.on_room: Callable[[], None] = lambda: None
        """Called, from any thread, when there is room again."""

    @property
    def has_room(self) -> bool:
        """Whether an event may be sent now."""
        return self._room > 0

    def send(self, event: Message) -> None:
        """Send an event; there must be room."""
        with self._lock:
            self._room -= 1
        self._send({"id": self._number, "event": event})

    def passed_on(self) -> None:
        """Take note that one event has left the server."""
        with self._lock:
            self._room += 1
            first = self._room == 1
        if first:
            self.on_room()
