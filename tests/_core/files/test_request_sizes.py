"""Finding out how much of a file one request carries, and remembering it."""

import base64

import pytest

from agb._core.exceptions import APIConnectionError, APIError, APITimeoutError, FileError
from agb._core.files import content as file_content
from agb._core.files import operations as files
from agb._core.files.request_sizes import CHUNK_SIZE, RANGE_SIZE, Transfer
from agb._core.wire.operation import Batch

from ..scripted import (
    DEAD_SESSION,
    REFUSED_KEY,
    Answer,
    envelope,
    play,
    play_with,
    tool_failure,
    tool_text,
)

TOO_LARGE = Answer(b"Request Entity Too Large", 413)
GATEWAY = Answer(b"Bad Gateway", 502)
MIB = 1 << 20


class Limited:
    """A service with one file and limits: longer ranges and writes get its answer, or are cut."""

    def __init__(self, data=b"", longest=MIB, answer=TOO_LARGE):
        self.data = data
        self.longest = longest
        self.answer = answer
        self.writes = []

    def __call__(self, call):
        given = call.arguments
        name = call.body["name"]
        if name == "get_file_info":
            return tool_text(f"size: {len(self.data)}")
        if name == "write_file":
            self.writes.append((given["mode"], len(given["content"].encode())))
            return self.answer if self.writes[-1][1] > self.longest else tool_text("ok")
        if given["length"] > self.longest and self.answer is not None:
            return self.answer
        start, length = given["offset"], min(given["length"], self.longest)
        return tool_text(base64.b64encode(self.data[start : start + length]).decode())


def read(service, transfer):
    """Read the file; return its content and the lengths of the ranges asked for."""
    played = play_with(file_content.read_bytes("s-1", "/a", transfer), service)
    return played.result, [given["length"] for given in played.arguments[1:]]


def batches(service, transfer):
    """Read the file; return how many ranges were asked for together each time."""
    sizes = []

    def watched(steps):
        try:
            step = next(steps)
            while True:
                if isinstance(step, Batch):
                    sizes.append(len(step.calls))
                step = steps.send((yield step))
        except StopIteration as stop:
            return stop.value

    play_with(watched(file_content.read_bytes("s-1", "/a", transfer)), service)
    return sizes


def write(service, transfer, size, mode="overwrite"):
    """Write a text of this size; return the result."""
    return play_with(files.write("s-1", "/a", "x" * size, mode, transfer), service).result


def test_long_ranges_are_asked_for_at_once_when_one_has_come():
    """The first long range is asked for by itself; later reads ask for all of them together."""
    transfer = Transfer()
    service = Limited(b"x" * RANGE_SIZE * 2, RANGE_SIZE)

    first, again = batches(service, transfer), batches(service, transfer)

    assert (first, again) == ([1, 1], [2])


@pytest.mark.parametrize("answer", [TOO_LARGE, GATEWAY, tool_failure("too long")])
def test_service_of_short_ranges_is_read_in_chunks_from_then_on(answer):
    """A service that refuses a long range, in whatever form, is asked for 50 KB ranges."""
    transfer = Transfer()
    service = Limited(b"x" * MIB, CHUNK_SIZE, answer)

    first, lengths = read(service, transfer)
    again, later_lengths = read(service, transfer)

    assert first.content == again.content == service.data
    assert lengths[0] == MIB
    assert set(lengths[1:-1]) == set(later_lengths[:-1]) == {CHUNK_SIZE}


def test_service_that_gives_less_is_asked_for_that():
    """A service that cuts long ranges short is asked for ranges as long as it gives."""
    transfer = Transfer()
    service = Limited(b"ab" * RANGE_SIZE, MIB, None)

    first, lengths = read(service, transfer)
    again, later_lengths = read(service, transfer)

    assert first.content == again.content == service.data
    assert lengths == [RANGE_SIZE, MIB, MIB, MIB - 2]
    assert later_lengths == [MIB, MIB, MIB, MIB - 2]


def test_range_that_timed_out_is_tried_in_chunks():
    """A long range that takes too long on a slow line is read in 50 KB ranges."""
    service = Limited(b"x" * CHUNK_SIZE * 2, CHUNK_SIZE, APITimeoutError("slow"))

    result, lengths = read(service, Transfer())

    assert result.content == service.data
    assert lengths == [CHUNK_SIZE * 2, CHUNK_SIZE, CHUNK_SIZE]


@pytest.mark.parametrize("answer", [REFUSED_KEY, DEAD_SESSION, APIConnectionError("gone")])
def test_failure_that_has_nothing_to_do_with_length_is_not_tried_again(answer):
    """A refused key, a dead session and a lost connection are no reason to ask for less."""
    transfer = Transfer()

    result, lengths = read(Limited(b"x" * MIB, 0, answer), transfer)

    assert result.success is False
    assert lengths == [MIB]
    assert transfer.range_size == RANGE_SIZE


