"""The server's end of the socket, against agents that misbehave."""

from __future__ import annotations

import asyncio
import json
import socket
import struct

import pytest

from agb.local.failures import SandboxError, SandboxGone, ToolError
from agb.local.inside.frames import Decoder, FrameError, encode
from agb.local.sandboxes.connection import Connection
from agb.local.settings import InsideSettings, Settings

CELL = {
    "stdout": [],
    "stderr": [],
    "result": [],
    "execution_count": 1,
    "execution_time": 0.1,
    "error": None,
    "timed_out": False,
}


class Agent:
    """The other end of a connection, to be played by a test."""

    def __init__(self, **settings):
        self.condemned = 0
        self.connection = Connection(Settings(**settings), self._condemn)
        self.decoder = Decoder(1 << 20)

    def _condemn(self):
        self.condemned += 1

    async def open(self):
        ours, theirs = socket.socketpair()
        await self.connection.open(ours)
        self.reader, self.writer = await asyncio.open_connection(sock=theirs)
        return self

    async def heard(self):
        messages = []
        while not messages:
            messages = self.decoder.feed(await self.reader.read(1 << 16))
        return messages[0]

    def say(self, message):
        self.writer.write(encode(message, 1 << 20))

    def call(self, method="write_file", timeout_s=5.0, **params):
        return asyncio.create_task(self.connection.call(method, params, timeout_s))

    async def close(self):
        self.connection.close("closed")
        self.writer.close()
        await asyncio.sleep(0)


@pytest.fixture
async def agent():
    agent = await Agent().open()
    yield agent
    await agent.close()


async def test_answers_in_any_order(agent):
    """Answers find their callers by number."""
    first, second = agent.call(path="a"), agent.call(path="b")
    one = await agent.heard()
    agent.say({"id": one["id"] + 1, "result": {"bytes": 2}})
    agent.say({"id": one["id"], "result": {"bytes": 1}})

    assert (await first, await second) == ({"bytes": 1}, {"bytes": 2})


async def test_refusals(agent):
    """An answer with an error is a ToolError with its detail."""
    call = agent.call()
    request = await agent.heard()
    agent.say({"id": request["id"], "error": {"message": "no", "detail": {"a": 1}}})
    with pytest.raises(ToolError, match="no") as caught:
        await call

    assert caught.value.detail == {"a": 1}
    assert not agent.condemned


def framed(text):
    body = text.encode()
    return struct.pack(">I", len(body)) + body


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xffxxxx",
        framed("not JSON"),
        framed("[]"),
        framed("[" * 100_000),
        framed("{}"),
        framed(json.dumps({"id": "1"})),
        framed(json.dumps({"id": 99, "result": {}})),
        framed(json.dumps({"id": 1})),
        framed(json.dumps({"id": 1, "result": []})),
        framed(json.dumps({"id": 1, "result": {"bytes": True}})),
        framed(json.dumps({"id": 1, "result": {"bytes": "1"}})),
        framed(json.dumps({"id": 1, "error": "text"})),
        framed(json.dumps({"id": 1, "error": {"message": 1}})),
        framed(json.dumps({"id": 1, "error": {"message": "", "detail": []}})),
        framed(json.dumps({"id": 1, "event": {"stdout": "x"}})),
        framed(json.dumps({"id": 99, "event": {"stdout": "x"}})),
        b"\0\0\0\x01\xff",
    ],
)
async def test_nonsense(agent, data):
    """Whatever is not an answer that was asked for closes the sandbox, with a clear cause."""
    call = agent.call()
    await agent.heard()
    agent.writer.write(data)
    with pytest.raises(SandboxGone, match="no answer"):
        await call
    with pytest.raises(SandboxGone, match="no answer"):
        await agent.call()

    assert agent.condemned == 1


async def test_events(agent):
    """What is told of a request reaches who asked, before the answer; each is acknowledged."""
    told = []
    call = asyncio.create_task(agent.connection.call("stream_code", {}, 5.0, told.append))
    number = (await agent.heard())["id"]
    agent.say({"id": number, "event": {"stdout": "x"}})
    agent.say({"id": number, "event": {"result": {"text/plain": "1"}}})
    while len(told) < 2:
        await asyncio.sleep(0)
    told[0].passed_on()
    acknowledged = await agent.heard()
    agent.say({"id": number, "result": CELL})
    result = await call
    told[1].passed_on()

    assert [event.content for event in told] == [{"stdout": "x"}, {"result": {"text/plain": "1"}}]
    assert acknowledged == {"id": number, "method": "passed_on"}
    assert result == CELL
    assert not agent.condemned


