"""Starts the Python of new sandboxes before their first cell, when there is nothing else to do."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

from .failures import SandboxError, ToolError

if TYPE_CHECKING:
    from collections.abc import Generator

    from .sandbox import Sandbox
    from .settings import Settings


class Warming:
    """Warms sandboxes up, few at a time, and none while another one is being created.

    Importing IPython costs more than all else a sandbox does at its start. A hundred sessions that
    are created at once must not wait for it, and those that never run a cell least of all.
    """

    def __init__(self, settings: Settings) -> None:
        self._timeout_s = settings.inside.kernel_start_s + settings.reply_margin_s
        self._places = asyncio.Semaphore(max(1, (os.cpu_count() or 1) // 2))
        self._creating = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._tasks: set[asyncio.Task[None]] = set()

    @contextlib.contextmanager
    def held_back(self) -> Generator[None]:
        """Begin nothing meanwhile."""
        self._creating += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._creating -= 1
            if self._creating == 0:
                self._idle.set()

    def begin(self, sandbox: Sandbox) -> None:
        """Warm a sandbox up when its turn comes."""
        task = asyncio.create_task(self._warm(sandbox))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """Begin nothing any more."""
        for task in self._tasks:
            task.cancel()

    async def warm(self, sandbox: Sandbox) -> None:
        """Warm a sandbox up, and wait for that.

        Raises:
            SandboxError: It has ended, or did not answer.
            ToolError: Its Python can't run.
        """
        async with self._places:
            await self._idle.wait()
            await sandbox.call("warm_up", {}, timeout_s=self._timeout_s)

    async def _warm(self, sandbox: Sandbox) -> None:
        """Warm one up; the first cell will say what is wrong with it, if something is."""
        with contextlib.suppress(SandboxError, ToolError):
            await self.warm(sandbox)
