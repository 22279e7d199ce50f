"""How much of a file one request carries. An endpoint does not say; it is found out by using it."""

from __future__ import annotations

from agb._core.exceptions import AGBError, APITimeoutError, AuthenticationError, SessionError

CHUNK_SIZE = 51_200
"""Bytes that every service takes and gives: what official clients have always used."""

# Not a length that base64 text has, so a service that gives less is not taken for one of text.
RANGE_SIZE = (2 << 20) - 1
RANGES_AT_ONCE = 6
"""Ranges of a file in flight: together with RANGE_SIZE what a read needs besides its content."""

SLOWEST_LINE = 64 << 10
"""Bytes that a line carries in a second at the least, for the time that a long write may take."""

_WRITE_SIZES = (16 << 20, 4 << 20, 1 << 20, 256 << 10, CHUNK_SIZE)
_BAD_REQUEST = 400
_CONTENT_TOO_LARGE = 413
# Something on the way gave up on the service, which may be at work all the same.
_STILL_AT_WORK = (408, 502, 503, 504)


class Transfer:
    """What one client has found out about its endpoint.

    Attributes:
        is_binary: Whether it gives ranges of bytes; an old service gives text whatever is asked.
        range_size: The longest range to ask for, in bytes.
        is_range_sure: Whether a range of that length has come.
        write_size: The longest text to try in one write, in bytes.
        appendable_size: The longest text that was written at once, in bytes. An append is no place
            for a try: when it fails, it may have been done.
    """

    def __init__(self) -> None:
        self.is_binary = True
        self.range_size = RANGE_SIZE
        self.is_range_sure = False
        self.write_size = _WRITE_SIZES[0]
        self.appendable_size = CHUNK_SIZE

    def found_range(self, size: int) -> None:
        """Remember a length of ranges that works."""
        self.range_size = size
        self.is_range_sure = True

    def found_write(self, size: int, refused_size: int) -> None:
        """Remember a length of text that was written at once, after another (or 0) was not."""
        self.appendable_size = max(self.appendable_size, size)
        if refused_size:
            self.write_size = self.appendable_size = shorter_write(refused_size)


def shorter_write(size: int) -> int:
    """Return how long a text to try after one of this length was refused."""
    return next((shorter for shorter in _WRITE_SIZES if shorter < size), CHUNK_SIZE)


def may_range_be_too_long(error: AGBError) -> bool:
    """Tell whether a read may have failed for its length."""
    return isinstance(error, APITimeoutError) or _is_answer(error)


def may_write_be_too_long(error: AGBError, mode: str) -> bool:
    """Tell whether a write may have been refused for its length, and is sure not to happen later.

    What was to be overwritten may be overwritten again. An append may have been done, unless it was
    turned away for its size. A tool that failed has read the whole request.
    """
    status = error.status_code
    if mode == "append" or status is None:
        return status == _CONTENT_TOO_LARGE
    return _is_answer(error) and status >= _BAD_REQUEST and status not in _STILL_AT_WORK


def _is_answer(error: AGBError) -> bool:
    known = isinstance(error, (AuthenticationError, SessionError))
    return error.status_code is not None and not known
