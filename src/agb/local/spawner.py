"""The process that starts sandboxes: one thread, no environment, the parent of every bubblewrap.

It is a process of its own because `bwrap --die-with-parent` follows the *thread* that started it,
and because programs are best started as another user by a process that has nothing to leak. It
runs as a script, on the standard library alone. The server speaks to it over a SOCK_SEQPACKET
socket, one JSON message a packet:

    {"prepare": {"state", "binds": [[source, target]…], "users": [first, count] | null}}
        → {"prepared": null} or {"prepared": "why not"}
    {"open": number, "bwrap", "options", "command", "seccomp", "workspace"}, with the agent's socket
    {"close": number}
        → {"ended": number, "status", "errors"}

`ended` also comes when a sandbox ends by itself. By then all its processes are gone, and so is its
workspace. At the end of the stream the server has gone, whatever became of it: all sandboxes are
killed and everything is removed.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

MAX_PACKET = 1 << 17
_KEPT_ERRORS = 4096
_OOM_SCORE = "/proc/self/oom_score_adj"
# A session may take away its own right to look into or to empty its directories.
_REMOVE = 'rm -rf -- "$1" 2>/dev/null || { chmod -R u+rwX -- "$1"; rm -rf -- "$1"; }'


class Child:
    """A sandbox: bubblewrap, the first process inside, and in the end what removes its files."""

    def __init__(self, number: int, workspace: str) -> None:
        self.number = number
        self.workspace = workspace
        self.info = b""
        self.errors = b""
        self.status: int | None = None
        self.outer: subprocess.Popen[bytes] | None = None
        self.inner: int | None = None
        """A pidfd of the sandbox's process 1, once bubblewrap has told which it is."""
        self.error_pipe: int | None = None
        self.starting = False
        self.doomed = False

    def kill(self) -> None:
        """Kill every process of the sandbox: with its process 1 goes its whole PID namespace."""
        self.doomed = True
        if self.starting:
            # Killed before its child has been told to go on, bubblewrap would leave it waiting for
            # ever. It takes a millisecond more to know that child.
            return
        if self.outer is not None:
            self.outer.kill()
        if self.inner is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.inner, signal.SIGKILL)


