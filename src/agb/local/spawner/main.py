"""The spawner's loop: one thread, everything it waits for in one poll."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import socket
import subprocess
import sys

from . import MAX_PACKET, groups, warden
from .child import Child, adopt_orphans, own_children, pidfd_of_child
from .state import (
    make_reachable,
    overruns_of,
    remove_empty,
    remove_state,
    sessions_of,
    start_removing,
)
from .strays import clear_up, mark_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_KEPT_ERRORS = 4096


class Spawner:
    """Starts sandboxes, waits for their ends, and cleans up after them."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._children: dict[int, Child] = {}
        self._poll = select.poll()
        self._removers: set[int] = set()
        self._actions: dict[int, Callable[[], None]] = {}
        self._users: tuple[int, int] | None = None
        self._state: str | None = None
        self._filter = b""
        self._groups: list[str] = []
        self._limits: dict[str, Any] = {}
        self._warden: tuple[int, socket.socket] | None = None
        self._closing = False
        self._watch(server.fileno(), self._hear)

    def run(self) -> None:
        """Serve until the server has gone and nothing is left."""
        while not self._closing or self._children:
            ready = [self._actions[descriptor] for descriptor, _events in self._poll.poll()]
            for action in ready:
                # An earlier one of the same round may have ended it, and even have given its
                # number to another descriptor.
                if action in self._actions.values():
                    action()
        groups.remove_all(self._groups)
        if self._state is not None:
            remove_state(self._state)

    # ---- what the server says --------------------------------------------------------------------

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
        elif message["close"] in self._children:
            self._children[message["close"]].kill()

    def _leave(self) -> None:
        """Begin to end: the server has gone."""
        self._closing = True
        self._forget(self._server.fileno())
        for child in self._children.values():
            child.kill()

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
            self._limits = watch
            self._start_warden()
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
        self._children[child.number] = child
        try:
            self._start(child, message, agent)
        except OSError as error:
            child.errors = str(error).encode()
            child.status = 127
            self._clean_up(child)
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
        self._watch(info, lambda: self._learn_inner(child, info))
        self._watch(errors, lambda: self._keep_errors(child, errors))
        assert child.outer is not None
        self._have_watched(child)
        ended = os.pidfd_open(child.outer.pid)
        self._watch(ended, lambda: self._outer_ended(child, ended))

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

    # ---- what happens to a sandbox ---------------------------------------------------------------

    def _learn_inner(self, child: Child, descriptor: int) -> None:
        """Take the number of the sandbox's process 1."""
        piece = os.read(descriptor, 4096)
        child.info += piece
        if piece:
            return  # Written in several pieces: closing before the last would kill bubblewrap.
        self._close(descriptor)
        child.starting = False
        if child.outer is not None:
            with contextlib.suppress(OSError, ValueError, KeyError):
                pid = int(json.loads(child.info)["child-pid"])
                child.inner = pidfd_of_child(pid, child.outer.pid)
        if child.doomed:
            child.kill()

    def _keep_errors(self, child: Child, descriptor: int) -> None:
        """Take what bubblewrap, or the agent's Python, complains about."""
        try:
            data = os.read(descriptor, _KEPT_ERRORS)
        except BlockingIOError:
            return
        child.errors += data
        # Sessions may get at this pipe: what they write must not pile up here.
        if not data or len(child.errors) > _KEPT_ERRORS:
            self._close(descriptor)
            child.error_pipe = None

    def _outer_ended(self, child: Child, descriptor: int) -> None:
        """Bubblewrap has ended; wait for what was inside."""
        self._close(descriptor)
        assert child.outer is not None
        child.status = child.outer.wait()
        if child.error_pipe is not None:
            self._keep_errors(child, child.error_pipe)
        if child.inner is None:
            self._kill_orphans()
            self._clean_up(child)
            return
        inner = child.inner
        child.kill()
        # Readable when process 1 has ended, and it ends after all others of its namespace.
        self._watch(inner, lambda: self._inner_ended(child, inner))

    def _kill_orphans(self) -> None:
        """Kill what a bubblewrap left that was killed before it could name its child.

        That child would wait for it for ever. As orphan it has become a child of this process.
        """
        known = {child.outer.pid for child in self._children.values() if child.outer is not None}
        known |= self._removers
        if self._warden is not None:
            known.add(self._warden[0])
        # Whose parent is killed here becomes a child of this process, too.
        while orphans := own_children() - known:
            for pid in orphans:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    def _inner_ended(self, child: Child, descriptor: int) -> None:
        """No process of the sandbox is left."""
        # An orphan of bubblewrap's, and so a child of this process, unless bubblewrap saw it end.
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PIDFD, descriptor, os.WEXITED | os.WNOHANG)
        self._close(descriptor)
        child.inner = None
        if not self._filter:
            # Nothing isolates here, so the end of process 1 ends no other.
            self._kill_orphans()
        self._clean_up(child)

    def _clean_up(self, child: Child) -> None:
        """Remove the directories; large ones take a while, so another process does it.

        Those that outlive the sandbox are removed by the server, when it ends the session.
        """
        self._tell_warden({"forget": child.number})
        groups.remove(child.groups)
        full = [] if child.kept else remove_empty(child.directories)
        if not full:
            self._all_gone(child)
            return
        remover = start_removing(*full)
        self._removers.add(remover.pid)
        removed = os.pidfd_open(remover.pid)
        self._watch(removed, lambda: self._removed(child, remover, removed))

    def _removed(self, child: Child, remover: subprocess.Popen[bytes], descriptor: int) -> None:
        self._close(descriptor)
        remover.wait()
        self._removers.discard(remover.pid)
        self._all_gone(child)

    def _all_gone(self, child: Child) -> None:
        """Nothing is left of the sandbox: say so."""
        if child.error_pipe is not None:
            self._close(child.error_pipe)
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(overruns_of(self._state or ""), str(child.number)))
        del self._children[child.number]
        errors = child.errors[:_KEPT_ERRORS].decode("utf-8", "replace")
        self._say({"ended": child.number, "status": child.status, "errors": errors})

    # ---- what watches them -----------------------------------------------------------------------

    def _start_warden(self) -> None:
        """Start what watches disk and memory; a new one if somebody has killed it."""
        if self._closing:
            return
        pid, told = self._warden = warden.start(**self._limits)
        ended = os.pidfd_open(pid)
        self._watch(ended, lambda: self._warden_ended(pid, told, ended))
        for child in self._children.values():
            self._have_watched(child)

    def _warden_ended(self, pid: int, told: socket.socket, descriptor: int) -> None:
        self._close(descriptor)
        told.close()
        self._warden = None
        os.waitpid(pid, 0)
        self._start_warden()

    def _have_watched(self, child: Child) -> None:
        if child.outer is not None and child.status is None:
            self._tell_warden(
                {
                    "watch": child.number,
                    "pid": child.outer.pid,
                    "directories": child.directories,
                    "report": os.path.join(overruns_of(self._state or ""), str(child.number)),
                }
            )

    def _tell_warden(self, message: dict[str, object]) -> None:
        if self._warden is not None:
            with contextlib.suppress(OSError):
                self._warden[1].send(json.dumps(message).encode())

    # ---- descriptors -----------------------------------------------------------------------------

    def _say(self, message: dict[str, object]) -> None:
        # A server that is gone is noticed where it is listened to.
        with contextlib.suppress(OSError):
            self._server.send(json.dumps(message).encode())

    def _watch(self, descriptor: int, action: Callable[[], None]) -> None:
        self._actions[descriptor] = action
        self._poll.register(descriptor, select.POLLIN)

    def _forget(self, descriptor: int) -> None:
        del self._actions[descriptor]
        self._poll.unregister(descriptor)

    def _close(self, descriptor: int) -> None:
        self._forget(descriptor)
        os.close(descriptor)


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
