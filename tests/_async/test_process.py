"""Processes that go on by themselves, against a service that is made of answers."""

from __future__ import annotations

import base64
import json
import logging

import httpx
import pytest

from agb import (
    APIError,
    CommandError,
    CommandTimeoutError,
    InvalidArgumentError,
    SessionNotFoundError,
    UnsupportedError,
)

TOOLS = [
    "start_process",
    "list_processes",
    "read_process_output",
    "wait_process",
    "write_process_stdin",
    "close_process_stdin",
    "signal_process",
]
FACTS = {"process_id": "process-1", "pid": 7, "command": "x", "exit_code": None}


@pytest.fixture
def offered(service):
    """A service that has processes."""
    listed = [{"name": name, "inputSchema": {}} for name in TOOLS]
    service.on("/mcp/listTools", service.ok(json.dumps(listed)))
    service.on("start_process", service.tool(json.dumps(FACTS)))
    service.on("signal_process", service.tool(json.dumps(FACTS)))
    return service


@pytest.fixture
async def process(offered, session):
    """A process of the session."""
    return (await session.command.start("x")).unwrap()


def output(service, text, cursor, end=False):
    data = base64.b64encode(text.encode()).decode()
    facts = {"cursor": cursor, "dropped": 0, "exit_code": 0 if end else None, "end": end}
    pieces = [{"stream": "stdout", "data": data}] if text else []
    return service.tool(json.dumps({"output": pieces, **facts}))


async def test_start_asks_once_what_the_service_offers(offered, session):
    """The tools are listed before the first process is started, and not again."""
    for _ in range(2):
        process = (await session.command.start("x", cwd="/tmp")).unwrap()

    assert offered.seen == ["/mcp/listTools", "start_process", "start_process"]
    assert offered.query(0) == {"imageId": "agb-code-space-1"}
    assert (process.process_id, process.pid, process.command) == ("process-1", 7, "x")
    assert (process.exit_code, process.session) == (None, session)
    assert repr(process).endswith("Process(process_id='process-1', pid=7)")


async def test_a_service_without_processes_runs_nothing(service, session):
    """Without the tools nothing is run, and the service and the tool are named."""
    service.on("/mcp/listTools", service.ok('[{"name": "shell"}]'))

    results = [
        await session.command.start("x"),
        await session.command.connect("process-1"),
        await session.command.list(),
        await session.command.execute("x", input="y"),
    ]

    for result, tool in zip(
        results, ["start_process", "list_processes", "list_processes", "shell"], strict=True
    ):
        assert type(result.exception) is UnsupportedError
        assert (result.exception.tool, result.exception.endpoint) == (tool, "https://api.test")
        assert tool in result.error_message
        assert "https://api.test" in result.error_message
    assert service.seen == ["/mcp/listTools"]


async def test_output_is_iterated(process, offered):
    """Pieces come as they are read, and the end is learned from the last answer."""
    offered.on(
        "read_process_output",
        output(offered, "one", 3),
        output(offered, "", 3),
        output(offered, "two", 6, end=True),
    )

    pieces = [piece.text async for piece in process]

    assert pieces == ["one", "two"]
    assert process.exit_code == 0
    assert [piece.text async for piece in process] == []


async def test_an_error_ends_the_iteration_and_it_can_go_on(process, offered):
    """A reader hears of a session that is gone; one that is back goes on."""
    gone = offered.refused("Session not found", "InvalidSession.NotFound")
    offered.on("read_process_output", gone, output(offered, "here", 4, end=True))

    with pytest.raises(SessionNotFoundError):
        async for _ in process:
            pass

    assert [piece.text async for piece in process] == ["here"]


async def test_a_lost_answer_loses_nothing(process, offered):
    """Reading that got no whole reply is done again from the same position."""
    offered.requests.clear()
    offered.on(
        "read_process_output",
        httpx.ReadError("cut off"),
        output(offered, "one", 3),
        httpx.ReadTimeout("silence"),
        output(offered, "two", 6, end=True),
    )

    pieces = [piece.text async for piece in process]

    assert pieces == ["one", "two"]
    asked = [offered.arguments(index)["cursor"] for index in range(len(offered.requests))]
    assert asked == [0, 0, 3, 3]


