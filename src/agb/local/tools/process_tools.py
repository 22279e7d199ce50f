"""The tools for processes that go on by themselves. The official SDK has none of them."""

from __future__ import annotations

import json

from ..failures import SandboxError
from ..settings import Settings
from . import arguments as take
from .results import Result, field, items_of
from .tool import Tool
from .tool_replies import CallFacts, ToolReply, done

_SIGNALS = ("HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "TERM", "CONT", "STOP")
_STREAMS = ("stdout", "stderr")


def process_tools(settings: Settings) -> tuple[Tool, ...]:
    """List them.

    Args:
        settings: The limits of the server.

    Returns:
        The tools.
    """
    process_id = take.line("process_id")
    wait = take.optional(take.wait("wait_s", at_most=settings.max_wait_s), 0)
    return (
        Tool(
            "start_process",
            "Start a shell command and let it go on by itself; the reply names its process_id.",
            (
                take.line("command"),
                take.optional(take.line("cwd")),
                take.optional(take.environment("envs")),
                take.optional(take.flag("stdin"), True),
                take.optional(take.flag("keep_output"), True),
            ),
            _process,
        ),
        Tool(
            "list_processes",
            "List the processes that start_process has started.",
            (),
            _processes,
        ),
        Tool(
            "read_process_output",
            "Read what a process wrote, as base64, from a cursor on; wait if there is nothing yet.",
            (process_id, take.optional(take.whole_number("cursor"), 0), wait),
            _output,
            waits_by="wait_s",
        ),
        Tool(
            "wait_process",
            "Wait for a process to end; its exit_code is null as long as it has not.",
            (process_id, wait),
            _process,
            waits_by="wait_s",
        ),
        Tool(
            "write_process_stdin",
            "Write to the standard input of a process; the reply says how many bytes it has taken.",
            (
                process_id,
                take.text("data"),
                take.optional(take.choice("format", "text", "binary"), "text"),
                wait,
            ),
            _written,
            waits_by="wait_s",
        ),
        Tool(
            "close_process_stdin",
            "Let a process find the end of its standard input.",
            (process_id,),
            done,
        ),
        Tool(
            "signal_process",
            "Signal a process and all that it started.",
            (process_id, take.optional(take.choice("signal", *_SIGNALS), "KILL")),
            _process,
        ),
    )


def _process(result: Result, facts: CallFacts) -> ToolReply:
    return ToolReply(json.dumps(_described(result)))


def _processes(result: Result, facts: CallFacts) -> ToolReply:
    return ToolReply(
        json.dumps({"processes": [_described(each) for each in items_of(result, "processes")]})
    )


def _output(result: Result, facts: CallFacts) -> ToolReply:
    output = [
        {"stream": _stream(piece), "data": field(piece, "data", str)}
        for piece in items_of(result, "output")
    ]
    return ToolReply(
        json.dumps(
            {
                "output": output,
                "cursor": field(result, "cursor", int),
                "dropped": field(result, "dropped", int),
                "exit_code": field(result, "exit_code", int, type(None)),
                "end": field(result, "end", bool),
            }
        )
    )


def _written(result: Result, facts: CallFacts) -> ToolReply:
    return ToolReply(json.dumps({"written": field(result, "written", int)}))


def _described(process: Result) -> dict[str, object]:
    return {
        "process_id": field(process, "process_id", str),
        "pid": field(process, "pid", int),
        "command": field(process, "command", str),
        "exit_code": field(process, "exit_code", int, type(None)),
    }


def _stream(piece: Result) -> str:
    stream = field(piece, "stream", str)
    if stream not in _STREAMS:
        raise SandboxError("The session answered with output of an unknown stream.")
    return stream
