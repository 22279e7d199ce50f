"""A cell whose output and results are told while it runs."""

from __future__ import annotations

import os
import threading
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .events import Events
    from .frames import Message
    from .output import Output
    from .results import RichResults

# Bytes of output in one event at most.
_PIECE = 1 << 16


class Bell:
    """Wakes a thread that polls descriptors; may be rung from any thread, also when it is gone."""

    def __init__(self) -> None:
        self.descriptor: int = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._lock = threading.Lock()
        self._closed = False

    def ring(self) -> None:
        """Wake the thread."""
        with self._lock:
            if not self._closed:
                os.eventfd_write(self.descriptor, 1)

    def silence(self) -> None:
        """Be ready for the next time."""
        os.eventfd_read(self.descriptor)

    def close(self) -> None:
        """Let go of the descriptor; its number may soon be that of another."""
        with self._lock:
            self._closed = True
            os.close(self.descriptor)


class Live:
    """One running cell: passes on what it writes and shows, as far as there is room.

    What a cell shows is kept up to the limit of results. Its output is not taken from its pipes
    while there is no room: a cell whose reader is slow waits, as it would before any full pipe.
    """

    def __init__(self, events: Events, results: RichResults) -> None:
        """Prepare a cell.

        Args:
            events: Where to pass it on.
            results: Measures what it shows.
        """
        self._events = events
        self._results = results
        self._outputs: Mapping[str, Output] = {}
        self._bell: Bell | None = None
        self._shown: deque[Message] = deque()
        self._lock = threading.Lock()
        self._released = False
        self._over = False

    def begin(self, outputs: Mapping[str, Output], bell: Bell) -> None:
        """Take the outputs of the cell's process; the bell wakes who reads them."""
        self._outputs = outputs
        self._bell = bell
        self._events.on_room = bell.ring

    def show(self, bundle: object) -> None:
        """Take something that the cell has shown."""
        with self._lock:
            if not self._over:
                self._shown.extend(self._results.fit([bundle]))

    def pass_on(self) -> bool:
        """Send what there is room for.

        Returns:
            Whether more output may be read.
        """
        with self._lock:
            while not self._over:
                if not self._events.has_room:
                    return self._released
                event = self._next()
                if event is None:
                    break
                self._events.send(event)
            return True

    def release(self) -> None:
        """Hold no output back any more: a cell has to write its last words before it ends."""
        self._released = True
        if self._bell is not None:
            self._bell.ring()

    def finish(self) -> tuple[str, str, list[Message]]:
        """Pass on nothing more.

        Returns:
            What is left: of stdout, of stderr, and shown.
        """
        with self._lock:
            self._over = True
        texts = {name: output.take() for name, output in self._outputs.items()}
        return texts.get("stdout", ""), texts.get("stderr", ""), list(self._shown)

    def _next(self) -> Message | None:
        for name, output in self._outputs.items():
            text = output.take_text(_PIECE)
            if text:
                return {name: text}
        return {"result": self._shown.popleft()} if self._shown else None
