"""Several files in one reply: an ambiguous form, read by the paths that were asked for."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agb._core.exceptions import FileError
from agb._core.files import operations as files

from ..scripted import play, tool_text


def test_blocks_of_the_protocol():
    """The printed reply reads as one stripped text a path."""
    text = "/tmp/a: one:two\nthree\n\n---\n/tmp/b: \nfour\n"

    result = play(files.read_multiple("s-1", ("/tmp/a", "/tmp/b")), tool_text(text)).result

    assert result.unwrap() == {"/tmp/a": "one:two\nthree", "/tmp/b": "four"}


@pytest.mark.parametrize(
    ("paths", "text", "contents"),
    [
        (["/a", "/b"], "/a:\nx\n---\ny\n\n---\n/b:\nz\n", {"/a": "x\n---\ny", "/b": "z"}),
        (["/a", "/b"], "/a: x\n---\n/c: y\n---\n/b: z", {"/a": "x\n---\n/c: y", "/b": "z"}),
        (["C:\\a", "C:\\b"], "C:\\a: x\n---\nC:\\b: y", {"C:\\a": "x", "C:\\b": "y"}),
        (["/a:b", "/a"], "/a:b: x\n---\n/a: y", {"/a:b": "x", "/a": "y"}),
        (["/a", "/a:b"], "/a: y\n---\n/a:b: x", {"/a:b": "x", "/a": "y"}),
        (["/a", "/b"], "/a:\n\n---\n/b:\n", {"/a": "", "/b": ""}),
        (["/a", "/b"], "/a:\n---\n/b: x", {"/a": "", "/b": "x"}),
        (["/a", "/b"], "/b: x\n  ---\t\n/a: y", {"/a": "y", "/b": "x"}),
        (["/a", "/b"], "/a: x\n---\n/b: y\n---\n", {"/a": "x", "/b": "y\n---"}),
        (["/a", "/a"], "/a: x", {"/a": "x"}),
        (["/a.*(", "/b"], "/a.*(: x\n---\n/b: y", {"/a.*(": "x", "/b": "y"}),
        (["/a"], "/a: text with /a: in it\n/a: again", {"/a": "text with /a: in it\n/a: again"}),
    ],
)
def test_t14_only_paths_that_were_asked_for_begin_a_block(paths, text, contents):
    """Separators, colons and other paths inside a content do not cut it (T14)."""
    assert play(files.read_multiple("s-1", paths), tool_text(text)).result.unwrap() == contents


@pytest.mark.parametrize(
    ("text", "missing"),
    [("", "/a, /b"), ("/b: x", "/a"), ("/a: x\n/b: y", "/b"), ("no blocks: here", "/a, /b")],
)
def test_missing_content_fails_and_is_named(text, missing):
    """A reply without the content of every path is a failed result that names the missing ones."""
    result = play(files.read_multiple("s-1", ["/a", "/b"]), tool_text(text)).result

    assert result.success is False
    assert result.error_message.endswith(missing)
    assert result.contents == {}
    assert type(result.exception) is FileError


words = st.text("ab-:/ \n\té語", max_size=12)
paths = st.text("ab:-/.*(", min_size=1, max_size=6).map(lambda name: f"/{name}")


@given(st.dictionaries(paths, st.lists(words | st.just("\n---\n")).map("".join), min_size=1))
def test_contents_come_back_if_no_separator_is_followed_by_a_path(contents):
    """What the form can tell apart comes back stripped, whatever separators it holds."""
    text = "\n---\n".join(f"{path}:\n{content}\n" for path, content in contents.items())
    assume(not any(f"{path}:" in content for path in contents for content in contents.values()))
    assume(not any(a.startswith(f"{b}:") for a in contents for b in contents if a != b))
    assume(not any(content.rstrip().endswith("---") for content in contents.values()))

    read = files.read_blocks(text, list(contents))

    assert read == {path: content.strip() for path, content in contents.items()}
