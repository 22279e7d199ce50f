"""The files of one context from outside: whole ones, read and written."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ..failures import ToolError
from .incoming import Incoming
from .service import Contexts


class ContextFiles:
    """The files of one context."""

    def __init__(self, contexts: Contexts, context_id: str) -> None:
        self._contexts = contexts
        self._context_id = context_id

    @asynccontextmanager
    async def reading(self, path: str) -> AsyncGenerator[int, None]:
        """Open a file for reading."""
        self._contexts.catalog.get(self._context_id)
        try:
            descriptor = self._contexts.shelf.open(self._context_id, path)
        except OSError as error:
            raise ToolError(f"There is no file {path} in this context.") from error
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @asynccontextmanager
    async def writing(self, path: str) -> AsyncGenerator[Incoming, None]:
        """Write a file that takes its place whole, or not at all."""
        self._contexts.catalog.get(self._context_id)
        async with self._contexts.transfers.lock(self._context_id):
            with self._contexts.shelf.writing(self._context_id, path) as incoming:
                yield incoming
