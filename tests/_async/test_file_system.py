"""Working with files."""

from __future__ import annotations

import base64
import json

import httpx
import pytest

from agb import (
    BinaryFileContentResult,
    BoolResult,
    DirectoryListResult,
    FileChangeEvent,
    FileChangeResult,
    FileContentResult,
    FileError,
    FileInfoResult,
    FileSearchResult,
    InvalidArgumentError,
    MultipleFileContentResult,
)
from agb._core.files.request_sizes import RANGE_SIZE


def holds(service, content):
    """Let the service have one file."""

    def read(request):
        # Not the last one seen: several ranges are asked for at once.
        given = json.loads(json.loads(request.content)["args"])
        piece = content[given["offset"] : given["offset"] + given["length"]]
        return service.tool(base64.b64encode(piece).decode())

    service.on("get_file_info", service.tool(f"size: {len(content)}\nisDirectory: false"))
    service.on("read_file", read)


def takes_no_more_than_a_chunk(service):
    """Let the service turn away requests that carry more than a chunk."""

    def write(request):
        too_long = len(service.arguments()["content"].encode()) > 51_200
        return httpx.Response(413) if too_long else service.tool("ok")

    service.on("write_file", write)


async def test_a_file_is_read(session, service):
    """S56: read_file gives the text of a file."""
    holds(service, "naïve ☃\n".encode())

    result = await session.file_system.read_file("/tmp/a.txt")

    assert result == FileContentResult("R", True, "naïve ☃\n", "")
    assert service.seen == ["get_file_info", "read_file"]
    assert service.arguments(0) == {"path": "/tmp/a.txt"}


async def test_a_long_file_is_read_in_ranges(session, service):
    """A long file is read in large ranges of bytes, and no character breaks at a seam."""
    text = "é" * (RANGE_SIZE * 2)
    holds(service, text.encode())

    first = await session.file_system.read("/tmp/long")
    again = await session.file_system.read("/tmp/long")

    offsets = [given.get("offset") for given in map(service.arguments, range(10))]
    assert first.unwrap() == again.unwrap() == text
    assert offsets[:2] == [None, 0]
    assert sorted(offsets[6:]) == [RANGE_SIZE * number for number in range(4)]


async def test_ranges_that_fail_fail_the_read(session, service):
    """If ranges of a file fail, the read fails, and no further range is asked for."""
    holds(service, b"x" * RANGE_SIZE * 30)
    await session.file_system.read("/tmp/long")
    service.on("read_file", service.tool("I/O error", is_error=True))
    service.requests.clear()

    result = await session.file_system.read("/tmp/long", format="bytes")

    assert (result.error_message, result.content) == ("I/O error", b"")
    assert len(service.requests) < 20


async def test_a_file_is_read_as_bytes(session, service):
    """With format bytes the exact content comes, with its size."""
    holds(service, b"\xff\x00")

    result = await session.file_system.read_file("/tmp/raw", format="bytes")

    assert result == BinaryFileContentResult("R", True, b"\xff\x00", "", 2)


async def test_another_format_is_refused(session, service):
    """A format that is neither text nor bytes fails without a request."""
    result = await session.file_system.read_file("/tmp/raw", format="json")

    assert type(result.exception) is InvalidArgumentError
    assert "'json'" in result.error_message
    assert service.requests == []


async def test_a_missing_file_is_a_failure(session, service):
    """A file that is not there gives a failed result with the tool's own words."""
    service.on("get_file_info", service.tool("ENOENT: no such file", is_error=True))

    result = await session.file_system.read_file("/tmp/none")

    assert (result.success, result.content) == (False, "")
    assert result.error_message == "ENOENT: no such file"
    assert type(result.exception) is FileError


async def test_a_directory_is_not_read(session, service):
    """Reading a directory fails and says so."""
    service.on("get_file_info", service.tool("size: 4096\nisDirectory: true"))

    result = await session.file_system.read_file("/tmp")

    assert result.success is False
    assert "is a directory" in result.error_message


async def test_a_file_is_written(session, service):
    """Writing sends path, text and mode, and gives True."""
    result = await session.file_system.write_file("/tmp/a", "hé")

    assert result == BoolResult("R", True, True, "")
    assert service.arguments() == {"path": "/tmp/a", "content": "hé", "mode": "overwrite"}


async def test_a_long_text_is_written_in_pieces(session, service):
    """A text longer than the service takes is cut between characters, the rest is appended."""
    text = "a" + "é" * 30_000
    takes_no_more_than_a_chunk(service)

    result = await session.file_system.write("/tmp/a", text)

    sent = [service.arguments(index) for index in (1, 2)]
    assert result.success is True
    assert [given["mode"] for given in sent] == ["overwrite", "append"]
    assert "".join(given["content"] for given in sent) == text
    assert all(len(given["content"].encode()) <= 51_200 for given in sent)