class Spawner:
    """Starts sandboxes, waits for their ends, and cleans up after them."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._children: dict[int, Child] = {}
        self._poll = select.poll()
        self._actions: dict[int, Callable[[], None]] = {}
        self._users: tuple[int, int] | None = None
        self._state: str | None = None
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
        self, state: str, binds: list[tuple[str, str]], users: tuple[int, int] | None
    ) -> None:
        """Get this process ready for its first sandbox."""
        self._state = state
        self._users = users
        try:
            # Left by a spawner that was killed; its sandboxes went with it.
            remove_tree(sessions_of(state))
            os.mkdir(sessions_of(state), 0o711)
            if binds:
                make_reachable(binds)
        except OSError as error:
            self._say({"prepared": str(error)})
        else:
            self._say({"prepared": None})

    def _open(self, message: dict[str, Any], agent: int) -> None:
        """Start a sandbox."""
        child = Child(message["open"], message["workspace"])
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
        """Make the workspace and start bubblewrap."""
        os.mkdir(child.workspace, 0o700)
        # As root, `--uid` alone would leave the session root outside of its own view: the real
        # user has to be one without rights before bubblewrap begins. One for each session, so
        # that no two share a limit or a signal.
        user = None
        if self._users is not None:
            first, count = self._users
            user = first + int.from_bytes(os.urandom(4), "big") % count
            os.chown(child.workspace, user, user)
        filter_ = sealed(bytes.fromhex(message["seccomp"]))
        info, told = os.pipe()
        errors, written = os.pipe()
        options = [*message["options"], "--seccomp", str(filter_), "--info-fd", str(told)]
        # By descriptor: what stands on the command line of process 1 can be read inside.
        arguments = sealed("\0".join(options).encode())
        try:
            with first_to_go():
                child.outer = subprocess.Popen(
                    [message["bwrap"], "--args", str(arguments), "--", *message["command"], str(agent)],
                    # Its environment can be read inside as well.
                    env={},
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=written,
                    pass_fds=(arguments, filter_, told, agent),
                    umask=0o022,
                    start_new_session=True,
                    **({} if user is None else {"user": user, "group": user, "extra_groups": []}),
                )
        except BaseException:
            os.close(info)
            os.close(errors)
            raise
        finally:
            for descriptor in (arguments, filter_, told, written):
                os.close(descriptor)
        child.starting = True
        self._watch(info, lambda: self._learn_inner(child, info))
        os.set_blocking(errors, False)
        child.error_pipe = errors
        self._watch(errors, lambda: self._keep_errors(child, errors))
        ended = os.pidfd_open(child.outer.pid)
        self._watch(ended, lambda: self._outer_ended(child, ended))

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
            self._clean_up(child)
            return
        inner = child.inner
        child.kill()
        # Readable when process 1 has ended, and it ends after all others of its namespace.
        self._watch(inner, lambda: self._inner_ended(child, inner))

    def _inner_ended(self, child: Child, descriptor: int) -> None:
        """No process of the sandbox is left."""
        self._close(descriptor)
        child.inner = None
        self._clean_up(child)

    def _clean_up(self, child: Child) -> None:
        """Remove the workspace; large ones take a while, so another process does it."""
        remover = start_removing(child.workspace)
        removed = os.pidfd_open(remover.pid)
        self._watch(removed, lambda: self._removed(child, remover, removed))

    def _removed(self, child: Child, remover: subprocess.Popen[bytes], descriptor: int) -> None:
        """Nothing is left of the sandbox: say so."""
        self._close(descriptor)
        remover.wait()
        if child.error_pipe is not None:
            self._close(child.error_pipe)
        del self._children[child.number]
        errors = child.errors[:_KEPT_ERRORS].decode("utf-8", "replace")
        self._say({"ended": child.number, "status": child.status, "errors": errors})

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


# ---- the state directory: etc, inside, binds/*, sessions/* ---------------------------------------


def sessions_of(state: str) -> str:
    """Return the directory of the workspaces."""
    return os.path.join(state, "sessions")


def remove_state(state: str) -> None:
    """Remove all that one server has on disk.

    Below `binds` lie directories of the user, mounted: that one is never removed recursively.
    """
    binds = os.path.join(state, "binds")
    if os.path.isdir(binds):
        for name in os.listdir(binds):
            target = os.path.join(binds, name)
            with contextlib.suppress(OSError):
                _check(_libc().umount2(os.fsencode(target), _MNT_DETACH), "umount2")
            with contextlib.suppress(OSError):
                (os.rmdir if os.path.isdir(target) else os.unlink)(target)
    for name in ("etc", "inside", "sessions"):
        remove_tree(os.path.join(state, name))
    for directory in (binds, state):
        with contextlib.suppress(OSError):
            os.rmdir(directory)


def remove_tree(path: str) -> None:
    """Remove a directory with everything in it, and wait for that."""
    start_removing(path).wait()


def start_removing(path: str) -> subprocess.Popen[bytes]:
    """Start to remove a directory; `rm` copes with trees that are deeper than Python's stack."""
    return subprocess.Popen(
        ["/bin/sh", "-c", _REMOVE, "sh", path],
        env={"PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


# ---- the system ----------------------------------------------------------------------------------

_CLONE_NEWNS = 0x00020000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND = 1, 32, 4096
_MS_REC, _MS_PRIVATE = 16384, 1 << 18
_MNT_DETACH = 2


def make_reachable(binds: list[tuple[str, str]]) -> None:
    """Give private directories a second path that every user can enter, seen by nobody else.

    A Python below `/root` cannot be entered any more by a bubblewrap that is not root. The mounts
    are in a namespace of this process and its children, and end with them.

    Args:
        binds: Source and target of each.
    """
    libc = _libc()
    _check(libc.unshare(_CLONE_NEWNS), "unshare")
    _check(libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None), "mount --make-private")
    for source, target in binds:
        os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
        if os.path.isdir(source):
            os.makedirs(target, exist_ok=True)
        else:
            with open(target, "wb"):
                pass
        path = os.fsencode(target)
        _check(libc.mount(os.fsencode(source), path, None, _MS_BIND | _MS_REC, None), source)
        flags = _MS_REMOUNT | _MS_BIND | _MS_RDONLY
        _check(libc.mount(None, path, None, flags, None), f"{source} read-only")


def _libc() -> ctypes.CDLL:
    """Return the C library."""
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    """Turn a failed call of the C library into an exception."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def sealed(data: bytes) -> int:
    """Put data behind a descriptor, to be read from its start."""
    descriptor = os.memfd_create("agb")
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


@contextlib.contextmanager
def first_to_go() -> Iterator[None]:
    """Have what is started meanwhile be the first that the kernel kills when memory runs out."""
    before = _oom_score()
    with contextlib.suppress(OSError):
        _set_oom_score("1000")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            _set_oom_score(before)


def _oom_score() -> str:
    with open(_OOM_SCORE, encoding="ascii") as file:
        return file.read()


def _set_oom_score(score: str) -> None:
    with open(_OOM_SCORE, "w", encoding="ascii") as file:
        file.write(score)


def pidfd_of_child(pid: int, parent: int) -> int:
    """Open a process, making sure that its number has not passed to another one meanwhile.

    Raises:
        ProcessLookupError: It is not, or not any more, a child of that parent.
    """
    pidfd = os.pidfd_open(pid)
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # The name, in parentheses, may hold anything.
            actual = int(file.read().rpartition(")")[2].split()[1])
        if actual != parent:
            raise ProcessLookupError(pid)
    except BaseException:
        os.close(pidfd)
        raise
    return pidfd


def main() -> None:
    """Run the spawner on the socket whose descriptor is the last argument."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # It ends with its server, and outlives it by the time it takes to clean up. Not SIG_IGN:
        # that would be inherited by all programs of all sessions.
        signal.signal(number, lambda _number, _frame: None)
    server = socket.socket(fileno=int(sys.argv[-1]))
    os.set_inheritable(server.fileno(), False)
    Spawner(server).run()


if __name__ == "__main__":
    main()
