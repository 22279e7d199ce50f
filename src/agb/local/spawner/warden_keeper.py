"""Keeps a warden running, and tells it which sandboxes to watch."""

from __future__ import annotations

import contextlib
import json
import os

from . import warden

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from typing import Any

    from .child import Child
    from .waiting import Waiting


class WardenKeeper:
    """Starts what watches disk and memory, and a new one if somebody has killed it."""

    def __init__(self, waiting: Waiting) -> None:
        self.closing: bool = False
        """Whether a warden that ends is the last one."""
        self.pid: int | None = None
        """The process of the warden."""
        self._waiting = waiting
        self._told: socket.socket | None = None
        self._reports = ""
        self._limits: Mapping[str, Any] = {}
        self._watched: dict[int, Child] = {}

    def start(self, reports: str, limits: Mapping[str, Any]) -> None:
        """Start the first warden.

        Args:
            reports: The directory of what it finds out, a file for each sandbox.
            limits: What one sandbox may take; see `warden.start`.
        """
        self._reports = reports
        self._limits = limits
        self._start()

    def watch(self, child: Child) -> None:
        """Have a sandbox watched that has been started."""
        self._watched[child.number] = child
        self._have_watched(child)

    def forget(self, child: Child) -> None:
        """Have a sandbox watched no more."""
        self._watched.pop(child.number, None)
        self._tell({"forget": child.number})

    def remove_report(self, child: Child) -> None:
        """Remove what was found out about a sandbox."""
        with contextlib.suppress(OSError):
            os.unlink(self._report_of(child))

    def _start(self) -> None:
        if self.closing:
            return
        pid, told = warden.start(**self._limits)
        self.pid, self._told = pid, told
        ended = os.pidfd_open(pid)
        self._waiting.watch(ended, lambda: self._ended(pid, told, ended))
        for child in self._watched.values():
            self._have_watched(child)

    def _ended(self, pid: int, told: socket.socket, descriptor: int) -> None:
        self._waiting.close(descriptor)
        told.close()
        self.pid = self._told = None
        os.waitpid(pid, 0)
        self._start()

    def _have_watched(self, child: Child) -> None:
        if child.outer is not None and child.status is None:
            self._tell(
                {
                    "watch": child.number,
                    "pid": child.outer.pid,
                    "directories": child.directories,
                    "report": self._report_of(child),
                }
            )

    def _report_of(self, child: Child) -> str:
        return os.path.join(self._reports, str(child.number))

    def _tell(self, message: dict[str, object]) -> None:
        if self._told is not None:
            with contextlib.suppress(OSError):
                self._told.send(json.dumps(message).encode())
