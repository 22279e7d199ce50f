"""Reading a file: first its size, then ranges of bytes, decoded once."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from attrs import define, field

from agb._core import arguments
from agb._core.exceptions import FileError, InvalidArgumentError
from agb._core.files import CHUNK_SIZE, call_tool, read_facts
from agb._core.operation import Steps, operation
from agb._core.replies import Reply
from agb._core.tool_results import BinaryFileContentResult, FileContentResult

# No base64 text is of this length, so an answer of it is the text of a full range.
_SIZELESS_RANGE = CHUNK_SIZE - 1


@operation(FileContentResult)
def read_text(session_id: str, path: str) -> Steps[FileContentResult]:
    """Read a text file."""
    reply, content = yield from _read(session_id, path)
    return FileContentResult(
        request_id=reply.request_id, success=True, content=content.decode(errors="replace")
    )


@operation(BinaryFileContentResult)
def read_bytes(session_id: str, path: str) -> Steps[BinaryFileContentResult]:
    """Read a file as bytes."""
    reply, content = yield from _read(session_id, path)
    return BinaryFileContentResult(
        request_id=reply.request_id, success=True, content=content, size=len(content)
    )


@operation(FileContentResult)
def unknown_format(format: object) -> Steps[FileContentResult]:
    """Refuse a format that is neither `text` nor `bytes`, without a request."""
    raise InvalidArgumentError(f"format must be 'text' or 'bytes' (found {format!r})")
    yield  # makes this a generator, as every operation is


def _read(session_id: str, path: str) -> Steps[tuple[Reply, bytes]]:
    arguments.path("path", path)
    first, answer = yield from call_tool(session_id, "get_file_info", {"path": path})
    facts = read_facts(answer)
    if facts.get("isDirectory") is True:
        raise first.refused(f"{path} is a directory; list_directory reads it", FileError)
    size = facts.get("size")
    if not isinstance(size, int):
        raise first.refused(f"The reply to get_file_info has no size of {path}", FileError)
    if size == 0:
        return first, (yield from _read_sizeless(session_id, path))
    content = _Content()
    while content.offset < size:
        length = min(CHUNK_SIZE, size - content.offset)
        given = content.request(path, length)
        _, answer = yield from call_tool(session_id, "read_file", given)
        if not content.add(answer, length):
            break
    if content.is_broken():
        _, answer = yield from call_tool(session_id, "read_file", {"path": path})
        return first, answer.encode()
    return first, content.joined()


def _read_sizeless(session_id: str, path: str) -> Steps[bytes]:
    """Read what says it is empty: true of an empty file, not of one in `/proc` (trap T10)."""
    content = _Content()
    while True:
        given = content.request(path, _SIZELESS_RANGE)
        _, answer = yield from call_tool(session_id, "read_file", given)
        if not answer or not content.add(answer, _SIZELESS_RANGE):
            return content.joined()


@define
class _Content:
    """What was read so far, in bytes; falls back to text where a service knows no binary form."""

    offset: int = 0
    pieces: list[bytes] = field(factory=list[bytes])
    binary: bool = True

    def request(self, path: str, length: int) -> dict[str, Any]:
        given: dict[str, Any] = {"path": path, "offset": self.offset, "length": length}
        return {**given, "format": "binary"} if self.binary else given

    def add(self, answer: str, length: int) -> bool:
        """Add the answer for the next `length` bytes; return whether there may be more."""
        piece = self._decoded(answer, length)
        self.pieces.append(piece)
        # Text may hold the rest of a character that ends behind the range (trap T9).
        self.offset += length
        return not self.binary or len(piece) == length

    def is_broken(self) -> bool:
        """Tell whether a service that cuts text by bytes broke a character at a seam."""
        mark = "\N{REPLACEMENT CHARACTER}".encode()
        edges = [piece.startswith(mark) or piece.endswith(mark) for piece in self.pieces]
        return not self.binary and len(self.pieces) > 1 and any(edges)

    def joined(self) -> bytes:
        return b"".join(self.pieces)

    def _decoded(self, answer: str, length: int) -> bytes:
        raw = answer.encode()
        if not self.binary:
            return raw
        try:
            piece = base64.b64decode(answer, validate=True)
        except (binascii.Error, ValueError):
            piece = None
        # An old service ignores `format` and sends the range itself. It can't be mistaken: base64
        # of a full range is longer than the range.
        if piece is None or len(raw) == length:
            self.binary = False
            return raw
        return piece
