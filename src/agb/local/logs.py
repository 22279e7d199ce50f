"""The server's log: warnings and errors on standard error, without keys, headers or bodies."""

from __future__ import annotations

import logging
import os
import stat
import sys


def set_up(*, max_bytes: int | None) -> None:
    """Send warnings and errors to standard error.

    Args:
        max_bytes: How long a file behind standard error may grow before it is begun again; None
            leaves it to whoever looks after the file.
    """
    handler = StandardError(max_bytes)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    # Of our own also what is no warning: how well sessions are isolated.
    logging.getLogger("agb").setLevel(logging.INFO)


class StandardError(logging.Handler):
    """Writes to standard error, and keeps a file behind it short."""

    def __init__(self, max_bytes: int | None) -> None:
        super().__init__()
        self._max_bytes = max_bytes

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; never raises."""
        try:
            self._begin_again_if_too_long(sys.stderr.fileno())
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:
            self.handleError(record)

    def _begin_again_if_too_long(self, fd: int) -> None:
        status = os.fstat(fd)
        if (
            self._max_bytes is not None
            and stat.S_ISREG(status.st_mode)
            and status.st_size > self._max_bytes
        ):
            os.ftruncate(fd, 0)
            # Without O_APPEND the next line would be written behind a hole.
            os.lseek(fd, 0, os.SEEK_SET)
