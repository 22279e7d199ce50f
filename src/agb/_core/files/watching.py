"""Watching a directory: what follows from the answer to each poll.

Both colours do the same with it: pause, poll, hand over what is new, until watching is over.
"""

from __future__ import annotations

import logging

from agb._core import arguments
from agb._core.exceptions import (
    AGBError,
    InvalidArgumentError,
    LocalServerError,
    SessionNotFoundError,
)
from agb._core.files import operations as files
from agb._core.files.change_results import FileChangeEvent
from agb._core.wire.operation import Steps

# Pauses between polls that fail grow up to this, or to the interval if that is longer.
_LONGEST_PAUSE_S = 30.0
# However long a server asks to stay away.
_LONGEST_ASKED_S = 3600.0
# An embedded server that died took its sessions with it.
_SESSION_IS_GONE = (SessionNotFoundError, LocalServerError)

_logger = logging.getLogger("agb")


class Polling:
    """The polls of one watched directory.

    Args:
        session_id: The session.
        path: The directory.
        interval: Seconds between two polls.

    Attributes:
        pause_s: How long to wait before the next poll, in seconds.
        is_ready: Whether the first poll has set the point that later ones compare with.
        is_over: Whether there is nothing to poll any more.

    Raises:
        InvalidArgumentError: If the path or the interval can't be used.
    """

    def __init__(self, session_id: str, path: str, interval: float) -> None:
        self._session_id = session_id
        self._path = arguments.path("path", path)
        self._interval_s = arguments.seconds("interval", interval)
        self._grown_s = self._interval_s
        self.pause_s: float = 0.0
        self.is_ready: bool = False
        self.is_over: bool = False

    def poll(self) -> Steps[list[FileChangeEvent]]:
        """Ask once what changed; the first answer only sets the point to compare with.

        Returns:
            What is to be handed over: nothing if nothing changed, or if the poll failed.
        """
        result = yield from files.changes(self._session_id, self._path)
        if not result.success:
            self._failed(result.exception or AGBError(result.error_message))
            return []
        self._grown_s = self.pause_s = self._interval_s
        was_ready, self.is_ready = self.is_ready, True
        return result.events if was_ready else []

    def end(self, reason: str) -> None:
        """Poll no more."""
        self.is_over = True
        _logger.info("Watching in session %s has ended: %s", self._session_id, reason)

    def callback_failed(self) -> None:
        """Log the exception that a callback has just raised: watching goes on."""
        _logger.exception("The callback of a watcher in session %s failed", self._session_id)

    def _failed(self, error: AGBError) -> None:
        if isinstance(error, _SESSION_IS_GONE):
            self.end(str(error))
            return
        self._grown_s = min(2 * self._grown_s, max(_LONGEST_PAUSE_S, self._interval_s))
        self.pause_s = max(self._grown_s, min(error.retry_after or 0.0, _LONGEST_ASKED_S))
        # There is no result to return it in.
        _logger.warning(
            "A watcher in session %s polls again in %.3g s: %s: %s",
            self._session_id,
            self.pause_s,
            type(error).__name__,
            error,
        )


def check_callback(callback: object) -> None:
    """Check that a callback can be called."""
    if not callable(callback):
        raise InvalidArgumentError(
            f"callback must be a function (found {arguments.shown(callback)})"
        )


def check_stop_event(stop_event: object, kind: type) -> None:
    """Check that what stops a watcher is an event of the right colour, or None."""
    if stop_event is not None and not isinstance(stop_event, kind):
        name = f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
        raise InvalidArgumentError(
            f"stop_event must be a {name} (found {arguments.shown(stop_event)})"
        )
