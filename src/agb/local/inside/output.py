"""What a process writes: kept up to a limit, read to the end."""

from __future__ import annotations

import codecs
import os
import select
import threading

# More than any pipe holds here, so that one look takes all there is.
_ONE_LOOK = 1 << 20


class Output:
    """What one stream wrote; beyond the limit it is only counted."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._dropped = 0
        self._lock = threading.Lock()

    def feed(self, data: bytes) -> None:
        """Take in what was read."""
        with self._lock:
            # After a gap nothing more: what follows would seem to belong to what was before it.
            room = 0 if self._dropped else max(0, self._limit - len(self._kept))
            self._kept += data[:room]
            self._dropped += max(0, len(data) - room)

    @property
    def truncated(self) -> bool:
        """Whether something had to be left out."""
        return self._dropped > 0

    def take_text(self, at_most: int) -> str:
        """Return the beginning, whole characters of so many bytes at most; the rest stays."""
        with self._lock:
            text, size = codecs.utf_8_decode(self._kept[:at_most], "replace", False)
            del self._kept[:size]
        return text

    def take(self) -> str:
        """Return the text and start anew; a cut is named at its end."""
        with self._lock:
            kept, dropped = self._kept, self._dropped
            self._kept, self._dropped = bytearray(), 0
        text = kept.decode("utf-8", "replace")
        if dropped:
            # The limit may have cut a character in two.
            text = text.rstrip("\N{REPLACEMENT CHARACTER}")
            text += f"\n[output truncated: {dropped} more bytes]\n"
        return text


def read_available(descriptor: int, output: Output) -> bool:
    """Read what a non-blocking descriptor holds now.

    Returns:
        False at the end of the stream.
    """
    seen = 0
    # Bounded: a background program that never stops writing must not keep its caller.
    while seen < _ONE_LOOK:
        try:
            data = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return True
        if not data:
            return False
        output.feed(data)
        seen += len(data)
    return True


class Leftovers:
    """Goes on reading from programs left in the background.

    A closed pipe would end them at their next line of output, which no terminal does.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._starting = threading.Lock()
        self._started = False

    def adopt(self, descriptor: int) -> None:
        """Read from the descriptor until its end, then close it."""
        with self._starting:
            if not self._started:
                try:
                    threading.Thread(target=self._run, daemon=True).start()
                except RuntimeError:
                    # The session is full of processes: this one loses its output.
                    os.close(descriptor)
                    return
                self._started = True
        self._epoll.register(descriptor, select.EPOLLIN)

    def _run(self) -> None:
        nothing = Output(0)
        while True:
            for descriptor, _events in self._epoll.poll():
                if not read_available(descriptor, nothing):
                    self._epoll.unregister(descriptor)
                    os.close(descriptor)
