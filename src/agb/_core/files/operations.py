"""Working with files: one operation per method, chunked where the protocol is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from agb._core import arguments
from agb._core.exceptions import AGBError, FileError, InvalidArgumentError
from agb._core.files.change_results import FileChangeEvent, FileChangeResult
from agb._core.files.request_sizes import (
    CHUNK_SIZE,
    SLOWEST_LINE,
    Transfer,
    may_write_be_too_long,
    shorter_write,
)
from agb._core.files.results import (
    DirectoryListResult,
    FileInfoResult,
    FileSearchResult,
    MultipleFileContentResult,
)
from agb._core.results import BoolResult
from agb._core.tools import tool_calls
from agb._core.wire.operation import Steps, operation, send
from agb._core.wire.replies import Reply, objects, parsed, text, tool_text

_NO_MATCHES = "No matches found"
# Facts about a file that stay text even if they look like a number or a truth value.
_TEXT_FACTS = {"name", "path", "type", "owner", "group", "target"}


def call_tool(
    session_id: str, name: str, given: Mapping[str, object], *, time_limit_s: float = 0.0
) -> Steps[tuple[Reply, str]]:
    """Run a file tool and return the reply with its text; a tool that fails raises FileError."""
    reply = yield from send(tool_calls.tool(session_id, name, given, time_limit_s=time_limit_s))
    return reply, tool_text(reply, FileError)


def _done(session_id: str, name: str, given: Mapping[str, object]) -> Steps[BoolResult]:
    reply, _ = yield from call_tool(session_id, name, given)
    return BoolResult(request_id=reply.request_id, success=True, data=True)


@operation(FileInfoResult)
def info(session_id: str, path: str) -> Steps[FileInfoResult]:
    """Describe a file or directory."""
    arguments.path("path", path)
    reply, answer = yield from call_tool(session_id, "get_file_info", {"path": path})
    facts = read_facts(answer)
    if not facts:
        raise reply.refused(f"The reply to get_file_info has no facts about {path!r}", FileError)
    return FileInfoResult(request_id=reply.request_id, success=True, file_info=facts)


def read_facts(answer: str) -> dict[str, Any]:
    """Read `key: value` lines, split at the first colon."""
    pairs = (line.split(":", 1) for line in answer.split("\n") if ":" in line)
    return {key.strip(): _fact(key.strip(), value.strip()) for key, value in pairs}


def _fact(key: str, value: str) -> bool | int | float | str:
    if key in _TEXT_FACTS:
        return value
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    kind = float if "." in value else int
    try:
        number = kind(value)
    except ValueError:
        return value
    # `0644` is not 644: a number counts only if nothing of its form is lost (trap T15).
    return number if str(number) == value else value


@operation(BoolResult)
def write(
    session_id: str, path: str, content: str, mode: str, transfer: Transfer
) -> Steps[BoolResult]:
    """Write a text file, in as few requests as the service takes."""
    arguments.path("path", path)
    arguments.text("content", content)
    if mode not in ("overwrite", "append"):
        raise InvalidArgumentError(f"Invalid mode: {mode!r}; mode is 'overwrite' or 'append'")
    data = content.encode()
    longest = transfer.write_size if mode == "overwrite" else transfer.appendable_size
    first: Reply | None = None
    written = refused = 0
    while first is None or written < len(data):
        end = cut(data, written, longest)
        size = end - written
        given = {"path": path, "content": data[written:end].decode(), "mode": mode}
        try:
            # On a slow line a long text takes longer than a call may, and can't be tried twice.
            reply, _ = yield from call_tool(
                session_id, "write_file", given, time_limit_s=size / SLOWEST_LINE
            )
        except AGBError as error:
            if size > CHUNK_SIZE and may_write_be_too_long(error, mode):
                refused, longest = size, shorter_write(size)
                continue
            if not written:
                raise
            raise _after(written, error) from error
        transfer.found_write(size, refused)
        first = first or reply
        written, mode = end, "append"
    return BoolResult(request_id=first.request_id, success=True, data=True)


def _after(written: int, error: AGBError) -> AGBError:
    # Not the whole of it may be repeated: what was appended would be there twice.
    facts = {**error.extra, "status_code": error.status_code, "retryable": False}
    return type(error)(f"{error} (the first {written} bytes were written)", **facts)


def cut(data: bytes, start: int, longest: int) -> int:
    """Return where a piece of UTF-8 ends that begins at `start`: between characters (trap T11)."""
    end = start + longest
    if end >= len(data):
        return len(data)
    while data[end] & 0xC0 == 0x80:  # never before a continuation byte
        end -= 1
    return end


@operation(BoolResult)
def edit(
    session_id: str, path: str, edits: Sequence[Mapping[str, str]], dry_run: bool
) -> Steps[BoolResult]:
    """Replace pieces of text in a file."""
    arguments.path("path", path)
    given = {"path": path, "edits": _edits(edits), "dryRun": bool(dry_run)}
    return (yield from _done(session_id, "edit_file", given))


def _edits(edits: object) -> list[dict[str, str]]:
    expected = "edits must be a non-empty list of {'oldText': ..., 'newText': ...}"
    if not isinstance(edits, Sequence) or isinstance(edits, str) or not edits:
        raise InvalidArgumentError(f"{expected} (found {edits!r:.100})")
    checked: list[dict[str, str]] = []
    for index, edit_ in enumerate(cast("Sequence[object]", edits)):
        if not isinstance(edit_, Mapping) or set(edit_) != {"oldText", "newText"}:
            raise InvalidArgumentError(f"{expected} (edits[{index}] is {edit_!r:.100})")
        pair = cast("Mapping[str, object]", edit_)
        checked.append({key: arguments.text(f"edits[{index}][{key!r}]", pair[key]) for key in pair})
    return checked


@operation(BoolResult)
def create_directory(session_id: str, path: str) -> Steps[BoolResult]:
    """Create a directory and its parents."""
    arguments.path("path", path)
    return (yield from _done(session_id, "create_directory", {"path": path}))


@operation(BoolResult)
def delete(session_id: str, path: str) -> Steps[BoolResult]:
    """Delete a file."""
    arguments.path("path", path)
    return (yield from _done(session_id, "delete_file", {"path": path}))


@operation(BoolResult)
def move(session_id: str, source: str, destination: str) -> Steps[BoolResult]:
    """Move or rename a file or directory."""
    arguments.path("source", source)
    arguments.path("destination", destination)
    given = {"source": source, "destination": destination}
    return (yield from _done(session_id, "move_file", given))


@operation(DirectoryListResult)
def list_directory(session_id: str, path: str) -> Steps[DirectoryListResult]:
    """List a directory."""
    arguments.path("path", path)
    reply, answer = yield from call_tool(session_id, "list_directory", {"path": path})
    return DirectoryListResult(
        request_id=reply.request_id, success=True, entries=list(read_entries(answer))
    )


def read_entries(answer: str) -> Iterator[dict[str, Any]]:
    """Read `[DIR] name` and `[FILE] name` lines; only the prefix is removed (trap T12)."""
    for line in answer.split("\n"):
        for prefix, is_directory in (("[DIR] ", True), ("[FILE] ", False)):
            if line.startswith(prefix):
                yield {
                    "name": line.removeprefix(prefix),
                    "isDirectory": is_directory,
                    "is_directory": is_directory,
                }


@operation(MultipleFileContentResult)
def read_multiple(session_id: str, paths: Sequence[str]) -> Steps[MultipleFileContentResult]:
    """Read several text files at once."""
    wanted = arguments.paths("paths", paths)
    reply, answer = yield from call_tool(session_id, "read_multiple_files", {"paths": wanted})
    contents = read_blocks(answer, wanted)
    missing = [path for path in wanted if path not in contents]
    if missing:
        raise reply.refused(f"The reply has no content for {', '.join(missing)}", FileError)
    return MultipleFileContentResult(request_id=reply.request_id, success=True, contents=contents)


def read_blocks(answer: str, paths: Sequence[str]) -> dict[str, str]:
    """Read `path: content` blocks separated by `---` lines.

    The form is ambiguous, so the requested paths are its anchors: a block begins only where one
    of them follows the start or a separator (trap T14).
    """
    names = "|".join(re.escape(path) for path in sorted(set(paths), key=len, reverse=True))
    anchor = re.compile(rf"(?:\A|\n[ \t]*---[ \t]*\n)\s*({names}):", re.MULTILINE)
    found = list(anchor.finditer(answer))
    ends = [match.start() for match in found[1:]] + [len(answer)]
    return {
        match[1]: answer[match.end() : end].strip()
        for match, end in zip(found, ends[: len(found)], strict=True)
    }


@operation(FileSearchResult)
def search(
    session_id: str, path: str, pattern: str, exclude_patterns: Sequence[str] | None
) -> Steps[FileSearchResult]:
    """Find files by a pattern."""
    arguments.path("path", path)
    given: dict[str, object] = {"path": path, "pattern": arguments.path("pattern", pattern)}
    if exclude_patterns:
        given["excludePatterns"] = arguments.paths("exclude_patterns", exclude_patterns)
    reply, answer = yield from call_tool(session_id, "search_files", given)
    matches = [line for line in answer.split("\n") if line.strip()]
    if matches == [_NO_MATCHES]:
        matches = []
    return FileSearchResult(request_id=reply.request_id, success=True, matches=matches)


@operation(FileChangeResult)
def changes(session_id: str, path: str) -> Steps[FileChangeResult]:
    """Ask what changed below a directory since it was last asked."""
    arguments.path("path", path)
    reply, answer = yield from call_tool(session_id, "get_file_change", {"path": path})
    return FileChangeResult(
        request_id=reply.request_id,
        success=True,
        events=[
            FileChangeEvent.from_dict({key: text(value) for key, value in event.items()})
            for event in objects(parsed(answer))
        ],
        raw_data=answer,
    )
