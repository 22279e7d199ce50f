"""A sandbox that has ended, with a session that goes on: it is opened again at the first call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..failures import SandboxError, SandboxGone

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Mapping

    from .sandbox import OnEvent, Sandbox

NOTICE = (
    "This session was started anew: variables of earlier cells and started processes"
    " are gone; files in the home directory and in contexts are kept."
)
"""What the first cell is told."""


class RestoredSandbox:
    """A sandbox that waits for its first call; see `Sandbox`.

    Attributes:
        workspace: The name of its files.
        volumes: Their directories on this machine, by their paths inside.
    """

    def __init__(
        self,
        workspace: str,
        volumes: Mapping[str, str],
        open_again: Callable[[], Awaitable[Sandbox]],
        remove: Callable[[str], Awaitable[None]],
    ) -> None:
        self.workspace: str = workspace
        self.volumes: Mapping[str, str] = volumes
        self._open_again = open_again
        self._remove = remove
        self._opening: asyncio.Task[Sandbox] | None = None
        self._closed = False

    async def call(
        self,
        method: str,
        params: dict[str, object],
        *,
        timeout_s: float,
        on_event: OnEvent | None = None,
    ) -> dict[str, object]:
        """Do one operation inside; see `Sandbox.call`."""
        sandbox = await self._opened()
        return await sandbox.call(method, params, timeout_s=timeout_s, on_event=on_event)

    async def connect(self, port: int) -> socket.socket:
        """Connect to a port; see `Sandbox.connect`."""
        sandbox = await self._opened()
        return await sandbox.connect(port)

    async def open(self, method: str, path: str) -> tuple[int, dict[str, object]]:
        """Have a file of the session opened; see `Sandbox.open`."""
        sandbox = await self._opened()
        return await sandbox.open(method, path)

    async def end(self) -> None:
        """End all its processes; its files are kept."""
        self._closed = True
        if self._opening is not None:
            await asyncio.wait({self._opening})
            if not self._opening.cancelled() and self._opening.exception() is None:
                await self._opening.result().end()

    async def aclose(self) -> None:
        """End all its processes and remove its files; may be called again."""
        await self.end()
        await self._remove(self.workspace)

    async def _opened(self) -> Sandbox:
        """Open it, once for all who ask.

        Raises:
            SandboxError: It can't be opened now; whoever asks next tries again.
        """
        if self._closed:
            raise SandboxGone("This session has been closed")
        if self._opening is None:
            # A task of its own: whoever asked first may hang up meanwhile.
            self._opening = asyncio.ensure_future(self._open_again())
        opening = self._opening
        try:
            return await asyncio.shield(opening)
        except SandboxError:
            if self._opening is opening:
                self._opening = None
            raise
