"""What a started process wrote: both streams in one order, as far back as there is room."""

from __future__ import annotations

from collections import deque

# A piece of output costs about that much besides its bytes.
_PIECE_COST = 256
# Pieces of one stream that follow each other are joined up to this size.
_JOINED = 1 << 14


class _Piece:
    """Bytes of one stream, the first of them at a position of the whole."""

    __slots__ = ("data", "start", "stream")

    def __init__(self, stream: str, start: int, data: bytes) -> None:
        self.stream = stream
        self.start = start
        self.data = bytearray(data)

    @property
    def end(self) -> int:
        return self.start + len(self.data)


class ProcessOutput:
    """The newest output of a process; a position counts the bytes of both streams.

    Reading changes nothing, so any number of readers can read, and read again.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: deque[_Piece] = deque()
        self._cost = 0
        self.end: int = 0
        """The position after the last byte."""

    def add(self, stream: str, data: bytes) -> None:
        """Take in what was read, and let go of the oldest if there is no more room."""
        last = self._pieces[-1] if self._pieces else None
        if last is not None and last.stream == stream and len(last.data) < _JOINED:
            last.data += data
        else:
            self._pieces.append(_Piece(stream, self.end, data))
            self._cost += _PIECE_COST
        self._cost += len(data)
        self.end += len(data)
        while self._cost > self._limit and len(self._pieces) > 1:
            self._cost -= _PIECE_COST + len(self._pieces.popleft().data)

    def has_room(self, position: int, size: int) -> bool:
        """Tell whether so many bytes more cost nothing that a reader at a position has not read."""
        room = self._limit - self._cost - _PIECE_COST
        for piece in self._pieces:
            if room >= size or piece.end > position:
                break
            room += _PIECE_COST + len(piece.data)
        return room >= size

    def read(self, position: int, at_most: int) -> tuple[list[tuple[str, bytes]], int, int]:
        """Read from a position on.

        Args:
            position: Where to begin.
            at_most: How many bytes.

        Returns:
            The pieces with the names of their streams, the position after them, and how many bytes
            from the given position on were let go before.
        """
        begin = max(position, self._pieces[0].start if self._pieces else self.end)
        stop = min(begin + at_most, self.end)
        found = [
            (piece.stream, bytes(piece.data[max(0, begin - piece.start) : stop - piece.start]))
            for piece in self._pieces
            if piece.start < stop and piece.end > begin
        ]
        return found, stop, begin - position
