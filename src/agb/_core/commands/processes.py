"""Processes that go on by themselves: what is asked about them, and what the answers mean.

No call keeps a connection for long: output, the end, and room for input are asked for again and
again, each time with a short wait in the service. A position in the output makes reading safe to
repeat, so a reply that was lost costs nothing.
"""

from __future__ import annotations

import signal as signals
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from agb._core import arguments
from agb._core.commands.operations import encoded, input_bytes, shell_command
from agb._core.commands.process_output import Unread, read_exit_code
from agb._core.commands.process_results import (
    ProcessInfo,
    ProcessListResult,
    ProcessOutput,
    ProcessResult,
)
from agb._core.commands.results import CommandResult
from agb._core.exceptions import (
    AGBError,
    CommandError,
    CommandTimeoutError,
    InvalidArgumentError,
)
from agb._core.results import OperationResult
from agb._core.tools import tool_calls
from agb._core.tools.offers import Place, is_unknown_tool
from agb._core.wire.operation import Pause, Steps, operation, send
from agb._core.wire.replies import Reply, as_object, objects, parsed, text, tool_text

P = TypeVar("P")

# How long one call waits in the service: short enough for proxies that cut silent connections.
_WAIT_S = 20.0
# After a wait without an outcome, so that a service that does not really wait is not flooded.
_PAUSE_S = 0.1
# Standard input is sent in pieces of this size, in bytes.
_INPUT_SIZE = 1 << 18
# By name everywhere: the numbers are those of Linux, where the process runs.
_SIGNALS = {
    1: "HUP",
    2: "INT",
    3: "QUIT",
    9: "KILL",
    10: "USR1",
    12: "USR2",
    15: "TERM",
    18: "CONT",
    19: "STOP",
}


@operation(ProcessResult)
def start(
    place: Place,
    command: str,
    cwd: str | None,
    envs: Mapping[str, str] | None,
    stdin: bool,
    keep_output: bool,
    make: Callable[[ProcessInfo], P],
) -> Steps[ProcessResult[P]]:
    """Start a process."""
    given = {**shell_command(command, cwd, envs), "stdin": bool(stdin)}
    reply, answer = yield from _ask(
        place, "start_process", {**given, "keep_output": bool(keep_output)}
    )
    return _found(reply, _info(reply, answer), make)


@operation(ProcessListResult)
def list_all(place: Place) -> Steps[ProcessListResult]:
    """List the processes of a session."""
    reply, found = yield from _list(place)
    return ProcessListResult(request_id=reply.request_id, success=True, processes=found)


@operation(ProcessResult)
def connect(
    place: Place, process_id: str | int, make: Callable[[ProcessInfo], P]
) -> Steps[ProcessResult[P]]:
    """Find a process by its id, or by its number."""
    if isinstance(process_id, int):
        arguments.whole_number("process_id", process_id, at_least=1)
    else:
        arguments.filled_text("process_id", process_id)
    reply, processes = yield from _list(place)
    # A number may have been given again; the newest is meant.
    for info in reversed(processes):
        if process_id in (info.process_id, info.pid):
            return _found(reply, info, make)
    raise reply.refused(f"This session has no process {process_id!r}", CommandError)


def read(place: Place, process_id: str, unread: Unread) -> Steps[ProcessOutput | None]:
    """Return the next piece of output; wait for it, or for the end.

    Raises:
        AGBError: The service could not be asked.
    """
    while True:
        piece = unread.next()
        if piece is not None or unread.is_over:
            return piece
        asked = unread.cursor
        reply, answer = yield from _read(place, process_id, asked, _WAIT_S)
        # Another reader of the same handle may have been faster.
        if unread.cursor == asked and not unread.is_over:
            unread.take(reply, answer)
        if unread.cursor == asked and not unread.is_over:
            yield Pause(_PAUSE_S)


@operation(CommandResult)
def wait(place: Place, process_id: str, timeout_s: float | None) -> Steps[CommandResult]:
    """Wait for the end of a process, and collect what was kept of its output."""
    left_s = None if timeout_s is None else arguments.seconds("timeout_s", timeout_s)
    while True:
        wait_s = _WAIT_S if left_s is None else min(_WAIT_S, left_s)
        given = {"process_id": process_id, "wait_s": wait_s}
        reply, answer = yield from _ask(place, "wait_process", given, wait_s)
        exit_code = read_exit_code(answer)
        left_s = None if left_s is None else left_s - wait_s
        if exit_code is not None or left_s == 0:
            break
        yield Pause(_PAUSE_S)
    output = {"stdout": bytearray(), "stderr": bytearray()}
    is_whole = yield from _collect(place, process_id, output)
    stdout, stderr = (data.decode(errors="replace") for data in output.values())
    error = _failure(reply, process_id, exit_code, stderr, timeout_s)
    return CommandResult(
        request_id=reply.request_id,
        success=error is None,
        output=stdout + stderr,
        error_message=str(error or ""),
        exit_code=exit_code,
        stdout=stdout,
        stderr=stderr,
        truncated=not is_whole,
        exception=error,
    )


