"""Contexts for file transfer: one for each session that asks, a window into its own files.

What is written to an address of such a context is at its path in the session, whole and at once;
what is read from one is the session's file as it is then. Nothing is kept in between, so a sync has
nothing left to do: it notes a task that has ended.
"""

from __future__ import annotations

import secrets

CONTEXT_TYPE = "file_transfer"


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
