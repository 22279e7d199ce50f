"""The protocol between server and agent, fuzzed from both sides."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import struct
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agb.local.failures import SandboxError, SandboxGone, ToolError
from agb.local.inside.frames import Channel, Decoder, FrameError, encode
from agb.local.sandboxes.connection import Connection
from agb.local.sandboxes.replies import is_valid
from agb.local.settings import InsideSettings, Settings

FULL = os.environ.get("AGB_ATTACKS") == "full"
LIMIT = 4096


def framed(body):
    return struct.pack(">I", len(body)) + body


fuzzed = settings(
    max_examples=5000 if FULL else 120,
    deadline=None,
    derandomize=not FULL,
    database=None,
    suppress_health_check=list(HealthCheck),
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
methods = st.sampled_from(["write_file", "shell", "run_code", "read_file", "list_directory"])
results = st.sampled_from(
    [
        {"bytes": 1},
        {"content": "x"},
        {"entries": [{"name": "n", "isDirectory": False}]},
        {"stdout": "", "stderr": "", "exit_code": 0, "timed_out": False, "truncated": False},
        {"bytes": True},
        {"bytes": 1, "more": None},
    ]
)
answers = st.one_of(
    st.fixed_dictionaries({"id": st.integers(-1, 6), "result": results | json_values}),
    st.fixed_dictionaries({"id": st.integers(-1, 6), "event": json_values}),
    st.fixed_dictionaries(
        {
            "id": st.integers(-1, 6) | json_values,
            "error": st.fixed_dictionaries({"message": st.text() | json_values}) | json_values,
        }
    ),
    st.dictionaries(st.sampled_from(["id", "result", "error", "event", "method"]), json_values),
)
frames = st.one_of(
    answers.map(lambda message: encode(message, 1 << 20)),
    json_values.map(lambda value: framed(json.dumps(value).encode())),
    st.binary(max_size=60).map(lambda body: framed(body)),
    st.binary(max_size=60),
    st.just(framed(b"[" * 3000)),
    st.just(framed(b'{"id":' + b"9" * 4000 + b"}")),
    st.just(struct.pack(">I", LIMIT + 1)),
    st.just(struct.pack(">I", 2**32 - 1)),
)


class Transport(asyncio.Transport):
    """Takes what is written; nothing of it goes anywhere."""

    def __init__(self):
        super().__init__()
        self.aborted = False

    def write(self, data):
        pass

    def abort(self):
        self.aborted = True


@fuzzed
@given(st.lists(frames, max_size=8), st.integers(1, 50), st.lists(methods, max_size=4))
def test_agent_that_says_anything(said, piece, asked):
    """A caller hears an answer of the right shape or why there is none; nothing else happens."""

    async def play():
        condemned = []
        chosen = Settings(inside=InsideSettings(max_frame_bytes=LIMIT))
        connection = Connection(chosen, lambda: condemned.append(True))
        transport = Transport()
        connection.connection_made(transport)
        calls = [
            (method, asyncio.create_task(connection.call(method, {}, 30.0))) for method in asked
        ]
        await asyncio.sleep(0)
        data = b"".join(said)
        for start in range(0, len(data), piece):
            if not transport.aborted:
                connection.data_received(data[start : start + piece])
        assert len(condemned) <= 1
        assert (connection.gone is not None) == bool(condemned) == transport.aborted
        connection.close("over")
        for method, call in calls:
            with contextlib.suppress(ToolError, SandboxError):
                assert is_valid(method, await call)

    asyncio.run(play())


@fuzzed
@given(st.lists(frames, max_size=8))
def test_server_that_says_anything(said):
    """What reads messages gives messages, the end, or says that this is none; it never waits."""
    reading, writing = os.pipe()
    try:
        os.write(writing, b"".join(said)[:60_000])
    finally:
        os.close(writing)
    channel = Channel(reading, reading, LIMIT)
    try:
        while (message := channel.receive()) is not None:
            assert isinstance(message, dict)
    except FrameError:
        pass
    finally:
        os.close(reading)


@fuzzed
@given(st.lists(answers, max_size=6), st.integers(1, 40))
def test_messages_in_pieces(messages, piece):
    """However the bytes are cut, the same messages come out, in order."""
    decoder = Decoder(1 << 20)
    data = b"".join(encode(message, 1 << 20) for message in messages)
    heard = [
        message
        for start in range(0, len(data), piece)
        for message in decoder.feed(data[start : start + piece])
    ]

    assert json.dumps(heard) == json.dumps(
        [json.loads(encode(message, 1 << 20)[4:]) for message in messages]
    )


@fuzzed
@given(st.dictionaries(st.text(), json_values, max_size=3), st.integers(0, 200))
def test_messages_that_are_too_long(message, limit):
    """A message over the limit is never sent, and one within it is never longer."""
    try:
        frame = encode(message, limit)
    except FrameError:
        assert len(encode(message, 1 << 20)) > limit + 4
    else:
        assert len(frame) <= limit + 4


def test_threads_share_a_channel():
    """Messages of several threads do not get mixed."""
    reading, writing = os.pipe()
    channel = Channel(reading, writing, 1 << 20)
    senders = [
        threading.Thread(target=lambda n=n: [channel.send({"n": n, "x": "y" * n})] * 20)
        for n in range(8)
    ]
    for sender in senders:
        sender.start()
    heard = [channel.receive() for _ in senders]
    for sender in senders:
        sender.join()
    os.close(reading)
    os.close(writing)

    assert all(message["x"] == "y" * message["n"] for message in heard)


PARAMETERS = [
    "path", "content", "mode", "code", "language", "command", "cwd", "envs", "offset", "length",
    "pattern", "edits", "paths", "source", "destination", "process_id", "wait_s", "nonsense",
]  # fmt: skip
asked_for = st.fixed_dictionaries(
    {},
    optional={
        name: json_values | st.sampled_from(["x", "/", "..", "\0", "/proc/self/mem"])
        for name in PARAMETERS
    },
)
all_methods = st.sampled_from(
    [
        "run_code", "shell", "read_file", "write_file", "edit_file", "list_directory",
        "create_directory", "get_file_info", "move_file", "read_multiple_files", "search_files",
        "get_file_change", "get_metrics", "start_process", "list_processes", "wait_process",
        "read_process_output", "signal_process", "write_process_stdin", "start", "", "__init__",
    ]
)  # fmt: skip


@pytest.mark.asyncio(loop_scope="module")
async def test_agent_asked_for_anything(fresh):
    """Whatever an agent is asked for, it answers, in the right shape or with a reason."""
    asked = []

    @settings(fuzzed, max_examples=2000 if FULL else 150)
    @given(all_methods, asked_for)
    def ask(method, params):
        asked.append((method, params))

    ask()
    for method, params in asked:
        limits = {"timeout_s": 0.2} if method == "run_code" else {}
        limits = {"timeout_ms": 20} if method == "shell" else limits
        with contextlib.suppress(ToolError):
            await fresh._connection.call(method, {**params, **limits}, 20)
        assert fresh._connection.gone is None, (method, params)

    look = {"command": "echo fine", "timeout_ms": 5000}
    assert (await fresh.call("shell", look, timeout_s=10))["stdout"] == "fine\n"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "garbage",
    [b"\xff" * 4, framed(b"\xff\xfe"), framed(b"[]"), framed(b"nonsense"), framed(b"[" * 3000)],
    ids=["too long", "no text", "a list", "no JSON", "deep"],
)
async def test_agent_that_is_sent_garbage(fresh, garbage):
    """An agent that cannot understand its server does not guess: it ends, and its sandbox too."""
    fresh._connection._transport.write(garbage)
    with pytest.raises(SandboxGone):
        await fresh.call("shell", {"command": "sleep 9", "timeout_ms": 9000}, timeout_s=20)
    await fresh.aclose()

    assert fresh._end.done()
