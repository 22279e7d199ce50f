"""Contexts for file transfer: one for each session that asks, a window into its own files.

What is written to an address of such a context is at its path in the session, whole and at once;
what is read from one is the session's file as it is then. Nothing is kept in between, so a sync has
nothing left to do: it notes a task that has ended.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Protocol

from ..failures import SandboxError, ToolError
from ..live_session import SessionNotFound, Turn
from .shelf import Incoming

CONTEXT_TYPE = "file_transfer"


class Turns(Protocol):
    """Lends the sandboxes of sessions; see `SessionManager.turn`."""

    def turn(
        self, session_id: str, *, limit_s: float, queue: str | None = None
    ) -> AbstractAsyncContextManager[Turn]:
        """Wait for the turn to make calls in a session."""
        ...


class TransferContexts:
    """Which context stands for the files of which session."""

    def __init__(self) -> None:
        self._contexts: dict[str, str] = {}
        self._sessions: dict[str, str] = {}

    def of_session(self, session_id: str) -> str:
        """Return the context of a session, made when it is first asked for."""
        if session_id not in self._contexts:
            context_id = f"context-{secrets.token_hex(16)}"
            self._contexts[session_id] = context_id
            self._sessions[context_id] = session_id
        return self._contexts[session_id]

    def session_of(self, context_id: str) -> str | None:
        """Return the session of a context; None if it is no context for file transfer."""
        return self._sessions.get(context_id)

    def end(self, session_id: str) -> None:
        """Forget the context of a session that ends."""
        context_id = self._contexts.pop(session_id, None)
        if context_id is not None:
            del self._sessions[context_id]


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
