"""What the server says to the spawner, and what is done about it: sandboxes are started here."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import socket
import sys

from . import MAX_PACKET, groups
from .child import Child, adopt_orphans
from .children import Children
from .state import make_reachable, overruns_of, remove_state, sessions_of
from .strays import clear_up, mark_of
from .waiting import Waiting
from .warden_keeper import WardenKeeper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Spawner:
    """Starts the sandboxes that a server asks for, and ends them with it."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._waiting = Waiting()
        self._warden = WardenKeeper(self._waiting)
        self._children = Children(self._waiting, self._warden, self._tell_end)
        self._users: tuple[int, int] | None = None
        self._state: str | None = None
        self._filter = b""
        self._groups: list[str] = []
        self._closing = False
        self._waiting.watch(server.fileno(), self._hear)

    def run(self) -> None:
        """Serve until the server has gone and nothing is left."""
        while not self._closing or self._children:
            self._waiting.wait()
        groups.remove_all(self._groups)
        if self._state is not None:
            remove_state(self._state)

    def _hear(self) -> None:
        """Take one message."""
        try:
            packet, descriptors, _flags, _address = socket.recv_fds(self._server, MAX_PACKET, 1)
        except OSError:
            packet, descriptors = b"", []
        if not packet:
            self._leave()
            return
        message = json.loads(packet)
        if "prepare" in message:
            self._prepare(**message["prepare"])
        elif "open" in message:
            self._open(message, descriptors[0])
        else:
            self._children.kill(message["close"])

    def _leave(self) -> None:
        """Begin to end: the server has gone."""
        self._closing = self._warden.closing = True
        self._waiting.forget(self._server.fileno())
        self._children.kill_all()

    def _prepare(
        self,
        state: str,
        binds: list[tuple[str, str]],
        users: tuple[int, int] | None,
        seccomp: str,
        groups: list[str],
        watch: dict[str, Any],
    ) -> None:
        """Get this process ready for its first sandbox."""
        self._state = state
        self._users = users
        self._filter = bytes.fromhex(seccomp)
        self._groups = groups
        try:
            clear_up(state, groups)
            os.mkdir(sessions_of(state), 0o711)
            os.mkdir(overruns_of(state), 0o700)
            if binds:
                make_reachable(binds)
            self._warden.start(overruns_of(state), watch)
        except OSError as error:
            self._say({"prepared": str(error)})
        else:
            self._say({"prepared": None})

    def _open(self, message: dict[str, Any], agent: int) -> None:
        """Start a sandbox."""
        child = Child(
            message["open"],
            [message["workspace"], *message["volumes"]],
            [path for path, _values in message["groups"]],
        )
        child.kept = message["kept"]
        child.isolated = bool(self._filter)
        self._children.add(child)
        try:
            self._start(child, message, agent)
        except OSError as error:
            self._children.failed(child, error)
        finally:
            os.close(agent)

    def _start(self, child: Child, message: dict[str, Any], agent: int) -> None:
        """Make the directories and start bubblewrap as the user of this session."""
        # As root, `--uid` alone would leave the session root outside of its own view: the real
        # user has to be one without rights before bubblewrap begins. One for each session, so
        # that no two share a limit or a signal.
        user = self._user_for(child)
        for directory in child.directories:
            try:
                os.mkdir(directory, 0o700)
            except FileExistsError:
                if not child.kept:
                    raise
            if user is not None:
                os.chown(directory, user, user)
        with groups.entered(message["groups"]) as enter:
            info, errors = child.start(
                message["bwrap"],
                message["options"],
                [*message["command"], str(agent)],
                self._filter,
                mark_of(self._state or ""),
                agent,
                user,
                enter,
            )
        self._children.started(child, info, errors)

    def _user_for(self, child: Child) -> int | None:
        """Choose the user of a session: the one to whom its files belong, if there are some.

        Raises:
            PermissionError: They belong to somebody who must not be one.
        """
        if self._users is None:
            return None
        first, count = self._users
        home = child.directories[0]
        if child.kept and os.path.isdir(home):
            user = os.stat(home).st_uid
            if not first <= user < first + count:
                raise PermissionError(errno.EPERM, f"belongs to user {user}", home)
            return user
        return first + int.from_bytes(os.urandom(4), "big") % count

    def _tell_end(self, child: Child, errors: str) -> None:
        """Nothing is left of a sandbox: say so."""
        self._say({"ended": child.number, "status": child.status, "errors": errors})

    def _say(self, message: dict[str, object]) -> None:
        # A server that is gone is noticed where it is listened to.
        with contextlib.suppress(OSError):
            self._server.send(json.dumps(message).encode())


def main() -> None:
    """Run the spawner on the socket whose descriptor is the last argument."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        # It ends with its server, and outlives it by the time it takes to clean up. Not SIG_IGN:
        # that would be inherited by all programs of all sessions.
        signal.signal(number, lambda _number, _frame: None)
    adopt_orphans()
    server = socket.socket(fileno=int(sys.argv[-1]))
    os.set_inheritable(server.fileno(), False)
    Spawner(server).run()
