"""The server's side of the spawner: starts it, asks it for sandboxes, hears of their ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
from collections import deque
from typing import TYPE_CHECKING

from attrs import frozen

from .. import spawner
from ..life import exit_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

logger: logging.Logger = logging.getLogger(__name__)

# Only the package `spawner` is loaded: nothing of this one, and no site-packages.
_START = (
    f"import sys; sys.path.append({os.path.dirname(os.path.dirname(spawner.__file__))!r}); "
    "from spawner.main import main; main()"
)


class SpawnerFailed(Exception):
    """The spawner cannot do its work; the text names this machine's paths."""


@frozen(kw_only=True)
class Ended:
    """A sandbox of which nothing is left.

    Attributes:
        status: Of bubblewrap; negative for a signal, None if the spawner has gone.
        errors: What bubblewrap and the agent's Python wrote to their standard error.
    """

    status: int | None
    errors: str


_GONE = Ended(status=None, errors="the process that starts sandboxes has ended")


class Spawning:
    """One running spawner."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        ours: socket.socket,
        on_lost: Callable[[], object],
    ) -> None:
        self._process = process
        self._socket = ours
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._ends: dict[int, asyncio.Future[Ended]] = {}
        self._prepared: asyncio.Future[str | None] = self._loop.create_future()
        self.alive: bool = True
        self.closing: bool = False
        # What the socket's buffer had no room for: many sandboxes asked for at once.
        self._outbox: deque[tuple[bytes, list[int]]] = deque()
        self._loop.add_reader(ours.fileno(), self._hear)

    @classmethod
    async def start(
        cls,
        state: str,
        binds: Sequence[tuple[str, str]],
        users: tuple[int, int] | None,
        filter_: str,
        groups: Sequence[str],
        watch: Mapping[str, int | None],
        locks: Sequence[int] = (),
        on_lost: Callable[[], object] = lambda: None,
    ) -> Spawning:
        """Start a spawner and have it get ready.

        Args:
            state: The directory for all that the server has on disk.
            binds: Private directories, each with the path below `state` that makes it reachable.
            users: The first number and how many; None to run sandboxes as the present user.
            filter_: The seccomp program, in hexadecimal.
            groups: The directories of the server's control groups.
            watch: The limits the kernel does not keep: `memory`, `disk`, `inodes`.
            locks: Descriptors that hold locks, to hold them until all sandboxes are gone.
            on_lost: Called if it ends by itself after it has got ready.

        Raises:
            SpawnerFailed: It could not.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs:
            self = cls(_start_process(theirs.fileno(), locks), ours, on_lost)
        prepare = {"state": state, "binds": list(binds), "users": users, "seccomp": filter_}
        self._say({"prepare": {**prepare, "groups": list(groups), "watch": dict(watch)}})
        problem = await self._prepared
        if problem is not None:
            await self.aclose(timeout_s=1)
            raise SpawnerFailed(problem)
        return self

    def open(
        self, number: int, agent: socket.socket, message: Mapping[str, object]
    ) -> asyncio.Future[Ended]:
        """Start a sandbox.

        Args:
            number: A number that no other sandbox has.
            agent: The agent's end of the connection.
            message: `bwrap`, `options`, `command` and `workspace`.

        Returns:
            Done when nothing of the sandbox is left.
        """
        end: asyncio.Future[Ended] = self._loop.create_future()
        self._ends[number] = end
        if self.alive:
            self._say({"open": number, **message}, agent.fileno())
        else:
            self._ended(number, _GONE)
        return end

    def close(self, number: int) -> None:
        """End a sandbox."""
        self._say({"close": number})

    async def aclose(self, timeout_s: float) -> None:
        """End the spawner and with it all its sandboxes.

        Args:
            timeout_s: Seconds to wait for it; it goes on cleaning up afterwards.
        """
        self.closing = True
        self._disconnect()
        # Not by a thread that waits: it would keep the server from ending.
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            await asyncio.wait_for(exit_of(self._process), timeout_s)
        if self._process.poll() is None:
            logger.warning("the spawner is still removing the files of sessions")
            self._process.returncode = 0  # It is left to itself: no complaint about that.

    def _say(self, message: dict[str, object], descriptor: int | None = None) -> None:
        """Send a message, at once or as soon as there is room."""
        if not self.alive:
            return
        # A copy: the original may be closed before there is room.
        descriptors = [] if descriptor is None else [os.dup(descriptor)]
        self._outbox.append((json.dumps(message).encode(), descriptors))
        if len(self._outbox) == 1:
            self._flush()

    def _flush(self) -> None:
        """Send what there is room for."""
        while self._outbox and self.alive:
            packet, descriptors = self._outbox[0]
            try:
                socket.send_fds(self._socket, [packet], descriptors)
            except BlockingIOError:
                self._loop.add_writer(self._socket.fileno(), self._flush)
                return
            except OSError:
                # The spawner has gone; reading tells the rest.
                self._disconnect()
                return
            self._outbox.popleft()
            _close_all(descriptors)
        if self.alive:
            self._loop.remove_writer(self._socket.fileno())

    def _hear(self) -> None:
        """Take one message from the spawner."""
        try:
            packet = self._socket.recv(spawner.MAX_PACKET)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        if not packet:
            self._disconnect()
            return
        message = json.loads(packet)
        if "prepared" in message:
            self._prepared.set_result(message["prepared"])
        else:
            number = message["ended"]
            self._ended(number, Ended(status=message["status"], errors=message["errors"]))

    def _ended(self, number: int, end: Ended) -> None:
        """Tell of a sandbox's end."""
        waiting = self._ends.pop(number, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(end)

    def _disconnect(self) -> None:
        """The spawner has gone, or is to go: its sandboxes go with it."""
        if not self.alive:
            return
        self.alive = False
        self._loop.remove_reader(self._socket.fileno())
        self._loop.remove_writer(self._socket.fileno())
        self._socket.close()
        for _packet, descriptors in self._outbox:
            _close_all(descriptors)
        self._outbox.clear()
        if not self._prepared.done():
            self._prepared.set_result("the process that starts sandboxes has ended")
        elif not self.closing:
            self._on_lost()
        for number in list(self._ends):
            self._ended(number, _GONE)


def _close_all(descriptors: Sequence[int]) -> None:
    """Close descriptors."""
    for descriptor in descriptors:
        os.close(descriptor)


def _start_process(descriptor: int, locks: Sequence[int]) -> subprocess.Popen[bytes]:
    """Start the spawner's process on a socket."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _START, str(descriptor)],
        env={},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=(descriptor, *locks),
        # Ctrl-C on the server's terminal is the server's business.
        start_new_session=True,
    )
