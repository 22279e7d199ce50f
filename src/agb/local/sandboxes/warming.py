"""Starts the Python of sandboxes: before their first cell, and never too many at a time."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

from ..failures import SandboxError, ToolError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from ..settings import Settings


class Warmable(Protocol):
    """A sandbox whose Python can be started before its first cell."""

    is_warm: bool
    """Whether its Python has been started, or is just being."""

    @property
    def alive(self) -> bool:
        """False once it has ended."""
        ...

    async def call(
        self, method: str, params: dict[str, object], *, timeout_s: float
    ) -> dict[str, object]:
        """Do one operation inside; see `Sandbox.call`."""
        ...


class Warming:
    """Warms sandboxes up, few at a time, and none while another one is being created.

    Importing IPython costs more than all else a sandbox does at its start. A hundred sessions that
    are created at once must not wait for it, and those that never run a cell least of all; where
    there are many sessions, those do not take the memory for it either.
    """

    def __init__(self, settings: Settings) -> None:
        self._timeout_s = settings.inside.kernel_start_s + settings.reply_margin_s
        processors = os.cpu_count() or 1
        self._places = asyncio.Semaphore(max(1, processors // 2))
        self._first_cells = asyncio.Semaphore(processors)
        self._wanted = settings.warm_sandboxes
        self._warm: WeakSet[Warmable] = WeakSet()
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

    def wants(self, sandbox: Warmable) -> bool:
        """Say whether a sandbox is to be warmed up, and count it if so."""
        if sum(other.alive for other in self._warm) >= self._wanted:
            return False
        self._warm.add(sandbox)
        return True

    def begin(self, sandbox: Warmable) -> None:
        """Warm a sandbox up when its turn comes, unless enough others are warm."""
        if not self.wants(sandbox):
            return
        task = asyncio.create_task(self._warm_up(sandbox))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def before_first_cell(self, sandbox: Warmable) -> None:
        """Warm a sandbox up that a cell waits for.

        If two hundred did it at the same time, each would take longer than a start may.
        """
        async with self._first_cells:
            with contextlib.suppress(SandboxError, ToolError):
                # The cell itself says what is wrong, if something is.
                await sandbox.call("warm_up", {"modules": []}, timeout_s=self._timeout_s)

    def stop(self) -> None:
        """Begin nothing any more."""
        for task in self._tasks:
            task.cancel()

    async def warm(self, sandbox: Warmable, modules: Sequence[str] = ()) -> None:
        """Warm a sandbox up, and wait for that.

        Args:
            sandbox: The sandbox.
            modules: What its Python imports as well, as far as it has them.

        Raises:
            SandboxError: It has ended, or did not answer.
            ToolError: Its Python can't run.
        """
        async with self._places:
            await self._idle.wait()
            params: dict[str, object] = {"modules": list(modules)}
            await sandbox.call("warm_up", params, timeout_s=2 * self._timeout_s)
            sandbox.is_warm = True

    async def _warm_up(self, sandbox: Warmable) -> None:
        """Warm one up; the first cell will say what is wrong with it, if something is."""
        with contextlib.suppress(SandboxError, ToolError):
            await self.warm(sandbox)
