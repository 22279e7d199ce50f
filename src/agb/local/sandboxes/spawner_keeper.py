"""Keeps a spawner running: another one takes the place of one that was killed."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ..failures import SandboxError
from .spawning import SpawnerFailed, Spawning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..machine.host import Host

logger: logging.Logger = logging.getLogger(__name__)


class SpawnerKeeper:
    """Starts what starts sandboxes when it is first needed, and again when it has gone."""

    def __init__(self, host: Host, locks: Sequence[int], close_timeout_s: float) -> None:
        """Start nothing yet.

        Args:
            host: The machine, made ready.
            locks: Descriptors that hold locks, to hold them until all sandboxes are gone.
            close_timeout_s: Seconds to wait for the end of one.
        """
        self.closing: bool = False
        """Whether no other one is to be started."""
        self._host = host
        self._locks = locks
        self._close_timeout_s = close_timeout_s
        self._spawning: Spawning | None = None
        self._restarting = asyncio.Lock()
        self._replacing: asyncio.Task[None] | None = None

    async def running(self) -> Spawning:
        """Return the spawner; a new one if it was killed, for its sandboxes are gone anyway.

        Raises:
            SandboxError: The server is shutting down.
            SpawnerFailed: It could not get ready.
        """
        if self.closing:
            raise SandboxError("The server is shutting down")
        async with self._restarting:
            if self._spawning is not None and not self._spawning.alive:
                await self._spawning.aclose(self._close_timeout_s)
                self._spawning = None
            if self._spawning is None:
                self._spawning = await Spawning.start(
                    self._host.state,
                    self._host.private_binds,
                    self._host.users,
                    self._host.filter,
                    self._host.groups.directories,
                    self._host.watch(),
                    self._locks,
                    self._replace,
                )
            return self._spawning

    async def aclose(self) -> None:
        """End the spawner, and with it all its sandboxes."""
        async with self._restarting:
            spawning, self._spawning = self._spawning, None
        if spawning is not None:
            await spawning.aclose(self._close_timeout_s)

    def _replace(self) -> None:
        """Start another one at once: it clears away what one leaves that was killed."""
        self._replacing = asyncio.create_task(self._start_another())

    async def _start_another(self) -> None:
        try:
            await self.running()
        except (SpawnerFailed, SandboxError, OSError) as error:
            # The next session that needs it tries again, and says what is wrong.
            logger.warning("the process that starts sandboxes was killed; no other one: %s", error)
