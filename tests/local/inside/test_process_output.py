"""The room for the output of a process, held against everything that was written."""

from hypothesis import example, given
from hypothesis import strategies as st

from agb.local.inside.process_output import ProcessOutput

LIMIT = 4000
WRITES = st.lists(
    st.tuples(st.sampled_from(["stdout", "stderr"]), st.integers(1, 700)), min_size=1, max_size=60
)


def written(writes, limit=LIMIT):
    """Let a process write; return what is kept, and everything byte by byte with its stream."""
    output, everything, number = ProcessOutput(limit), [], 0
    for stream, size in writes:
        data = bytes((number + index) % 251 for index in range(size))
        number += size
        output.add(stream, data)
        everything += [(stream, byte) for byte in data]
    return output, everything


def bytes_of(pieces):
    return [(stream, byte) for stream, data in pieces for byte in data]


@given(WRITES, st.data())
def test_reading_gives_what_is_there_and_counts_the_rest(writes, data):
    """From any position, what is kept comes in order; the rest before it is counted."""
    output, everything = written(writes)
    position = data.draw(st.integers(0, len(everything)))
    at_most = data.draw(st.integers(1, 2000))

    pieces, after, dropped = output.read(position, at_most)

    assert output.end == len(everything)
    assert bytes_of(pieces) == everything[position + dropped : after]
    assert after == min(position + dropped + at_most, len(everything))
    assert all(data for _, data in pieces)
    assert output.read(position, at_most) == (pieces, after, dropped)


@given(WRITES, st.integers(1, 999))
def test_reading_on_gives_all_that_is_kept(writes, at_most):
    """A reader that goes on from where it was gets each byte once, to the end."""
    output, everything = written(writes)
    found, position, lost = [], 0, 0
    while position < output.end:
        pieces, position, dropped = output.read(position, at_most)
        found += bytes_of(pieces)
        lost += dropped

    assert found == everything[lost:]


def cost_of(pieces):
    return sum(256 + len(data) for _, data in pieces)


@given(WRITES)
@example([("stderr", 700)] * 4 + [("stdout", 700)])
def test_the_room_is_kept_to(writes):
    """The newest pieces are kept, as many as there is room for, and the last in any case."""
    output, everything = written(writes)
    all_pieces = written(writes, limit=1 << 20)[0].read(0, len(everything))[0]

    pieces = output.read(0, len(everything))[0]

    assert pieces == all_pieces[-len(pieces) :]
    assert cost_of(pieces) <= LIMIT or len(pieces) == 1
    assert pieces == all_pieces or cost_of(all_pieces[-len(pieces) - 1 :]) > LIMIT


@given(WRITES, WRITES, st.data())
def test_room_that_is_promised_costs_a_reader_nothing(writes, more, data):
    """What is added where there is room for it pushes out nothing that a reader has not read."""
    output, everything = written(writes)
    position = data.draw(st.integers(0, len(everything)))
    _, _, before = output.read(position, 1)
    for stream, size in more:
        if output.has_room(position, size):
            output.add(stream, bytes(size))
            assert output.read(position, 1)[2] == before


@given(WRITES)
def test_a_reader_that_has_read_all_leaves_room(writes):
    """To a reader that is at the end there is always room for one more read of a pipe."""
    output, everything = written(writes)

    assert output.has_room(len(everything), LIMIT - 256)
