"""The files of a session from outside, opened by its agent: whole ones, read and written."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Protocol

from ..contexts.incoming import Incoming
from ..failures import SandboxError, ToolError
from .failures import SessionNotFound
from .live_session import Turn


class Turns(Protocol):
    """Lends the sandboxes of sessions; see `SessionManager.turn`."""

    def turn(
        self, session_id: str, *, limit_s: float, queue: str | None = None
    ) -> AbstractAsyncContextManager[Turn]:
        """Wait for the turn to make calls in a session."""
        ...


class SessionFiles:
    """The files of one session, opened by its agent: a path means what it means in there.

    A transfer is a call of the session: as long as it goes on, the session is not idle.
    """

    def __init__(self, session_id: str, turns: Turns, limit_s: float, max_bytes: int) -> None:
        self._session_id = session_id
        self._turns = turns
        self._limit_s = limit_s
        self._max_bytes = max_bytes

    @asynccontextmanager
    async def reading(self, path: str) -> AsyncGenerator[int, None]:
        """Open a file for reading.

        Raises:
            ToolError: It can't be read; the message is for the user.
            SessionNotFound: The session has ended.
        """
        async with self._turns.turn(self._session_id, limit_s=self._limit_s) as turn:
            descriptor, _ = await turn.open("open_file", path)
            try:
                yield descriptor
            finally:
                os.close(descriptor)

    @asynccontextmanager
    async def writing(self, path: str) -> AsyncGenerator[Incoming, None]:
        """Write a file, in pieces; it takes its place whole at the end, or not at all.

        Raises:
            ToolError: It can't be there; the message is for the user.
            TooMuch: It is larger than a file of a session may be.
            SessionNotFound: The session has ended.
        """
        async with self._turns.turn(self._session_id, limit_s=self._limit_s) as turn:
            descriptor, created = await turn.open("create_part", path)
            part, target = created["part"], created["target"]
            try:
                try:
                    yield Incoming(descriptor, self._max_bytes)
                finally:
                    os.close(descriptor)
                places: dict[str, object] = {"part": part, "target": target}
                await turn.call("finish_part", places, timeout_s=self._limit_s)
            except BaseException:
                with suppress(ToolError, SandboxError, SessionNotFound):
                    await turn.call("remove_part", {"part": part}, timeout_s=self._limit_s)
                raise