async def test_a_half_written_file_is_told(session, service):
    """If a later chunk fails, the message says how much was written."""
    takes_no_more_than_a_chunk(service)
    await session.file_system.write_file("/tmp/a", "a" * 60_000)
    service.on("write_file", service.tool("ok"), service.tool("disk full", is_error=True))

    result = await session.file_system.write_file("/tmp/a", "a" * 51_201)

    assert result.success is False
    assert result.error_message == "disk full (the first 51200 bytes were written)"


async def test_another_mode_is_refused(session, service):
    """A mode that is neither overwrite nor append fails without a request and is named."""
    result = await session.file_system.write_file("/tmp/a", "x", "truncate")

    assert "truncate" in result.error_message
    assert service.requests == []


FACTS = {"name": "a", "size": 3, "isDirectory": False}
ENTRY = {"name": "sub", "isDirectory": True, "is_directory": True}
EVENTS = '[{"eventType": "create", "path": "/tmp/a", "pathType": "file"}]'
EDIT = {"oldText": "a", "newText": "b"}

# The method and its later name, what it is given, the tool's arguments and answer, the result.
METHODS = {
    "create_directory mkdir": (("/d",), {"path": "/d"}, "ok", BoolResult("R", True, True)),
    "delete_file remove": (("/f",), {"path": "/f"}, "ok", BoolResult("R", True, True)),
    "move_file move": (
        ("/a", "/b"),
        {"source": "/a", "destination": "/b"},
        "ok",
        BoolResult("R", True, True),
    ),
    "edit_file edit": (
        ("/f", [EDIT], True),
        {"path": "/f", "edits": [EDIT], "dryRun": True},
        "a diff",
        BoolResult("R", True, True),
    ),
    "list_directory list": (
        ("/d",),
        {"path": "/d"},
        "[DIR] sub",
        DirectoryListResult("R", True, [ENTRY]),
    ),
    "get_file_info info": (
        ("/f",),
        {"path": "/f"},
        "name: a\nsize: 3\nisDirectory: false",
        FileInfoResult("R", True, FACTS),
    ),
    "read_multiple_files read_batch": (
        (["/f"],),
        {"paths": ["/f"]},
        "/f:\nx\n",
        MultipleFileContentResult("R", True, {"/f": "x"}),
    ),
    "search_files search": (
        ("/d", "*", ["x"]),
        {"path": "/d", "pattern": "*", "excludePatterns": ["x"]},
        "/d/a.py",
        FileSearchResult("R", True, ["/d/a.py"]),
    ),
    "get_file_change get_file_change": (
        ("/d",),
        {"path": "/d"},
        EVENTS,
        FileChangeResult("R", True, [FileChangeEvent("create", "/tmp/a", "file")], EVENTS),
    ),
}


@pytest.mark.parametrize("later", [False, True], ids=["name", "later name"])
@pytest.mark.parametrize("names", METHODS)
async def test_a_method_is_a_tool_call(names, later, session, service):
    """Each method, and its later name, is one call of its tool and reads the answer."""
    given, sent, answer, expected = METHODS[names]
    tool = names.split()[0]
    service.on(tool, service.tool(answer))

    result = await getattr(session.file_system, names.split()[later])(*given)

    assert result == expected
    assert service.seen == [tool]
    assert service.arguments() == sent


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("read_file", ("",)),
        ("write_file", ("a\0b", "x")),
        ("write_file", ("/a", None)),
        ("create_directory", (None,)),
        ("delete_file", (" ",)),
        ("list_directory", (5,)),
        ("get_file_info", ("",)),
        ("move_file", ("/a", "")),
        ("edit_file", ("/a", [])),
        ("read_multiple_files", ("/a",)),
        ("search_files", ("/a", "")),
        ("get_file_change", ("",)),
    ],
)
async def test_bad_arguments_are_refused(method, given, session, service):
    """An argument that can't be used fails without a request."""
    result = await getattr(session.file_system, method)(*given)

    assert type(result.exception) is InvalidArgumentError
    assert service.requests == []


@pytest.mark.parametrize("method", ["list_directory", "get_file_info", "delete_file"])
async def test_a_failing_tool_is_a_failed_result(method, session, service):
    """A tool that fails gives a failed result with its own words."""
    service.on(method, service.tool("permission denied", is_error=True))

    result = await getattr(session.file_system, method)("/root")

    assert (result.success, result.error_message) == (False, "permission denied")
    assert type(result.exception) is FileError


def test_a_chunk_is_fifty_kibibytes(session):
    """The documented chunk size is a constant of the class."""
    assert session.file_system.DEFAULT_CHUNK_SIZE == 51_200
