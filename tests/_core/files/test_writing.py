"""Writing a file in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agb._core.exceptions import APIConnectionError, AuthenticationError, FileError
from agb._core.files import operations as files
from agb._core.files.request_sizes import Transfer

from ..scripted import REFUSED_KEY, play, play_with, tool_failure, tool_text

CHUNK = 51_200
WIDTHS = {"a": 1, "é": 2, "語": 3, "😀": 4}
texts = st.text(st.characters(exclude_categories=["Cs"]))


def write(content, mode="overwrite"):
    """Write to a service that is known to take no more than one chunk."""
    transfer = Transfer()
    transfer.write_size = CHUNK
    return files.write("s-1", "/a", content, mode, transfer)


def pieces_of(content):
    """What is sent of a text, piece by piece."""
    played = play_with(write(content), lambda call: tool_text("ok"))
    return [given["content"] for given in played.arguments]


def expected_first(char, before):
    """How many bytes of `before` ASCII bytes and then only `char` fit into one chunk."""
    return before + (CHUNK - before) // WIDTHS[char] * WIDTHS[char]


@pytest.mark.parametrize("char", WIDTHS)
@pytest.mark.parametrize("before", range(5))
def test_t11_chunk_ends_at_the_last_character_that_fits(char, before):
    """Chunks are as many whole characters as fit into 51200 UTF-8 bytes (T11)."""
    content = "x" * before + char * CHUNK

    pieces = pieces_of(content)

    assert len(pieces[0].encode()) == expected_first(char, before)
    assert "".join(pieces) == content


@given(texts, st.sampled_from(list(WIDTHS)), st.integers(CHUNK // 4 - 3, CHUNK + 3), texts)
def test_chunks_join_to_the_text_and_fit(start, char, count, end):
    """Chunks of any text join to it, and none has more than 51200 bytes."""
    content = start + char * count + end

    pieces = pieces_of(content)

    assert "".join(pieces) == content
    assert all(len(piece.encode()) <= CHUNK for piece in pieces)
    assert all(len(piece.encode()) > CHUNK - 4 for piece in pieces[:-1])


@pytest.mark.parametrize("content", ["", "x", "x" * CHUNK, "é" * (CHUNK // 2)])
@pytest.mark.parametrize("mode", ["overwrite", "append"])
def test_text_of_one_chunk_is_one_request(content, mode):
    """Up to 51200 bytes, and the empty text, travel in one request with the caller's mode."""
    played = play(write(content, mode), tool_text("ok"))

    assert played.arguments == [{"path": "/a", "content": content, "mode": mode}]
    assert played.result.unwrap() is True


@pytest.mark.parametrize("mode", ["overwrite", "append"])
def test_later_chunks_are_appended(mode):
    """The first chunk is written with the caller's mode, the rest appended."""
    content = "é" * CHUNK + "x"

    played = play(write(content, mode), *[tool_text("ok")] * 3)

    assert [given["mode"] for given in played.arguments] == [mode, "append", "append"]
    assert "".join(given["content"] for given in played.arguments) == content
    assert played.result.success


def test_request_id_is_that_of_the_first_request():
    """Several requests give the id of the first."""
    assert play(write("x" * CHUNK * 2), tool_text("ok"), tool_text("ok")).result.request_id == "R"


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (tool_failure("disk full"), FileError, "disk full"),
        (REFUSED_KEY, AuthenticationError, "bad key"),
        (APIConnectionError("gone", status_code=None, hint="x"), APIConnectionError, "gone"),
    ],
)
def test_failure_in_the_middle_says_how_much_was_written(answer, kind, message):
    """A write that breaks off says how many bytes are in the file; its type stays."""
    result = play(write("x" * CHUNK * 3), tool_text("ok"), answer).result

    assert result.success is False
    assert result.data is None
    assert result.error_message == f"{message} (the first {CHUNK} bytes were written)"
    assert type(result.exception) is kind
    assert type(result.exception.__cause__) is kind
    assert result.exception.extra == {**result.exception.__cause__.extra, **result.exception.extra}
    assert result.exception.status_code == result.exception.__cause__.status_code


def test_failure_at_the_start_says_nothing_of_written_bytes():
    """If nothing was written, the message is the tool's own."""
    assert play(write("x" * CHUNK * 2), tool_failure("no")).result.error_message == "no"
