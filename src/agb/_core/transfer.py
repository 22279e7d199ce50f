"""How much of a file one request carries. An endpoint does not say; it is found out by using it."""

from __future__ import annotations

from agb._core.exceptions import AGBError, APITimeoutError, AuthenticationError, SessionError

CHUNK_SIZE = 51_200
"""Bytes that every service takes and gives: what official clients have always used."""

RANGE_SIZE = 2 << 20
RANGES_AT_ONCE = 6
"""Ranges of a file in flight: together with RANGE_SIZE what a read needs besides its content."""

_WRITE_SIZES = (16 << 20, 4 << 20, 1 << 20, CHUNK_SIZE)
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

    def found_write(self, size: int) -> None:
        """Remember a length of text that was written at once."""
        self.appendable_size = max(self.appendable_size, size)

    def try_smaller_writes(self, size: int) -> None:
        """Remember that a text of this length was too long for one write."""
        self.write_size = next((less for less in _WRITE_SIZES if less < size), CHUNK_SIZE)
        self.appendable_size = min(self.appendable_size, self.write_size)


def may_range_be_too_long(error: AGBError) -> bool:
    """Tell whether a read may have failed for its length."""
    return isinstance(error, APITimeoutError) or _is_answer(error)


def may_write_be_too_long(error: AGBError, mode: str) -> bool:
    """Tell whether a write may have failed for its length, and nothing of it can still happen.

    What was to be overwritten may be overwritten again. An append may have been done, unless it was
    turned away for its size.
    """
    if mode == "append":
        return error.status_code == _CONTENT_TOO_LARGE
    return _is_answer(error) and error.status_code not in _STILL_AT_WORK


def _is_answer(error: AGBError) -> bool:
    known = isinstance(error, (AuthenticationError, SessionError))
    return error.status_code is not None and not known
