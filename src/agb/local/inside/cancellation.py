"""Stopping a request that is being worked on."""

from __future__ import annotations

import threading
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator


class Cancelled(Exception):
    """The server does not want the answer any more."""


class Cancellation:
    """Tells the thread that works on a request that nobody waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self.cancelled: bool = False

    def cancel(self) -> None:
        """Run what was registered, now and from the calling thread."""
        with self._lock:
            if self.cancelled:
                return
            self.cancelled = True
            for callback in self._callbacks:
                callback()

    def check(self) -> None:
        """Raise `Cancelled` if the request was cancelled."""
        if self.cancelled:
            raise Cancelled

    @contextmanager
    def calling(self, callback: Callable[[], None]) -> Generator[None]:
        """Have the callback run at the cancellation, at once if it is already there."""
        with self._lock:
            self._callbacks.append(callback)
            if self.cancelled:
                callback()
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)
