"""What each error of this server is called on the wire."""

from __future__ import annotations

import errno
import sqlite3

from ..contexts.failures import CannotMount, ContextNotFound, NotSaved
from ..failures import SandboxError, SandboxGone, ToolError
from ..sessions.failures import ServerEnding, SessionNotFound, TooManyLinks, TooManySessions
from ..state.paging import InvalidPageToken
from .envelope import ApiFailure, invalid_request, not_supported


def refusal(error: Exception, *, tool_call: bool) -> ApiFailure:
    """Describe an error for the client.

    Args:
        error: What went wrong.
        tool_call: True if a tool was called.

    Returns:
        Its status, its code and a message; nothing of a mistake of the server itself.
    """
    match error:
        case ApiFailure():
            return error
        case InvalidPageToken():
            return invalid_request("nextToken is not one that this server gave out")
        case SessionNotFound():
            # Tools and the session API have always had different names for it.
            kind = "InvalidSession" if tool_call else "InvalidMcpSession"
            return ApiFailure(400, f"{kind}.NotFound", str(error))
        case ContextNotFound():
            return ApiFailure(400, "InvalidContext.NotFound", str(error))
        case CannotMount():
            return not_supported(str(error))
        case NotSaved():
            return ApiFailure(500, "ContextNotSaved", str(error))
        case TooManySessions():
            return ApiFailure(429, "TooManySessions", str(error))
        case TooManyLinks():
            return ApiFailure(429, "TooManyLinks", str(error))
        case ServerEnding():
            return ApiFailure(503, "ServerEnding", str(error))
        case sqlite3.DatabaseError():
            # A full disk, nearly always; the transaction was undone.
            return _not_written(str(error))
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return _not_written(error.strerror or str(error))
        case SandboxGone():
            return ApiFailure(500, "SandboxGone", str(error))
        case SandboxError():
            return ApiFailure(500, "SandboxError", str(error))
        case ToolError():
            return ApiFailure(400, "ToolError", str(error))
        case _:
            return ApiFailure(500, "InternalError", "The server made a mistake; see its log.")


def _not_written(reason: str) -> ApiFailure:
    return ApiFailure(
        500,
        "StateNotWritten",
        f"The server can't write down its state, and nothing was changed: {reason}. If its disk "
        "is full, make room there and call again.",
    )
