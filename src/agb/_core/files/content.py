"""Reading a file: first its size, then ranges of bytes, several at once, decoded once.

An old service knows no binary form, or only small ranges; the first long read finds that out.
"""

from __future__ import annotations

import base64
import binascii
from functools import partial

from agb._core import arguments
from agb._core.exceptions import AGBError, FileError, InvalidArgumentError
from agb._core.files.operations import call_tool, read_facts
from agb._core.files.request_sizes import (
    CHUNK_SIZE,
    RANGES_AT_ONCE,
    Transfer,
    may_range_be_too_long,
)
from agb._core.files.results import BinaryFileContentResult, FileContentResult
from agb._core.tools import tool_calls
from agb._core.wire.call import Call
from agb._core.wire.operation import Steps, operation, send, send_together
from agb._core.wire.replies import Reply, tool_text

# No base64 text is of this length, so an answer of it is the text of a full range.
_SIZELESS_RANGE = CHUNK_SIZE - 1


@operation(FileContentResult)
def read_text(session_id: str, path: str, transfer: Transfer) -> Steps[FileContentResult]:
    """Read a text file."""
    reply, content = yield from _read(session_id, path, transfer)
    return FileContentResult(
        request_id=reply.request_id, success=True, content=content.decode(errors="replace")
    )


@operation(BinaryFileContentResult)
def read_bytes(session_id: str, path: str, transfer: Transfer) -> Steps[BinaryFileContentResult]:
    """Read a file as bytes."""
    reply, content = yield from _read(session_id, path, transfer)
    return BinaryFileContentResult(
        request_id=reply.request_id, success=True, content=content, size=len(content)
    )


@operation(FileContentResult)
def unknown_format(format: object) -> Steps[FileContentResult]:
    """Refuse a format that is neither `text` nor `bytes`, without a request."""
    raise InvalidArgumentError(f"format must be 'text' or 'bytes' (found {format!r})")
    yield  # makes this a generator, as every operation is


def _read(session_id: str, path: str, transfer: Transfer) -> Steps[tuple[Reply, bytes]]:
    arguments.path("path", path)
    first, answer = yield from call_tool(session_id, "get_file_info", {"path": path})
    facts = read_facts(answer)
    if facts.get("isDirectory") is True:
        raise first.refused(f"{path} is a directory; list_directory reads it", FileError)
    size = facts.get("size")
    if not isinstance(size, int):
        raise first.refused(f"The reply to get_file_info has no size of {path}", FileError)
    # Text that came where bytes were asked for is the beginning of the file, if it can be used.
    found: bytes | str = ""
    if transfer.is_binary and size:
        found = yield from _read_ranges(session_id, path, size, transfer)
    elif transfer.is_binary:
        found = yield from _read_sizeless(session_id, path)
    if isinstance(found, str):
        transfer.is_binary = False
        found = yield from _read_as_text(session_id, path, size, found)
    return first, found


def _read_ranges(session_id: str, path: str, size: int, transfer: Transfer) -> Steps[bytes | str]:
    """Read a file of a known size; return text if the service gives that."""
    pieces: list[bytes] = []
    offset = 0
    longest = transfer.range_size
    while offset < size:
        # Until a range of full length has come, one request has to show that it does.
        end = size if transfer.is_range_sure else offset + 1
        ranges = [(start, min(longest, size - start)) for start in range(offset, end, longest)]
        calls = [_range(session_id, path, start, length) for start, length in ranges]
        readers = [partial(_decoded, length=length) for _, length in ranges]
        try:
            found = yield from send_together(calls, readers, RANGES_AT_ONCE)
        except AGBError as error:
            if ranges[0][1] <= CHUNK_SIZE or not may_range_be_too_long(error):
                raise
            longest = CHUNK_SIZE
            continue
        for (_, length), piece in zip(ranges, found, strict=True):
            if isinstance(piece, str):
                # An old service may not give more than this.
                return piece if length <= CHUNK_SIZE and not offset else ""
            pieces.append(piece)
            offset += len(piece)
            if len(piece) < min(length, CHUNK_SIZE):
                return b"".join(pieces)  # the file is shorter by now
            if len(piece) < length:
                longest = len(piece)  # the service gives no more at once
                break
        if longest != transfer.range_size or ranges[0][1] == longest:
            transfer.found_range(longest)
    return b"".join(pieces)


def _read_sizeless(session_id: str, path: str) -> Steps[bytes | str]:
    """Read what says it is empty: true of an empty file, not of one in `/proc` (trap T10)."""
    pieces: list[bytes] = []
    while True:
        call = _range(session_id, path, len(pieces) * _SIZELESS_RANGE, _SIZELESS_RANGE)
        reply = yield from send(call)
        piece = _decoded(reply, length=_SIZELESS_RANGE)
        if isinstance(piece, str):
            return "" if pieces else piece
        pieces.append(piece)
        if len(piece) < _SIZELESS_RANGE:
            return b"".join(pieces)


def _read_as_text(session_id: str, path: str, size: int, begin: str) -> Steps[bytes]:
    """Read a file from a service that gives ranges of it as text."""
    mark = "\N{REPLACEMENT CHARACTER}"
    step = CHUNK_SIZE if size else _SIZELESS_RANGE
    pieces = [begin] if begin else []
    # What says it is empty is read until nothing comes.
    while not size or len(pieces) * step < size:
        # Text may hold the rest of a character that ends behind the range (trap T9).
        offset = len(pieces) * step
        length = min(step, size - offset) if size else step
        given = {"path": path, "offset": offset, "length": length}
        _, piece = yield from call_tool(session_id, "read_file", given)
        if not piece:
            break
        pieces.append(piece)
    if len(pieces) > 1 and any(mark in (piece[0], piece[-1]) for piece in pieces):
        # The service cuts text by bytes, and broke a character at a seam.
        _, whole = yield from call_tool(session_id, "read_file", {"path": path})
        return whole.encode()
    return "".join(pieces).encode()


def _range(session_id: str, path: str, offset: int, length: int) -> Call:
    given = {"path": path, "offset": offset, "length": length, "format": "binary"}
    return tool_calls.tool(session_id, "read_file", given)


def _decoded(reply: Reply, *, length: int) -> bytes | str:
    """Return the bytes of a range, or the text that the service sent instead.

    An old service ignores `format` and sends the range itself. It can't be mistaken: base64 of a
    full range is longer than the range.
    """
    answer = tool_text(reply, FileError)
    try:
        piece = base64.b64decode(answer, validate=True)
    except (binascii.Error, ValueError):
        return answer
    return answer if len(answer) == length else piece
