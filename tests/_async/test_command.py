"""Running shell commands."""

from __future__ import annotations

import json

import pytest

from agb import CommandError, CommandResult, InvalidArgumentError


async def test_a_command_runs(session, service):
    """S55: execute_command takes the command by position and gives the output."""
    service.on("shell", service.tool("total 0\n"))

    result = await session.command.execute_command("ls -la")

    assert result == CommandResult("R", True, "total 0\n", "", None, "total 0\n")
    assert service.body()["sessionId"] == "s-1"
    assert service.arguments() == {"command": "ls -la", "timeout_ms": 1000}


async def test_execute_is_the_later_name(session, service):
    """The later name runs commands the same way."""
    service.on("shell", service.tool("hi"))

    result = await session.command.execute("echo hi", 5000)

    assert result.unwrap() == "hi"
    assert service.arguments()["timeout_ms"] == 5000


async def test_directory_and_environment_are_sent(session, service):
    """Directory, environment and a limit in seconds travel in the arguments."""
    service.on("shell", service.tool("hi"))

    await session.command.execute_command("x", cwd="/tmp", envs={"A": "1"}, timeout_s=2.5)

    assert service.arguments() == {
        "command": "x",
        "timeout_ms": 2500,
        "cwd": "/tmp",
        "envs": {"A": "1"},
    }


async def test_a_failing_command_is_a_failed_result(session, service):
    """Another exit code than 0 gives a failed result with all output and the code."""
    told = {"stdout": "out\n", "stderr": "no such file\n", "exit_code": 2, "traceId": "t-1"}
    service.on("shell", service.tool(json.dumps(told)))

    result = await session.command.execute_command("ls /nowhere")

    assert (result.success, result.exit_code, result.trace_id) == (False, 2, "t-1")
    assert (result.stdout, result.stderr) == ("out\n", "no such file\n")
    assert result.output == "out\nno such file\n"
    assert result.error_message == "no such file"
    assert type(result.exception) is CommandError


async def test_a_time_out_names_its_default(session, service):
    """A command that ran out of the default time says which limit that was."""
    service.on("shell", service.tool("Command timed out", is_error=True))

    result = await session.command.execute_command("sleep 5")

    assert result.success is False
    assert "timeout_ms was 1000, the default" in result.error_message


@pytest.mark.parametrize(
    "given",
    [
        {"command": ""},
        {"command": None},
        {"command": "a\0b"},
        {"command": "x", "timeout_ms": 0},
        {"command": "x", "timeout_ms": 1.5},
        {"command": "x", "timeout_ms": 5, "timeout_s": 1},
        {"command": "x", "timeout_s": 0},
        {"command": "x", "cwd": " "},
        {"command": "x", "envs": {"A": 1}},
        {"command": "x", "envs": ["A=1"]},
    ],
    ids=repr,
)
async def test_bad_arguments_are_refused(given, session, service):
    """An argument that can't be used fails without a request."""
    result = await session.command.execute_command(**given)

    assert type(result.exception) is InvalidArgumentError
    assert result.error_message != ""
    assert service.requests == []
