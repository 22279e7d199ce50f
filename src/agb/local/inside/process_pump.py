"""The thread that serves the pipes of all started processes."""

from __future__ import annotations

import contextlib
import select
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .output import Leftovers
    from .started import Started

# Edges: each write puts its pipe at the end of the list of those that are ready, so that this list
# is in the order of the writes. Setting the same again lists a pipe that still holds something.
_READ = select.EPOLLIN | select.EPOLLET
_WRITE = select.EPOLLOUT | select.EPOLLONESHOT


class ProcessPump:
    """Reads what processes write, feeds what they are given, and learns of their end."""

    def __init__(self, leftovers: Leftovers) -> None:
        self._leftovers = leftovers
        self._epoll = select.epoll()
        self._sources: dict[int, Started] = {}
        self._held: dict[int, Started] = {}
        self._changing = threading.Lock()
        self._runs = False

    def start(self) -> None:
        """Start the thread, if it does not run yet.

        Raises:
            RuntimeError: The session is full.
        """
        with self._changing:
            if not self._runs:
                threading.Thread(target=self._run, daemon=True).start()
                self._runs = True

    def add(self, started: Started) -> None:
        """Serve a process from now on."""
        with started.changed:
            for descriptor in (*started.streams, started.process.pidfd):
                self._sources[descriptor] = started
                self._epoll.register(descriptor, _READ)

    def feed_later(self, started: Started) -> None:
        """Go on writing to a process once it takes more; its condition is held."""
        stdin = started.process.stdin
        assert stdin is not None, "there is something to write"
        self._sources[stdin] = started
        try:
            self._epoll.modify(stdin, _WRITE)
        except FileNotFoundError:
            self._epoll.register(stdin, _WRITE)

    def resume(self, started: Started) -> None:
        """Read again what was held back for a reader, if it is not any more."""
        with started.changed:
            if self._held and started.held_until <= time.monotonic():
                # In the order in which they became ready, as ever.
                for descriptor, held in self._held.copy().items():
                    if held is started:
                        del self._held[descriptor]
                        self._epoll.modify(descriptor, _READ)

    def forget(self, descriptor: int) -> None:
        """Serve a descriptor no more: its number may soon be that of another."""
        self._sources.pop(descriptor, None)
        with contextlib.suppress(FileNotFoundError):
            self._epoll.unregister(descriptor)

    def _run(self) -> None:
        while True:
            for descriptor, _events in self._epoll.poll(self._pause_s()):
                started = self._sources.get(descriptor)
                if started is not None:
                    self._serve(started, descriptor)
            for started in set(self._held.copy().values()):
                self.resume(started)

    def _pause_s(self) -> float | None:
        """Return how long all that is held back stays so without a reader; None is for ever."""
        until = [started.held_until for started in self._held.copy().values()]
        return max(0.0, min(until) - time.monotonic()) if until else None

    def _serve(self, started: Started, descriptor: int) -> None:
        with started.changed:
            if descriptor in started.streams:
                self._read(started, descriptor)
            elif descriptor == started.process.stdin:
                if started.feed():
                    self._epoll.modify(descriptor, _WRITE)
            elif descriptor == started.process.pidfd and started.exit_code is None:
                self.forget(descriptor)
                started.end()
                for left in set(started.streams) - set(self._held):
                    self._read(started, left)

    def _read(self, started: Started, descriptor: int) -> None:
        while descriptor in started.streams:
            if started.held_until > time.monotonic():
                self._held[descriptor] = started
                return
            started.take(descriptor, self._leftovers)
            if started.exit_code is None:
                break
        if descriptor in started.streams:
            self._epoll.modify(descriptor, _READ)
