"""Running shell commands: the request, and the two forms in which services answer it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from agb._core import arguments
from agb._core.commands.results import CommandResult
from agb._core.exceptions import CommandError, CommandTimeoutError, InvalidArgumentError
from agb._core.tools import tool_calls
from agb._core.tools.offers import Place
from agb._core.wire.operation import Steps, operation, send
from agb._core.wire.replies import Reply, as_object, parsed, text, tool_answer

DEFAULT_TIMEOUT_MS = 1000


@operation(CommandResult)
def execute(
    place: Place,
    command: str,
    timeout_ms: int,
    cwd: str | None,
    envs: Mapping[str, str] | None,
    timeout_s: float | None,
    input: str | bytes | None = None,
) -> Steps[CommandResult]:
    """Run a shell command in a session."""
    line = shell_command(command, cwd, envs)
    limit_ms = _limit_ms(timeout_ms, timeout_s)
    given = {"command": command, "timeout_ms": limit_ms, **line}
    if input is not None:
        given |= {"input": encoded(input_bytes("input", input)), "input_format": "binary"}
        yield from place.require("shell", "input")
    call = tool_calls.tool(place.session_id, "shell", given, time_limit_s=limit_ms / 1000)
    reply = yield from send(call)
    return _read(reply, limit_ms)


def shell_command(
    command: str, cwd: str | None, envs: Mapping[str, str] | None
) -> dict[str, object]:
    """Check a command line, its directory and its environment; return them as arguments."""
    arguments.filled_text("command", command)
    if "\0" in command:
        raise InvalidArgumentError("command cannot contain a NUL character")
    given: dict[str, object] = {"command": command}
    if cwd is not None:
        given["cwd"] = arguments.path("cwd", cwd)
    if envs is not None:
        given["envs"] = arguments.environment("envs", envs)
    return given


def input_bytes(name: str, value: object) -> bytes:
    """Check that a value is what a program can be given to read, and return it as bytes."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{name} must be str or bytes (found {arguments.shown(value)})")
    return arguments.text(name, value).encode()


def encoded(data: bytes) -> str:
    """Return bytes in the form in which they travel."""
    return base64.b64encode(data).decode()


def _limit_ms(timeout_ms: int, timeout_s: float | None) -> int:
    arguments.whole_number("timeout_ms", timeout_ms, at_least=1, unit=" of milliseconds")
    if timeout_s is None:
        return timeout_ms
    if timeout_ms != DEFAULT_TIMEOUT_MS:
        raise InvalidArgumentError("Pass timeout_ms or timeout_s, not both")
    return max(1, round(arguments.seconds("timeout_s", timeout_s) * 1000))


def _read(reply: Reply, limit_ms: int) -> CommandResult:
    answer = tool_answer(reply)
    value = as_object(parsed(answer.text))
    if _is_structured(value):
        return _structured(reply, value, limit_ms, is_error=answer.is_error)
    if answer.is_error:
        # This form does not separate output from reason, so the text is the reason only.
        reason = _explained(answer.text or "The command failed without a message", limit_ms)
        return CommandResult.failed(reply.refused(reason, CommandError))
    return CommandResult(
        request_id=reply.request_id, success=True, output=answer.text, stdout=answer.text
    )


def _is_structured(value: Mapping[str, Any]) -> bool:
    """Tell the service's object from one that the command itself printed."""
    code = value.get("exit_code", value.get("errorCode"))
    streams = isinstance(value.get("stdout"), str) and isinstance(value.get("stderr"), str)
    return streams and isinstance(code, int) and not isinstance(code, bool)


def _structured(
    reply: Reply, value: Mapping[str, Any], limit_ms: int, *, is_error: bool
) -> CommandResult:
    stdout, stderr = text(value.get("stdout")), text(value.get("stderr"))
    exit_code = int(value.get("exit_code", value.get("errorCode")))
    success = exit_code == 0 and not is_error
    reason = "" if success else stderr.strip() or f"The command ended with exit code {exit_code}"
    reason = _explained(reason, limit_ms) if is_error else reason
    kind = CommandTimeoutError if value.get("timed_out") is True else CommandError
    return CommandResult(
        request_id=reply.request_id,
        success=success,
        output=stdout + stderr,
        error_message=reason,
        exit_code=exit_code,
        stdout=stdout,
        stderr=stderr,
        trace_id=text(value.get("traceId")),
        truncated=value.get("truncated") is True,
        exception=None if success else reply.refused(reason, kind),
    )


def _explained(reason: str, limit_ms: int) -> str:
    """Say where a time-out comes from: 1000 ms is short, and often nobody asked for it."""
    lowered = reason.lower()
    if not ("timed out" in lowered or "timeout" in lowered or "time-out" in lowered):
        return reason
    default = ", the default" if limit_ms == DEFAULT_TIMEOUT_MS else ""
    return f"{reason} (timeout_ms was {limit_ms}{default}; pass timeout_ms=... for a longer limit)"
