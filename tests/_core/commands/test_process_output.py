"""From bytes of two streams to pieces of text."""

import base64
import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agb._core.commands.process_output import Unread
from agb._core.commands.process_results import ProcessOutput
from agb._core.exceptions import APIError
from agb._core.wire.replies import Reply

REPLY = Reply("R", 200, "ok", None, {})
PIECES = st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary(max_size=8)))


def answer(*pieces, cursor=0, dropped=0, exit_code=None, end=False):
    output = [
        {"stream": stream, "data": base64.b64encode(data).decode()} for stream, data in pieces
    ]
    facts = {"cursor": cursor, "dropped": dropped, "exit_code": exit_code, "end": end}
    return {"output": output, **facts}


def taken(unread):
    pieces = []
    while (piece := unread.next()) is not None:
        pieces.append(piece)
    return pieces


def joined(pieces, stream, what):
    return what().join(
        getattr(p, {str: "text", bytes: "data"}[what]) for p in pieces if p.stream == stream
    )


@given(st.lists(PIECES))
def test_nothing_is_lost_and_no_character_is_cut(replies):
    """However output is cut, the text of a stream is that of its bytes, and each piece's too."""
    unread = Unread()
    pieces = []
    for number, reply in enumerate(replies):
        unread.take(REPLY, answer(*reply, cursor=number))
        pieces += taken(unread)
    unread.take(REPLY, answer(cursor=len(replies), exit_code=0, end=True))
    pieces += taken(unread)

    for stream in ("stdout", "stderr"):
        data = b"".join(data for reply in replies for name, data in reply if name == stream)
        assert joined(pieces, stream, bytes) == data
        assert joined(pieces, stream, str) == data.decode(errors="replace")
    assert all(piece.data.decode(errors="replace") == piece.text for piece in pieces)
    assert (unread.is_over, unread.exit_code, unread.cursor) == (True, 0, len(replies))


@given(st.text(), st.lists(st.integers(1, 3)))
def test_text_comes_in_whole_characters(text, sizes):
    """Pieces of text that is UTF-8 hold no replacement characters, wherever the bytes were cut."""
    unread, data, pieces = Unread(), text.encode(errors="replace"), []
    for size in [*sizes, len(data)]:
        unread.take(REPLY, answer(("stdout", data[:size])))
        data = data[size:]
        pieces += taken(unread)

    whole = text.encode(errors="replace").decode()
    assert "".join(piece.text for piece in pieces) == whole
    assert all(codecs.utf_8_decode(piece.data, "strict", True) for piece in pieces)


def test_order_between_the_streams_is_kept():
    """Pieces come in the order of the service, except for half a character, which waits."""
    unread = Unread()
    unread.take(
        REPLY, answer(("stdout", b"a\xc3"), ("stderr", b"b"), ("stdout", b"\xa9"), cursor=4)
    )

    assert taken(unread) == [
        ProcessOutput("stdout", "a", b"a"),
        ProcessOutput("stderr", "b", b"b"),
        ProcessOutput("stdout", "é", b"\xc3\xa9"),
    ]


def test_what_was_dropped_is_counted_before_what_follows():
    """A gap ends what was begun before it, and is told with the piece after it, once."""
    unread = Unread()
    unread.take(REPLY, answer(("stdout", b"\xc3"), cursor=1))
    assert taken(unread) == []

    unread.take(REPLY, answer(("stderr", b"x"), ("stderr", b"y"), cursor=103, dropped=100))

    assert taken(unread) == [
        ProcessOutput("stdout", "\N{REPLACEMENT CHARACTER}", b"\xc3"),
        ProcessOutput("stderr", "x", b"x", 100),
        ProcessOutput("stderr", "y", b"y"),
    ]


def test_a_gap_with_nothing_after_it_is_told_too():
    """Where nothing follows what was dropped, an empty piece tells of it."""
    unread = Unread()
    unread.take(REPLY, answer(cursor=7, dropped=7, end=True))

    assert taken(unread) == [ProcessOutput("stdout", dropped_bytes=7)]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {**answer(), "cursor": "1"},
        {**answer(), "cursor": -1},
        {**answer(), "dropped": None},
        {**answer(), "output": [{}]},
        {**answer(), "output": [{"stream": "stdlog", "data": ""}]},
        {**answer(), "output": [{"stream": "stdout", "data": "?"}]},
        {**answer(), "output": [{"stream": "stdout", "data": "é"}]},
        {**answer(), "output": [{"stream": "stdout", "data": 5}]},
    ],
    ids=str,
)
def test_an_answer_that_makes_no_sense_is_refused(wrong):
    """What can't be read is an error, and nothing of it is handed over."""
    unread = Unread()
    with pytest.raises(APIError, match="read_process_output"):
        unread.take(REPLY, wrong)

    assert (taken(unread), unread.cursor) == ([], 0)
