"""The end of a session: what is saved before it, and how to wait until it is gone."""

from __future__ import annotations

import logging

from agb._core.contexts import sync_operations
from agb._core.exceptions import AGBError, APIError, SessionNotFoundError
from agb._core.results import DeleteResult
from agb._core.sessions import session_calls
from agb._core.sessions.operations import prefixed, status_of
from agb._core.wire import polling
from agb._core.wire.operation import Steps, operation, send

_GONE_POLLS = 300
_GONE_INTERVAL_S = 1.0

_logger = logging.getLogger("agb")


@operation(DeleteResult)
def delete(session_id: str, sync_context: bool, wait: bool = False) -> Steps[DeleteResult]:
    """Delete a session, after its contexts were synced if that is asked for."""
    if sync_context:
        synced = yield from sync_operations.sync(session_id)
        if not synced.success:
            # What goes wrong with it never blocks a deletion.
            _logger.warning(
                "Context sync of session %s before its deletion: %s",
                session_id,
                synced.error_message,
            )
    try:
        reply = yield from send(session_calls.release_session(session_id))
    except APIError as error:
        if error.status_code is not None:
            raise
        raise prefixed(f"Failed to delete session {session_id}", error) from error
    if wait:
        yield from _wait_until_gone(session_id)
    return DeleteResult(request_id=reply.request_id, success=True)


def _wait_until_gone(session_id: str) -> Steps[None]:
    def ask() -> Steps[bool | None]:
        try:
            reply = yield from send(session_calls.get_status(session_id))
        except AGBError as error:
            if _says_gone(error):
                return True
            raise
        return True if status_of(reply) == "FINISH" else None

    what = f"Deletion of session {session_id}"
    yield from polling.until(ask, times=_GONE_POLLS, interval_s=_GONE_INTERVAL_S, what=what)


def _says_gone(error: AGBError) -> bool:
    """Tell whether an error means that there is no such session (trap T22)."""
    reason = str(error).lower().replace(" ", "")
    return isinstance(error, SessionNotFoundError) or "notfound" in reason
