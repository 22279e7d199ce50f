"""A file that somebody sends: written in pieces up to a limit, and named by its content."""

from __future__ import annotations

import hashlib
import os

from .failures import TooMuch

_CHUNK = 1 << 20


class Incoming:
    """A file that is being written."""

    def __init__(self, descriptor: int, bytes_left: int) -> None:
        self._descriptor = descriptor
        self._bytes_left = bytes_left
        self._digest = hashlib.md5(usedforsecurity=False)

    def write(self, piece: bytes) -> None:
        """Append a piece.

        Raises:
            TooMuch: The file is larger than a context may be.
        """
        self._bytes_left -= len(piece)
        if self._bytes_left < 0:
            raise TooMuch("it is larger than a context may be")
        self._digest.update(piece)
        while piece:
            piece = piece[os.write(self._descriptor, piece) :]

    def tag(self) -> str:
        """Return the MD5 of what was written, as stores of objects name a content."""
        return self._digest.hexdigest()


def tag_of(descriptor: int, size: int) -> str:
    """Return the MD5 of the first so many bytes of a file."""
    digest = hashlib.md5(usedforsecurity=False)
    offset = 0
    while offset < size and (piece := os.pread(descriptor, min(_CHUNK, size - offset), offset)):
        digest.update(piece)
        offset += len(piece)
    return digest.hexdigest()
