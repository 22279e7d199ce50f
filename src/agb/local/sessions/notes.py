"""What is noted of the lives of sessions, where it can be written down."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Generator

from .records import Status
from .store import Store

logger: logging.Logger = logging.getLogger(__name__)


class Notes:
    """Notes what becomes of sessions.

    Life goes on without a note that can't be written: the log has it instead, and the next start
    finds out by itself.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def status(self, session_id: str, status: Status) -> None:
        """Note where a session is in its life."""
        with _logged(session_id):
            self._store.set_status(session_id, status)

    def arrival(self, session_id: str) -> None:
        """Note that the files of a session's contexts are all there."""
        with _logged(session_id):
            self._store.note_arrival(session_id)

    def end(self, session_id: str) -> None:
        """Forget a session of which nothing is left."""
        with _logged(session_id):
            self._store.remove(session_id)


@contextlib.contextmanager
def _logged(session_id: str) -> Generator[None]:
    try:
        yield
    except sqlite3.Error as error:
        logger.error("the state of %s was not written down: %s", session_id, error)
