"""What the file tools answer, and how it reads."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agb._core.exceptions import (
    APIConnectionError,
    APIError,
    AuthenticationError,
    FileError,
    SessionNotFoundError,
)
from agb._core.files import content as file_content
from agb._core.files import operations as files
from agb._core.files.change_results import FileChangeEvent
from agb._core.files.request_sizes import Transfer

from ..scripted import DEAD_SESSION, REFUSED_KEY, Answer, envelope, play, tool_failure, tool_text

OPERATIONS = {
    "read_text": lambda: file_content.read_text("s-1", "/a", Transfer()),
    "read_bytes": lambda: file_content.read_bytes("s-1", "/a", Transfer()),
    "info": lambda: files.info("s-1", "/a"),
    "write": lambda: files.write("s-1", "/a", "x", "overwrite", Transfer()),
    "edit": lambda: files.edit("s-1", "/a", [{"oldText": "a", "newText": "b"}], True),
    "create_directory": lambda: files.create_directory("s-1", "/a"),
    "delete": lambda: files.delete("s-1", "/a"),
    "move": lambda: files.move("s-1", "/a", "/b"),
    "list_directory": lambda: files.list_directory("s-1", "/a"),
    "read_multiple": lambda: files.read_multiple("s-1", ["/a"]),
    "search": lambda: files.search("s-1", "/", "*", None),
    "changes": lambda: files.changes("s-1", "/a"),
}
DONE = ["write", "edit", "create_directory", "delete", "move"]


@pytest.mark.parametrize(
    ("answer", "message", "kind"),
    [
        (tool_failure("ENOENT: no such file"), "ENOENT: no such file", FileError),
        (tool_failure(""), "The tool failed without saying why", FileError),
        (DEAD_SESSION, "Session not found", SessionNotFoundError),
        (REFUSED_KEY, "bad key", AuthenticationError),
        (Answer(b"<html>", 500), "HTTP 500", APIError),
        (Answer({"success": False, "message": "no"}), "no", APIError),
        (APIConnectionError("no connection"), "no connection", APIConnectionError),
    ],
)
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_failure_of_any_kind_is_a_failed_result(operation, answer, message, kind):
    """A tool error, an API failure and a lost connection are failed results of their type (D1)."""
    result = play(operation(), answer).result

    assert result.success is False
    assert message in result.error_message
    assert type(result.exception) is kind


@pytest.mark.parametrize("name", DONE)
@pytest.mark.parametrize("answer", [tool_text("ok"), tool_text(""), envelope(None), envelope({})])
def test_what_a_tool_says_of_its_success_is_ignored(name, answer):
    """An operation that either happened or did not has `data` True on success."""
    result = play(OPERATIONS[name](), answer).result

    assert (result.success, result.data, result.request_id) == (True, True, "R")


def test_edit_sends_dry_run():
    """`dry_run` is always sent, as a JSON boolean."""
    assert play(OPERATIONS["edit"](), tool_text("diff")).arguments[0]["dryRun"] is True


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("size: 1024", "size", 1024),
        ("size:1024", "size", 1024),
        (" size : 1024 \r", "size", 1024),
        ("size: 1.5", "size", 1.5),
        ("size: -1", "size", -1),
        ("isDirectory: true", "isDirectory", True),
        ("isDirectory: False", "isDirectory", False),
        ("modified: 2025-01-01T00:00:00", "modified", "2025-01-01T00:00:00"),
        ("permissions: 644", "permissions", 644),
        ("permissions: 0644", "permissions", "0644"),
        ("permissions: rw-r--r--", "permissions", "rw-r--r--"),
        ("version: 1.10", "version", "1.10"),
        ("count: 1_000", "count", "1_000"),
        ("count: +5", "count", "+5"),
        ("big: 1e400.", "big", "1e400."),
        ("huge: " + "9" * 5000, "huge", "9" * 5000),
        ("name: 123", "name", "123"),
        ("name: true", "name", "true"),
        ("path: /tmp/a: b", "path", "/tmp/a: b"),
        ("type: 1.5", "type", "1.5"),
        ("empty:", "empty", ""),
    ],
    ids=lambda value: str(value)[:40],
)
def test_t15_facts_are_typed_where_nothing_is_lost(line, key, value):
    """A fact is a bool, an int, a float with a point, or text; names stay text (T15)."""
    info = play(files.info("s-1", "/a"), tool_text(f"noise\n{line}\nother: x")).result.unwrap()

    assert info == {key: value, "other": "x"}
    assert type(info[key]) is type(value)


def test_only_newlines_end_a_fact():
    """A file name with an exotic line separator is no second fact."""
    name = "a\u2028size: 5\x0bisDirectory: true\x85b"

    info = play(files.info("s-1", "/a"), tool_text(f"name: {name}\nsize: 1")).result.file_info

    assert info == {"name": name, "size": 1}


@pytest.mark.parametrize("text", ["", "nothing here", "\n\n"])
def test_info_without_facts_fails(text):
    """A reply without facts is a failed result."""
    result = play(files.info("s-1", "/a"), tool_text(text)).result

    assert result.success is False
    assert result.file_info == {}
    assert type(result.exception) is FileError


def entry(name, is_directory):
    return {"name": name, "isDirectory": is_directory, "is_directory": is_directory}


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("[DIR] sub\n[FILE] a.txt", [entry("sub", True), entry("a.txt", False)]),
        ("[FILE] [DIR] odd", [entry("[DIR] odd", False)]),
        ("[DIR] [FILE] x [DIR] y", [entry("[FILE] x [DIR] y", True)]),
        ("[FILE]  blanks ", [entry(" blanks ", False)]),
        ("[FILE] a\u2028b", [entry("a\u2028b", False)]),
        ("total 2\n[LINK] x\n [DIR] y\n[FILE]z\n[FILE] a", [entry("a", False)]),
        ("[DIR] a\n", [entry("a", True)]),
        ("", []),
    ],
)
def test_t12_entries_lose_only_their_prefix(text, entries):
    """Each line `[DIR] name` or `[FILE] name` is an entry with its name verbatim (T12)."""
    assert play(files.list_directory("s-1", "/a"), tool_text(text)).result.unwrap() == entries


names = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1)


@given(st.lists(st.tuples(names, st.booleans())))
def test_any_name_is_listed_verbatim(listing):
    """A name without a newline comes through a listing unchanged."""
    text = "\n".join(f"{'[DIR]' if is_dir else '[FILE]'} {name}" for name, is_dir in listing)

    assert list(files.read_entries(text)) == [entry(name, is_dir) for name, is_dir in listing]


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("/tmp/a.py\n/tmp/b/c.py", ["/tmp/a.py", "/tmp/b/c.py"]),
        ("No matches found", []),
        ("No matches found\n", []),
        ("", []),
        ("\n \n", []),
        ("/tmp/a\n\n/tmp/b\n", ["/tmp/a", "/tmp/b"]),
        ("/tmp/ a \n/tmp/b", ["/tmp/ a ", "/tmp/b"]),
        ("No matches found\n/tmp/a", ["No matches found", "/tmp/a"]),
    ],
)
def test_t13_search_reads_one_path_a_line(text, matches):
    """A lone `No matches found`, or no text, is no match; blank lines are dropped (T13)."""
    assert play(files.search("s-1", "/", "*", None), tool_text(text)).result.unwrap() == matches


@pytest.mark.parametrize("patterns", [None, [], ()])
def test_search_sends_excludes_only_if_there_are_any(patterns):
    """`excludePatterns` travels only if it is not empty."""
    played = play(files.search("s-1", "/", "*", patterns), tool_text(""))

    assert "excludePatterns" not in played.arguments[0]


def test_changes_are_read_in_order():
    """Changes come as a JSON array of events."""
    text = json.dumps(
        [
            {"eventType": "create", "path": "/a", "pathType": "file"},
            {"eventType": 5, "path": None},
            "noise",
        ]
    )

    result = play(files.changes("s-1", "/"), tool_text(text)).result

    assert result.unwrap() == [FileChangeEvent("create", "/a", "file"), FileChangeEvent()]
    assert result.raw_data == text


@pytest.mark.parametrize("text", ["[]", "", "no json", "{}", "null"])
def test_changes_that_can_not_be_read_are_none(text):
    """A quiet directory, and a reply that can't be read, are a success without events."""
    result = play(files.changes("s-1", "/"), tool_text(text)).result

    assert result.success
    assert result.events == []
    assert result.has_changes() is False
    assert result.raw_data == text
