"""What the file operations refuse without a request."""

import pytest

from agb._core.exceptions import InvalidArgumentError
from agb._core.files import content as file_content
from agb._core.files import operations as files
from agb._core.files.request_sizes import Transfer

from ..scripted import assert_refused, play

BAD_PATHS = [None, "", " \t", 5, True, b"/tmp/a", ["/tmp/a"], "/tmp/\0", "/tmp/\ud800"]
TAKE_A_PATH = {
    "read_text": lambda path: file_content.read_text("s-1", path, Transfer()),
    "read_bytes": lambda path: file_content.read_bytes("s-1", path, Transfer()),
    "info": lambda path: files.info("s-1", path),
    "write": lambda path: files.write("s-1", path, "x", "overwrite", Transfer()),
    "edit": lambda path: files.edit("s-1", path, [{"oldText": "a", "newText": "b"}], False),
    "create_directory": lambda path: files.create_directory("s-1", path),
    "delete": lambda path: files.delete("s-1", path),
    "move-source": lambda path: files.move("s-1", path, "/b"),
    "move-destination": lambda path: files.move("s-1", "/a", path),
    "list_directory": lambda path: files.list_directory("s-1", path),
    "read_multiple": lambda path: files.read_multiple("s-1", ["/a", path]),
    "search": lambda path: files.search("s-1", path, "*", None),
    "search-pattern": lambda path: files.search("s-1", "/", path, None),
    "search-exclude": lambda path: files.search("s-1", "/", "*", ["x", path]),
    "changes": lambda path: files.changes("s-1", path),
}


@pytest.mark.parametrize("path", BAD_PATHS)
@pytest.mark.parametrize("operation", TAKE_A_PATH.values(), ids=TAKE_A_PATH)
def test_path_must_be_text_that_names_a_file(operation, path):
    """A path that is missing, blank, no text, or that no file can have fails without a request."""
    played = play(operation(path))

    assert_refused(played)
    assert isinstance(played.result.exception, InvalidArgumentError)
    assert played.result.error_message


@pytest.mark.parametrize("mode", ["", "w", "a", "Append", None, 5, ["append"]])
def test_write_refuses_another_mode(mode):
    """A mode that is neither `overwrite` nor `append` fails without a request and is named."""
    assert_refused(
        play(files.write("s-1", "/a", "x", mode, Transfer())), repr(mode), "overwrite", "append"
    )


@pytest.mark.parametrize("content", [None, 5, b"x", ["x"], "a\ud800"])
def test_write_refuses_content_that_is_no_text(content):
    """Content that is no text that can be sent fails without a request."""
    assert_refused(play(files.write("s-1", "/a", content, "overwrite", Transfer())), "content")


@pytest.mark.parametrize(
    "edits",
    [
        None,
        [],
        "",
        "text",
        5,
        {"oldText": "a", "newText": "b"},
        [None],
        ["text"],
        [{}],
        [{"oldText": "a"}],
        [{"oldText": "a", "newText": "b", "more": "c"}],
        [{"old": "a", "new": "b"}],
        [{"oldText": "a", "newText": None}],
        [{"oldText": 5, "newText": "b"}],
        [{"oldText": "a", "newText": "\ud800"}],
        [{"oldText": "a", "newText": "b"}, {"oldText": "a"}],
    ],
    ids=repr,
)
def test_edit_refuses_edits_of_another_form(edits):
    """Edits other than pairs of `oldText` and `newText` fail without a request."""
    assert_refused(play(files.edit("s-1", "/a", edits, False)), "edits", "ext")


@pytest.mark.parametrize(
    "paths",
    [None, [], (), "", "/a", 5, {"/a"}, iter(["/a"])],
    ids=["None", "no list", "no tuple", "no text", "text", "number", "set", "iterator"],
)
def test_read_multiple_refuses_what_is_no_list_of_paths(paths):
    """A list of paths that is none, or empty, fails without a request."""
    assert_refused(play(files.read_multiple("s-1", paths)), "paths must be a non-empty list")


@pytest.mark.parametrize("patterns", ["*.py", 5, {"*.py"}])
def test_search_refuses_excludes_that_are_no_list(patterns):
    """Patterns to leave out that are no list fail without a request."""
    assert_refused(play(files.search("s-1", "/", "*", patterns)), "exclude_patterns")


@pytest.mark.parametrize("format", ["binary", "", None, 5, "TEXT"])
def test_read_refuses_another_format(format):
    """A format that is neither `text` nor `bytes` fails without a request."""
    assert_refused(play(file_content.unknown_format(format)), "format", repr(format))