async def test_late_events(agent):
    """What an agent told before it heard of a cancellation is left aside."""
    told = []
    call = asyncio.create_task(agent.connection.call("stream_code", {}, 5.0, told.append))
    number = (await agent.heard())["id"]
    call.cancel()
    await agent.heard()
    agent.say({"id": number, "event": {"stdout": "x"}})
    agent.say({"id": number, "error": {"message": "Cancelled"}})
    other = agent.call()
    agent.say({"id": (await agent.heard())["id"], "result": {"bytes": 1}})

    assert await other == {"bytes": 1}
    assert told == []


@pytest.mark.parametrize(
    "event",
    [
        None,
        {},
        {"stdout": 1},
        {"stdout": "x" * 65_537},
        {"stdout": "x", "stderr": "y"},
        {"result": "x"},
        {"error": "x"},
    ],
)
async def test_nonsense_events(agent, event):
    """Whatever is not an event of the method closes the sandbox."""
    call = asyncio.create_task(agent.connection.call("stream_code", {}, 5.0, lambda event: None))
    agent.say({"id": (await agent.heard())["id"], "event": event})

    with pytest.raises(SandboxGone, match="no answer"):
        await call
    assert agent.condemned == 1


async def test_more_events_than_there_is_room_for(agent):
    """An agent that does not wait until its events were passed on closes the sandbox."""
    told = []
    call = asyncio.create_task(agent.connection.call("stream_code", {}, 5.0, told.append))
    number = (await agent.heard())["id"]
    for _ in range(9):
        agent.say({"id": number, "event": {"stdout": "x"}})

    with pytest.raises(SandboxGone, match="no answer"):
        await call
    assert len(told) == 8


async def test_end(agent):
    """An agent that closes its end has ended."""
    call = agent.call()
    await agent.heard()
    agent.writer.close()

    with pytest.raises(SandboxGone, match="has ended"):
        await call
    assert agent.condemned == 1


async def test_late_answer():
    """A call beyond its limit is cancelled at the agent; an answer in the time of grace is fine."""
    agent = await Agent(cancel_grace_s=5).open()
    call = agent.call(timeout_s=0.05)
    request = await agent.heard()
    with pytest.raises(SandboxError, match=r"did not answer write_file within 0\.05 s"):
        await call
    assert await agent.heard() == {"id": request["id"], "method": "cancel"}
    agent.say({"id": request["id"], "error": {"message": "Cancelled"}})
    again = agent.call()
    request = await agent.heard()
    agent.say({"id": request["id"], "result": {"bytes": 0}})

    assert await again == {"bytes": 0}
    assert not agent.condemned
    await agent.close()


async def test_cancelled_caller(agent):
    """A caller that is cancelled has its request cancelled at the agent."""
    call = agent.call()
    request = await agent.heard()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert await agent.heard() == {"id": request["id"], "method": "cancel"}


async def test_silence():
    """An agent that does not answer a cancelled request either is given up."""
    agent = await Agent(cancel_grace_s=0.05).open()
    with pytest.raises(SandboxError):
        await agent.call(timeout_s=0.05)
    while not agent.condemned:
        await asyncio.sleep(0.01)

    with pytest.raises(SandboxGone, match="stopped answering"):
        await agent.call()
    await agent.close()


async def test_flood():
    """A frame over the limit is refused by its announcement, before its bytes are kept."""
    agent = await Agent(inside=InsideSettings(max_frame_bytes=1000)).open()
    call = agent.call()
    await agent.heard()
    agent.writer.write(struct.pack(">I", 1001))
    with pytest.raises(SandboxGone):
        await call

    await agent.close()


def test_pieces():
    """Frames may come in any pieces, several at once."""
    data = encode({"a": 1}, 100) + encode({"b": "é"}, 100)
    decoder = Decoder(100)
    messages = [message for byte in data for message in decoder.feed(bytes([byte]))]

    assert messages == [{"a": 1}, {"b": "é"}] == Decoder(100).feed(data)
    with pytest.raises(FrameError):
        encode({"a": "x" * 100}, 100)
