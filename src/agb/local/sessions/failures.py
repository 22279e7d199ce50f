"""What can go wrong with a session, apart from its sandbox."""

from __future__ import annotations

from ..failures import SandboxError


class TooManySessions(Exception):
    """Raised when as many sessions live as the server allows."""


class SessionNotFound(Exception):
    """Raised for a session that this server does not have, or no longer has."""

    # Clients look for the words "not found" when they wait for a session to end, and for "expired"
    # to stop watching one.
    reason = "It was never created on this server, or it has been released or has expired."

    def __init__(self, session_id: str) -> None:
        super().__init__(f"Session not found: {session_id[:100]}. {self.reason}")


class SessionReleased(SessionNotFound):
    """Raised for a call that ran when its session was released."""

    reason = "It was deleted or has expired while this call ran, which ended the call."


class ServerEnding(SandboxError):
    """Raised for a call that runs, or would begin, when the server ends."""

    def __init__(self, *, kept: bool, ran: bool) -> None:
        what = "The server has ended while this call ran" if ran else "The server is ending"
        after = (
            "the session is there again when it is started again" if kept else "its sessions end"
        )
        super().__init__(f"{what}; {after}.")


class TooManyLinks(Exception):
    """Raised when a session has as many links as it may have."""