def test_failure_of_short_ranges_too_is_not_remembered():
    """A read that fails in chunks as well failed for another reason."""
    transfer = Transfer()

    result, lengths = read(Limited(b"x" * MIB, 0, tool_failure("I/O error")), transfer)

    assert result.error_message == "I/O error"
    assert lengths == [MIB, CHUNK_SIZE]
    assert transfer.range_size == RANGE_SIZE


def test_text_that_comes_after_bytes_is_understood():
    """A service that gives bytes first and then text is read again as text."""
    full = base64.b64encode(b"x" * CHUNK_SIZE).decode()
    script = [f"size: {CHUNK_SIZE + 2}", full, "é", "x" * CHUNK_SIZE, "é"]
    transfer = Transfer()
    transfer.found_range(CHUNK_SIZE)

    played = play(
        file_content.read_text("s-1", "/a", transfer), *(tool_text(text) for text in script)
    )

    assert played.result.content == "x" * CHUNK_SIZE + "é"
    assert transfer.is_binary is False


def test_sizeless_text_that_comes_after_bytes_is_understood():
    """The same holds for a file that says it is empty."""
    full = base64.b64encode(b"x" * (CHUNK_SIZE - 1)).decode()
    script = ["size: 0", full, "é", "x" * (CHUNK_SIZE - 1), "é", ""]

    played = play(
        file_content.read_text("s-1", "/a", Transfer()), *(tool_text(text) for text in script)
    )

    assert played.result.content == "x" * (CHUNK_SIZE - 1) + "é"


def test_whole_text_is_one_request():
    """A text of 10 MB is one request where the service takes it."""
    service = Limited(longest=16 * MIB)
    transfer = Transfer()

    assert write(service, transfer, 10 * MIB).success
    assert service.writes == [("overwrite", 10 * MIB)]
    assert transfer.appendable_size == 10 * MIB


def test_long_write_has_the_time_a_slow_line_needs():
    """A write may take the longer the longer its text is: 16 seconds for each MiB."""
    played = play(files.write("s-1", "/a", "x" * MIB, "overwrite", Transfer()), tool_text("ok"))

    assert played.calls[0].time_limit_s == 16


@pytest.mark.parametrize("status", [400, 413, 500])
def test_refused_text_is_written_in_shorter_pieces_from_then_on(status):
    """A service that refuses a long text gets shorter ones, in order, and is remembered."""
    service = Limited(longest=MIB, answer=Answer(b"no", status))
    transfer = Transfer()

    first = write(service, transfer, 5 * MIB)
    refused, service.writes = service.writes[:2], service.writes[2:]
    again = write(service, transfer, 2 * MIB)

    assert first.success
    assert again.success
    assert refused == [("overwrite", 5 * MIB), ("overwrite", 4 * MIB)]
    assert service.writes[:5] == [("overwrite", MIB), *[("append", MIB)] * 4]
    assert service.writes[5:] == [("overwrite", MIB), ("append", MIB)]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (GATEWAY, APIError),
        (tool_failure("disk full"), FileError),
        (APITimeoutError("slow"), APITimeoutError),
    ],
)
def test_write_that_may_still_happen_is_not_tried_again(answer, kind):
    """A write that failed for another reason, or may be going on, is not sent in pieces."""
    service = Limited(longest=CHUNK_SIZE, answer=answer)

    result = write(service, Transfer(), MIB)

    assert type(result.exception) is kind
    assert len(service.writes) == 1


def test_append_is_not_tried_with_an_unknown_length():
    """Appends are only as long as what was written at once before: a try might be done twice."""
    service = Limited(longest=MIB)
    transfer = Transfer()

    write(service, transfer, CHUNK_SIZE * 2, "append")
    write(service, transfer, CHUNK_SIZE * 4)
    write(service, transfer, CHUNK_SIZE * 8, "append")

    assert [size // CHUNK_SIZE for _, size in service.writes] == [1, 1, 4, 4, 4]


def test_append_that_was_turned_away_is_sent_in_shorter_pieces():
    """An append that the service did not even take is sent again, in shorter pieces."""
    transfer = Transfer()
    transfer.found_write(2 * MIB, 0)
    service = Limited(longest=MIB)

    assert write(service, transfer, 2 * MIB, "append").success
    assert [size for _, size in service.writes] == [2 * MIB, MIB, MIB]


def test_append_that_failed_otherwise_is_not_sent_again():
    """An append that may have been done is not done again."""
    transfer = Transfer()
    transfer.found_write(2 * MIB, 0)
    service = Limited(longest=MIB, answer=Answer(b"", 500))

    assert write(service, transfer, 2 * MIB, "append").success is False
    assert len(service.writes) == 1


def test_service_without_request_ids_ends_a_write():
    """A write ends when all is written, whatever the replies say of themselves."""
    data = {"content": [{"type": "text", "text": "ok"}]}
    result = play_with(
        files.write("s-1", "/a", "x", "overwrite", Transfer()),
        lambda call: envelope(data, requestId=""),
    ).result

    assert (result.success, result.request_id) == (True, "")