async def test_waiting_learns_the_exit_code(process, offered):
    """The exit code is known to the handle once it was waited for."""
    offered.on("wait_process", offered.tool(json.dumps({**FACTS, "exit_code": 0})))
    offered.on("read_process_output", output(offered, "all", 3, end=True))

    done = await process.wait()

    assert (done.success, done.stdout, done.exit_code) == (True, "all", 0)
    assert process.exit_code == 0


async def test_waiting_in_vain(process, offered):
    """A process that goes on has no exit code."""
    offered.on("wait_process", offered.tool(json.dumps(FACTS)))
    offered.on("read_process_output", output(offered, "", 0))

    done = await process.wait(timeout_s=1)

    assert type(done.exception) is CommandTimeoutError
    assert process.exit_code is None


async def test_a_block_kills_at_its_end(process, offered):
    """Leaving the block kills the process, whatever happened in it."""

    async def use():
        async with process as same:
            raise KeyError(same)

    with pytest.raises(KeyError) as caught:
        await use()

    assert caught.value.args == (process,)
    assert offered.seen[-1] == "signal_process"
    assert offered.arguments() == {"process_id": "process-1", "signal": "KILL"}


async def test_a_process_that_cannot_be_killed_hides_no_error(process, offered, caplog):
    """At the end of a block a failure is logged, not raised."""
    offered.on("signal_process", offered.refused("gone"))

    with caplog.at_level(logging.INFO, "agb"):
        await process.aclose()

    assert "process-1" in caplog.text
    assert "gone" in caplog.text


async def test_a_client_that_was_closed_first(agb, process, caplog):
    """A process whose client is closed is left to its session."""
    await agb.aclose()

    with caplog.at_level(logging.INFO, "agb"):
        await process.aclose()

    assert "closed" in caplog.text


@pytest.mark.parametrize(
    ("call", "tool"),
    [
        (lambda process: process.kill(), "KILL"),
        (lambda process: process.terminate(), "TERM"),
        (lambda process: process.send_signal("SIGINT"), "INT"),
    ],
)
async def test_signals(process, offered, call, tool):
    """Each way to end a process sends its signal."""
    result = await call(process)

    assert result.success
    assert offered.arguments()["signal"] == tool


async def test_standard_input(process, offered):
    """Input is written and closed."""
    offered.on("write_process_stdin", offered.tool('{"written": 2}'))
    offered.on("close_process_stdin", offered.tool("ok"))

    assert (await process.send_stdin("hi")).success
    assert offered.arguments()["data"] == "aGk="
    assert (await process.close_stdin()).success


async def test_bad_arguments_are_refused(process, offered):
    """An argument that can't be used fails without a request."""
    offered.requests.clear()
    results = [
        await process.session.command.start(""),
        await process.session.command.connect(""),
        await process.wait(timeout_s=0),
        await process.send_stdin(5),
        await process.send_signal("no"),
    ]

    for result in results:
        assert type(result.exception) is InvalidArgumentError
    assert offered.requests == []


async def test_check_raises_the_error_of_a_failed_result(session, service):
    """`check=True` is the one call that raises, and raises what the result would have had."""
    told = {"stdout": "", "stderr": "no", "exit_code": 2}
    service.on("shell", service.tool(json.dumps(told)))

    with pytest.raises(CommandError, match="no"):
        await session.command.execute("x", check=True)
    with pytest.raises(InvalidArgumentError):
        await session.command.execute("", check=True)
    service.on("shell", service.refused("down", status=500))
    with pytest.raises(APIError, match="down"):
        await session.command.execute("x", check=True)


async def test_check_returns_a_success(session, service):
    """A command that succeeds is returned as ever."""
    service.on("shell", service.tool("hi"))

    assert (await session.command.execute("x", check=True)).stdout == "hi"
