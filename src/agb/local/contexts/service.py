"""The contexts of one server: which there are, their files, and their use by sessions."""

from __future__ import annotations

import asyncio
import logging
import os

from ..sandboxes.sandbox import SandboxFactory
from ..settings import Settings
from .catalog import Catalog, Context
from .failures import CannotMount
from .file_transfer import TransferContexts
from .mounts import Mount
from .shelf import Shelf
from .transfers import Transfers

logger: logging.Logger = logging.getLogger(__name__)


class Contexts:
    """The contexts of one server.

    Where `Settings.contexts_directory` names no directory, they end with the server.

    Attributes:
        catalog: Which there are.
        shelf: Their files.
        transfers: Their use by sessions.
        of_sessions: Those that stand for the files of a session.
    """

    def __init__(self, settings: Settings, temporary: str) -> None:
        """Open them.

        Args:
            settings: The limits and paths.
            temporary: A directory that ends with the server, to use where no other is named.
        """
        directory = settings.contexts_directory or temporary
        files = os.path.join(directory, "files")
        os.makedirs(files, mode=0o700, exist_ok=True)
        os.chmod(directory, 0o700)
        self.catalog: Catalog = Catalog(directory)
        self.shelf: Shelf = Shelf(files, settings.max_context_bytes)
        self.transfers: Transfers = Transfers(self.catalog, self.shelf)
        self.of_sessions: TransferContexts = TransferContexts()
        self._clearing: dict[str, asyncio.Task[None]] = {}

    def check(self, mounts: list[Mount], sandboxes: SandboxFactory) -> None:
        """Check that a session can have these contexts at these paths.

        Raises:
            ContextNotFound: There is no such context.
            CannotMount: It can't be there.
        """
        for mount in mounts:
            self.catalog.get(mount.context_id)
            reason = sandboxes.why_not_a_volume(mount.path)
            if reason:
                raise CannotMount(f"A context can't be at {mount.path}: {reason}.")

    def make(self, name: str) -> Context:
        """Make a context."""
        made = self.catalog.add(name)
        try:
            self.shelf.make(made.id)
        except OSError:
            self.catalog.remove(made.id)
            raise
        return made

    def state(self, context_id: str) -> str:
        """Say whether a context can be used, in the words of the wire."""
        return "clearing" if context_id in self._clearing else "available"

    def clear(self, context_id: str) -> None:
        """Begin to empty a context.

        Raises:
            ContextNotFound: There is none.
        """
        self.catalog.get(context_id)
        if context_id not in self._clearing:
            self._clearing[context_id] = asyncio.create_task(self._clear(context_id))

    async def remove(self, context_id: str) -> None:
        """Remove a context with all its files; sessions that have it keep their own copies.

        Raises:
            ContextNotFound: There is none.
        """
        self.catalog.get(context_id)
        self.catalog.remove(context_id)
        async with self.transfers.lock(context_id):
            await asyncio.to_thread(self.shelf.remove, context_id)
        self.transfers.forget(context_id)

    async def aclose(self) -> None:
        """Let go of everything."""
        for task in list(self._clearing.values()):
            await task
        self.catalog.close()

    async def _clear(self, context_id: str) -> None:
        try:
            async with self.transfers.lock(context_id):
                await asyncio.to_thread(self.shelf.clear, context_id)
        except OSError:
            logger.exception("%s was not cleared", context_id)
        finally:
            del self._clearing[context_id]
