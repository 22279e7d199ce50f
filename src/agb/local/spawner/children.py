"""Which sandboxes there are: hears what becomes of each, and cleans up after it."""

from __future__ import annotations

import contextlib
import json
import os
import signal

from . import groups
from .child import pidfd_of_child
from .programs import children_of
from .state import remove_empty, start_removing

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from .child import Child
    from .waiting import Waiting
    from .warden_keeper import WardenKeeper

_KEPT_ERRORS = 4096


class Children:
    """The sandboxes of which something is left."""

    def __init__(
        self, waiting: Waiting, keeper: WardenKeeper, on_gone: Callable[[Child, str], None]
    ) -> None:
        """Begin with none.

        Args:
            waiting: Waits for what becomes of them.
            keeper: Has them watched.
            on_gone: Called with the errors of one of which nothing is left.
        """
        self._waiting = waiting
        self._keeper = keeper
        self._on_gone = on_gone
        self._children: dict[int, Child] = {}
        self._removers: set[int] = set()

    def __len__(self) -> int:
        return len(self._children)

    def add(self, child: Child) -> None:
        """Take on a sandbox that is about to be started."""
        self._children[child.number] = child

    def kill(self, number: int) -> None:
        """Kill a sandbox; nothing happens if nothing is left of it."""
        if number in self._children:
            self._children[number].kill()

    def kill_all(self) -> None:
        """Kill every sandbox."""
        for child in self._children.values():
            child.kill()

    def started(self, child: Child, info: int, errors: int) -> None:
        """Wait for what becomes of a sandbox.

        Args:
            child: The sandbox, whose bubblewrap has been started.
            info: What bubblewrap tells about its child.
            errors: Its standard error.
        """
        self._waiting.watch(info, lambda: self._learn_inner(child, info))
        self._waiting.watch(errors, lambda: self._keep_errors(child, errors))
        assert child.outer is not None
        self._keeper.watch(child)
        ended = os.pidfd_open(child.outer.pid)
        self._waiting.watch(ended, lambda: self._outer_ended(child, ended))

    def failed(self, child: Child, error: OSError) -> None:
        """Clean up after a sandbox that could not be started."""
        child.errors = str(error).encode()
        child.status = 127
        self._clean_up(child)

    def _learn_inner(self, child: Child, descriptor: int) -> None:
        """Take the number of the sandbox's process 1."""
        piece = os.read(descriptor, 4096)
        child.info += piece
        if piece:
            return  # Written in several pieces: closing before the last would kill bubblewrap.
        self._waiting.close(descriptor)
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
            self._waiting.close(descriptor)
            child.error_pipe = None

    def _outer_ended(self, child: Child, descriptor: int) -> None:
        """Bubblewrap has ended; wait for what was inside."""
        self._waiting.close(descriptor)
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
        self._waiting.watch(inner, lambda: self._inner_ended(child, inner))

    def _kill_orphans(self) -> None:
        """Kill what a bubblewrap left that was killed before it could name its child.

        That child would wait for it for ever. As orphan it has become a child of this process.
        """
        known = {child.outer.pid for child in self._children.values() if child.outer is not None}
        known |= self._removers
        if self._keeper.pid is not None:
            known.add(self._keeper.pid)
        # Whose parent is killed here becomes a child of this process, too.
        while orphans := set(children_of(os.getpid())) - known:
            for pid in orphans:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    def _inner_ended(self, child: Child, descriptor: int) -> None:
        """No process of the sandbox is left."""
        # An orphan of bubblewrap's, and so a child of this process, unless bubblewrap saw it end.
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PIDFD, descriptor, os.WEXITED | os.WNOHANG)
        self._waiting.close(descriptor)
        child.inner = None
        if not child.isolated:
            # Nothing isolates here, so the end of process 1 ends no other.
            self._kill_orphans()
        self._clean_up(child)

    def _clean_up(self, child: Child) -> None:
        """Remove the directories; large ones take a while, so another process does it.

        Those that outlive the sandbox are removed by the server, when it ends the session.
        """
        self._keeper.forget(child)
        groups.remove(child.groups)
        full = [] if child.kept else remove_empty(child.directories)
        if not full:
            self._all_gone(child)
            return
        remover = start_removing(*full)
        self._removers.add(remover.pid)
        removed = os.pidfd_open(remover.pid)
        self._waiting.watch(removed, lambda: self._removed(child, remover, removed))

    def _removed(self, child: Child, remover: subprocess.Popen[bytes], descriptor: int) -> None:
        self._waiting.close(descriptor)
        remover.wait()
        self._removers.discard(remover.pid)
        self._all_gone(child)

    def _all_gone(self, child: Child) -> None:
        """Nothing is left of the sandbox: say so."""
        if child.error_pipe is not None:
            self._waiting.close(child.error_pipe)
        self._keeper.remove_report(child)
        del self._children[child.number]
        self._on_gone(child, child.errors[:_KEPT_ERRORS].decode("utf-8", "replace"))
