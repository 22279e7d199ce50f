"""Reading a file in pieces, from services with and without binary ranges."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agb._core.exceptions import APIError, FileError
from agb._core.files import content as file_content
from agb._core.files.request_sizes import Transfer
from agb._core.wire.call import Call

from ..scripted import Answer, envelope, play, play_with, tool_failure, tool_text

CHUNK = 51_200
CHARS = ["a", "é", "語", "😀"]


def is_continuation(byte):
    return byte & 0xC0 == 0x80


def whole_characters(data, start, end):
    """The T9 rule: each character belongs to the range that holds its first byte."""
    while start < len(data) and is_continuation(data[start]):
        start += 1
    while end < len(data) and is_continuation(data[end]):
        end += 1
    return data[start:end].decode()


def broken_characters(data, start, end):
    """An old service that cuts by bytes and decodes each piece by itself."""
    return data[start:end].decode(errors="replace")


class FileService:
    """A service with one file, which knows binary ranges or cuts text in its own way."""

    def __init__(self, data, cut=None, size=None):
        self.data = data
        self.cut = cut
        self.size = len(data) if size is None else size

    def __call__(self, call: Call) -> Answer:
        given = call.arguments
        if call.body["name"] == "get_file_info":
            return tool_text(f"size: {self.size}\nisDirectory: false")
        start = given.get("offset", 0)
        end = start + given.get("length", len(self.data))
        if self.cut is None and given.get("format") == "binary":
            return tool_text(base64.b64encode(self.data[start:end]).decode())
        return tool_text((self.cut or whole_characters)(self.data, start, end))


def read_text(service):
    return play_with(file_content.read_text("s-1", "/a", Transfer()), service)


def read_bytes(service):
    return play_with(file_content.read_bytes("s-1", "/a", Transfer()), service)


# A text whose characters of each width fall on every side of the first and second range's end.
SEAMS = [
    "x" * (CHUNK * ranges - before) + char * 3 + "y" * after
    for ranges in (1, 2)
    for before in range(5)
    for char in CHARS
    for after in (0, CHUNK + 1)
]


@pytest.mark.parametrize("cut", [None, whole_characters, broken_characters])
@pytest.mark.parametrize("text", SEAMS, ids=range(len(SEAMS)))
def test_t09_characters_at_every_seam_survive(text, cut):
    """No character is lost or broken where two ranges meet, with or without binary ranges (T9)."""
    result = read_text(FileService(text.encode(), cut)).result

    assert result.success
    assert result.content == text


texts = st.text(st.characters(exclude_categories=["Cs"]))
long_texts = st.builds(
    lambda start, filler, length, end: start + filler * length + end,
    texts,
    st.sampled_from(CHARS),
    st.sampled_from([0, 1, CHUNK // 4 - 1, CHUNK // 2, CHUNK - 2, CHUNK]),
    texts,
)


@given(long_texts, st.sampled_from([None, whole_characters, broken_characters]))
def test_t09_any_text_is_read_exactly(text, cut):
    """Any text is read as it is, whatever the service makes of ranges (T9)."""
    assert read_text(FileService(text.encode(), cut)).result.unwrap() == text


@given(st.binary(), st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK * 3 // 4]))
def test_any_bytes_are_read_exactly(data, length):
    """With binary ranges any bytes are read as they are, and decoded once as text."""
    data = data + b"\x80" * length
    service = FileService(data)

    assert read_bytes(service).result.unwrap() == data
    assert read_bytes(service).result.size == len(data)
    assert read_text(service).result.unwrap() == data.decode(errors="replace")


@pytest.mark.parametrize("text", ["abcd", "AAAA" * 100, "a" * CHUNK, "eHg=", "x", "aGk"])
def test_text_that_looks_like_base64_is_no_base64(text):
    """A service without binary ranges is known by the length of its answer."""
    service = FileService(text.encode(), whole_characters)

    assert read_text(service).result.content == text
    assert read_bytes(service).result.content == text.encode()


def test_after_one_range_of_text_the_binary_form_is_not_asked_for_again():
    """A service that ignored `format` once is asked for text from then on."""
    played = read_text(FileService(b"x" * CHUNK * 2, whole_characters))

    assert [given.get("format") for given in played.arguments] == [None, "binary", None, None]


def test_t09_broken_seams_are_read_again_in_one_piece():
    """A service that breaks characters is asked once more, without offset and length (T9)."""
    played = read_text(FileService(("x" + "é" * CHUNK).encode(), broken_characters))

    assert played.arguments[-1] == {"path": "/a"}
    assert played.result.content == "x" + "é" * CHUNK


def test_replacement_character_of_the_file_itself_is_kept():
    """A file that really holds U+FFFD at a seam is read exactly."""
    text = "x" * (CHUNK - 3) + "\N{REPLACEMENT CHARACTER}" * 2 + "x"

    assert read_text(FileService(text.encode(), whole_characters)).result.content == text


def test_half_of_a_character_in_a_reply_is_no_exception():
    """A service that sends half of a surrogate pair is read as far as that is text."""
    data = rb'{"content": [{"type": "text", "text": "a\ud800b"}]}'
    answer = Answer(b'{"success": true, "data": ' + data + b"}")

    result = play(
        file_content.read_text("s-1", "/a", Transfer()), tool_text("size: 3"), answer
    ).result

    assert result.content == "a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.parametrize("cut", [None, whole_characters])
@pytest.mark.parametrize("length", [1, 4 * 9600 - 2, 4 * 9600, CHUNK - 1, CHUNK, CHUNK * 2])
def test_t10_file_that_says_it_is_empty_is_read_to_its_end(length, cut):
    """A file of size 0 that has content, as in `/proc`, is read all the same (T10)."""
    data = b"x:\n" * length

    assert read_bytes(FileService(data, cut, size=0)).result.content == data


@pytest.mark.parametrize("length", [38_398, 38_399, 38_400])
def test_binary_range_is_never_taken_for_text(length):
    """Base64 as long as the range asked for is still base64."""
    data = b"\0" * length

    assert read_bytes(FileService(data, size=0)).result.content == data


@pytest.mark.parametrize("cut", [None, whole_characters])
def test_empty_file_is_empty(cut):
    """An empty file gives `""` and `b""` with success."""
    service = FileService(b"", cut)

    assert read_text(service).result.unwrap() == ""
    assert read_bytes(service).result.unwrap() == b""
    assert read_bytes(service).result.size == 0


def test_t10_empty_file_that_can_not_be_read_fails():
    """A file of size 0 is read once, and that may fail: it is not known to be empty (T10)."""
    script = tool_text("size: 0"), tool_failure("EACCES: permission denied")

    result = play(file_content.read_text("s-1", "/a", Transfer()), *script).result

    assert (result.success, result.content) == (False, "")
    assert result.error_message == "EACCES: permission denied"


def test_sizeless_file_that_breaks_off_fails():
    """A file of size 0 whose second range fails was not read to its end."""
    full = tool_text(base64.b64encode(b"x" * (CHUNK - 1)).decode())
    script = tool_text("size: 0"), full, tool_failure("gone")

    result = play(file_content.read_text("s-1", "/a", Transfer()), *script).result

    assert (result.success, result.content, result.error_message) == (False, "", "gone")


def test_t10_file_that_shrinks_ends_at_its_end():
    """A short binary range ends the reading (T10)."""
    played = read_bytes(FileService(b"x" * 10, size=CHUNK * 3))

    assert played.result.content == b"x" * 10
    assert len(played.calls) == 2


def test_t10_file_that_grows_is_read_as_far_as_it_said():
    """A file that grew meanwhile gives the bytes it had (T10)."""
    assert read_bytes(FileService(b"x" * CHUNK * 2, size=CHUNK)).result.size == CHUNK


def test_request_id_is_that_of_the_information_call():
    """A read gives the id of `get_file_info`, not of the ranges."""
    info = envelope({"content": [{"type": "text", "text": "size: 1"}]}, requestId="info")

    result = play(file_content.read_text("s-1", "/a", Transfer()), info, tool_text("eA==")).result

    assert (result.content, result.request_id) == ("x", "info")


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ("isDirectory: true\nsize: 4096", "is a directory"),
        ("isDirectory: false", "has no size"),
        ("size: much", "has no size"),
        ("", "has no size"),
    ],
)
def test_directory_and_unknown_size_fail(facts, message):
    """A directory, and a reply without a size, are failed results after one request."""
    result = play(file_content.read_text("s-1", "/a", Transfer()), tool_text(facts)).result

    assert result.success is False
    assert message in result.error_message
    assert type(result.exception) is FileError


@pytest.mark.parametrize(
    ("answer", "kind"), [(tool_failure("I/O error"), FileError), (Answer(b"", 502), APIError)]
)
def test_range_that_fails_fails_the_read(answer, kind):
    """A file is read to its end or not at all."""
    full = tool_text(base64.b64encode(b"x" * CHUNK).decode())
    script = tool_text(f"size: {CHUNK * 2}"), full, answer

    result = play(file_content.read_bytes("s-1", "/a", Transfer()), *script).result

    assert (result.success, result.content, result.size) == (False, b"", None)
    assert type(result.exception) is kind