@operation(OperationResult)
def send_stdin(
    place: Place, process_id: str, data: str | bytes, timeout_s: float | None
) -> Steps[OperationResult[None]]:
    """Write to the standard input of a process until all of it has been taken."""
    rest = input_bytes("data", data)
    left_s = None if timeout_s is None else arguments.seconds("timeout_s", timeout_s)
    length = len(rest)
    while True:
        piece = rest[:_INPUT_SIZE]
        wait_s = _WAIT_S if left_s is None else min(_WAIT_S, left_s)
        given = {
            "process_id": process_id,
            "data": encoded(piece),
            "format": "binary",
            "wait_s": wait_s,
        }
        reply, answer = yield from _ask(place, "write_process_stdin", given, wait_s)
        taken = answer.get("written")
        if not isinstance(taken, int) or not 0 <= taken <= len(piece):
            raise reply.refused("The reply to write_process_stdin does not say what was written")
        rest = rest[taken:]
        if not rest:
            return OperationResult(request_id=reply.request_id, success=True)
        if taken < len(piece):
            left_s = None if left_s is None else left_s - wait_s
            if left_s == 0:
                raise reply.refused(
                    f"{process_id} took {length - len(rest)} of {length} bytes within"
                    f" {timeout_s:g} s; the rest was not written",
                    CommandTimeoutError,
                )
            yield Pause(_PAUSE_S)


@operation(OperationResult)
def close_stdin(place: Place, process_id: str) -> Steps[OperationResult[None]]:
    """Let a process find the end of its standard input."""
    reply, _ = yield from _ask(place, "close_process_stdin", {"process_id": process_id})
    return OperationResult(request_id=reply.request_id, success=True)


@operation(OperationResult)
def send_signal(place: Place, process_id: str, signal: str | int) -> Steps[OperationResult[None]]:
    """Signal a process and all that it started."""
    given = {"process_id": process_id, "signal": _signal_name(signal)}
    reply, _ = yield from _ask(place, "signal_process", given)
    return OperationResult(request_id=reply.request_id, success=True)


def _signal_name(signal: object) -> str:
    name = ""
    if isinstance(signal, signals.Signals):
        name = signal.name
    elif isinstance(signal, int):
        name = _SIGNALS.get(signal, "")
    elif isinstance(signal, str):
        name = signal.upper()
    name = name.removeprefix("SIG")
    if name not in _SIGNALS.values():
        raise InvalidArgumentError(
            f"signal must be one of {', '.join(_SIGNALS.values())}, or its number"
            f" (found {arguments.shown(signal)})"
        )
    return name


def _list(place: Place) -> Steps[tuple[Reply, list[ProcessInfo]]]:
    reply, answer = yield from _ask(place, "list_processes", {})
    return reply, [_info(reply, each) for each in objects(answer.get("processes"))]


def _read(
    place: Place, process_id: str, cursor: int, wait_s: float
) -> Steps[tuple[Reply, Mapping[str, Any]]]:
    given = {"process_id": process_id, "cursor": cursor, "wait_s": wait_s}
    return (yield from _ask(place, "read_process_output", given, wait_s))


def _collect(place: Place, process_id: str, output: dict[str, bytearray]) -> Steps[bool]:
    """Collect what is there of the output of a process; return whether nothing of it was lost."""
    unread = Unread()
    is_whole = True
    while True:
        asked = unread.cursor
        reply, answer = yield from _read(place, process_id, asked, 0.0)
        unread.take(reply, answer)
        while (piece := unread.next()) is not None:
            output[piece.stream] += piece.data
            is_whole = is_whole and not piece.dropped_bytes
        if unread.is_over or unread.cursor == asked:
            return is_whole


def _failure(
    reply: Reply, process_id: str, exit_code: int | None, stderr: str, timeout_s: float | None
) -> AGBError | None:
    if exit_code == 0:
        return None
    if exit_code is None:
        message = f"{process_id} has not ended within {timeout_s:g} s; it goes on"
        return reply.refused(message, CommandTimeoutError)
    return reply.refused(
        stderr.strip() or f"The command ended with exit code {exit_code}", CommandError
    )


def _ask(
    place: Place, tool: str, given: Mapping[str, object], wait_s: float = 0.0
) -> Steps[tuple[Reply, Mapping[str, Any]]]:
    """Call a tool that may not be there, and read its JSON object."""
    yield from place.require(tool)
    try:
        reply = yield from send(tool_calls.tool(place.session_id, tool, given, time_limit_s=wait_s))
        answer = tool_text(reply, CommandError)
    except AGBError as error:
        if is_unknown_tool(tool, error.message):
            raise place.offers.missing(tool) from error
        raise
    return reply, as_object(parsed(answer))


def _info(reply: Reply, answer: Mapping[str, Any]) -> ProcessInfo:
    process_id, pid = text(answer.get("process_id")), answer.get("pid")
    if not process_id or not isinstance(pid, int):
        raise reply.refused("The reply has no id of the process")
    return ProcessInfo(process_id, pid, text(answer.get("command")), read_exit_code(answer))


def _found(reply: Reply, info: ProcessInfo, make: Callable[[ProcessInfo], P]) -> ProcessResult[P]:
    return ProcessResult(request_id=reply.request_id, success=True, process=make(info))
