"""What can go wrong with contexts and their files."""

from __future__ import annotations

from collections.abc import Sequence


class ContextNotFound(Exception):
    """Raised for a context that this server does not have."""

    def __init__(self, context_id: str) -> None:
        super().__init__(f"Context not found: {context_id[:100]}.")


class NameTaken(Exception):
    """Raised for a name that another context has."""


class CannotMount(Exception):
    """Raised for a context that can't be at the path it was asked for."""


class TooMuch(Exception):
    """Raised for a file or a tree that is larger or deeper than allowed."""


class NotSaved(Exception):
    """Raised for a session whose files have no room in their contexts."""

    def __init__(self, context_ids: Sequence[str]) -> None:
        super().__init__(
            "The session was not deleted, because the server's disk has no room for the files of "
            f"its context {', '.join(context_ids)}. Make room there, or fetch or delete files of "
            "the session, and delete it again."
        )
