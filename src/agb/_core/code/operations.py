"""Running code: the request, and the four forms in which services answer it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, cast

from agb._core import arguments
from agb._core.code.results import (
    EnhancedCodeExecutionResult,
    ExecutionError,
    ExecutionLogs,
    ExecutionResult,
)
from agb._core.exceptions import CommandError, CommandTimeoutError, InvalidArgumentError
from agb._core.tools import tool_calls
from agb._core.wire.operation import Steps, operation, send
from agb._core.wire.replies import Reply, ToolAnswer, as_object, objects, parsed, text, tool_answer

LANGUAGES = ("python", "javascript", "java", "r")
_ALIASES = {
    "py": "python",
    "python3": "python",
    "js": "javascript",
    "node": "javascript",
    "nodejs": "javascript",
}

# Field of `ExecutionResult` → the keys under which services send it.
_FORMATS: dict[str, tuple[str, ...]] = {
    "text": ("text/plain", "text"),
    "html": ("text/html", "html"),
    "markdown": ("text/markdown", "markdown"),
    "png": ("image/png", "png"),
    "jpeg": ("image/jpeg", "jpeg"),
    "svg": ("image/svg+xml", "svg"),
    "json": ("application/json", "json"),
    "latex": ("text/latex", "latex"),
    "chart": (
        "application/vnd.vegalite.v5+json",
        "application/vnd.vegalite.v4+json",
        "chart",
    ),
}
_JSON_FORMATS = ("json", "chart")

_SHOWN_KEYS = {key for keys in _FORMATS.values() for key in keys} | {
    "isMainResult",
    "is_main_result",
}
# Longer than any run; also keeps out integers that no float holds.
_LONGEST_S = 1e9

# A program may print JSON of its own: an object counts as the service's only with such a neighbour.
_STREAM_KEYS = {"stdout", "stderr", "execution_count", "execution_time", "executionError"}
_RICH_KEYS = {"logs", "execution_count", "execution_time", "isError"}


@operation(EnhancedCodeExecutionResult)
def run(
    session_id: str, code: str, language: str, timeout_s: float
) -> Steps[EnhancedCodeExecutionResult]:
    """Run code in a session."""
    arguments.filled_text("code", code)
    limit = math.ceil(arguments.seconds("timeout_s", timeout_s))
    call = tool_calls.tool(
        session_id,
        "run_code",
        {"code": code, "language": language_name(language), "timeout_s": limit},
        time_limit_s=limit,
    )
    reply = yield from send(call)
    return _read(reply)


def language_name(language: object) -> str:
    """Return the name by which services know a language."""
    name = language.strip().lower() if isinstance(language, str) else ""
    name = _ALIASES.get(name, name)
    if name not in LANGUAGES:
        raise InvalidArgumentError(
            f"Unsupported language: {language!r}; the languages are {', '.join(LANGUAGES)}"
        )
    return name


def _read(reply: Reply) -> EnhancedCodeExecutionResult:
    answer = tool_answer(reply)
    value = as_object(parsed(answer.text))
    inner = as_object(parsed(next(iter(_texts(value)), "")))
    if "result" in inner or "executionError" in inner:
        value = inner
    if _is_stream_form(value):
        return _stream_form(reply, value, answer)
    if _is_rich_form(value):
        return _rich_form(reply, value, answer)
    if value.get("isError") is True and _texts(value):
        return _result(reply, error_message="; ".join(_texts(value)))
    if _texts(value):
        return _plain(reply, ToolAnswer(_texts(value)[0], answer.is_error))
    return _plain(reply, answer)


def _plain(reply: Reply, answer: ToolAnswer) -> EnhancedCodeExecutionResult:
    """The whole text is the output, or, from a tool that failed, the reason."""
    if answer.is_error:
        return _result(reply, error_message=answer.text or "The code failed without a message")
    results = [ExecutionResult(text=answer.text, is_main_result=True)] if answer.text else []
    return _result(reply, logs=ExecutionLogs(stdout=[answer.text]), results=results)


def _is_stream_form(value: Mapping[str, Any]) -> bool:
    items = value.get("result", [])
    return (
        isinstance(items, list)
        and bool(_STREAM_KEYS & value.keys())
        and ("result" in value or isinstance(value.get("executionError"), str))
    )


def _stream_form(
    reply: Reply, value: Mapping[str, Any], answer: ToolAnswer
) -> EnhancedCodeExecutionResult:
    """`{"result": [...], "stdout": [...], "stderr": [...], "executionError": ...}`."""
    logs = ExecutionLogs(_lines(value.get("stdout")), _lines(value.get("stderr")))
    message = text(value.get("executionError"))
    error = None
    if message:
        # This form has no traceback of its own; services put it in stderr.
        name, _, detail = message.partition(": ")
        error = ExecutionError(name, detail, "".join(logs.stderr))
    elif answer.is_error:
        message = "".join(logs.stderr).strip() or "The code failed without a message"
    return _result(
        reply,
        value,
        logs=logs,
        results=[shown(item) for item in cast("list[object]", value.get("result", []))],
        error=error,
        error_message=message,
    )


def _is_rich_form(value: Mapping[str, Any]) -> bool:
    logs = as_object(value.get("logs"))
    has_logs = isinstance(logs.get("stdout"), list) or isinstance(logs.get("stderr"), list)
    return has_logs or (isinstance(value.get("results"), list) and bool(_RICH_KEYS & value.keys()))


def _rich_form(
    reply: Reply, value: Mapping[str, Any], answer: ToolAnswer
) -> EnhancedCodeExecutionResult:
    """`{"logs": {...}, "results": [...], "error": {...}, "isError": ...}`."""
    logs = as_object(value.get("logs"))
    told = as_object(value.get("error"))
    error = None
    if told:
        error = ExecutionError(
            text(told.get("name")), text(told.get("value")), text(told.get("traceback"))
        )
    message = ""
    # By the protocol an `error` alone does not make this form a failure (wire-protocol 3.2).
    if value.get("isError") is True or answer.is_error:
        message = f"{error.name}: {error.value}" if error else "The code failed without a message"
    return _result(
        reply,
        value,
        logs=ExecutionLogs(_lines(logs.get("stdout")), _lines(logs.get("stderr"))),
        results=[shown(item) for item in objects(value.get("results"))],
        error=error,
        error_message=message,
    )


def _result(
    reply: Reply,
    value: Mapping[str, Any] | None = None,
    *,
    logs: ExecutionLogs | None = None,
    results: list[ExecutionResult] | None = None,
    error: ExecutionError | None = None,
    error_message: str = "",
) -> EnhancedCodeExecutionResult:
    value = value or {}
    kind = CommandTimeoutError if value.get("timed_out") is True else CommandError
    return EnhancedCodeExecutionResult(
        request_id=reply.request_id,
        execution_count=count(value.get("execution_count")),
        execution_time=duration_s(value.get("execution_time")),
        logs=logs or ExecutionLogs(),
        results=results or [],
        error=error,
        error_message=error_message,
        success=not error_message,
        exception=reply.refused(error_message, kind) if error_message else None,
    )


def count(value: object) -> int | None:
    """Read the number of an execution."""
    return value if isinstance(value, int) else None


def duration_s(value: object) -> float:
    """Read how long an execution took; what can't be such a time counts as none."""
    if isinstance(value, (int, float)) and abs(value) < _LONGEST_S:
        return float(value)
    return 0.0


def shown(item: object) -> ExecutionResult:
    """Read one shown thing: an object by format, that object as JSON (even twice), or text."""
    value = item
    while isinstance(value, str) and isinstance(inner := parsed(value), (dict, str)):
        value = inner
    formats = as_object(value)
    # A shown text may itself be JSON: it is an object by format only with a key of one.
    if not formats or (isinstance(item, str) and not _SHOWN_KEYS & formats.keys()):
        return ExecutionResult(text=item if isinstance(item, str) else json.dumps(item))
    formats_shown = {
        name: _as_format(name, next((formats[key] for key in keys if key in formats), None))
        for name, keys in _FORMATS.items()
    }
    main = formats.get("isMainResult", formats.get("is_main_result"))
    return ExecutionResult(**formats_shown, is_main_result=main is True)


def _as_format(name: str, value: object) -> Any:  # noqa: ANN401  (any JSON value)
    if value is None or name in _JSON_FORMATS or isinstance(value, str):
        return value
    return "".join(_lines(value)) if isinstance(value, list) else json.dumps(value)


def _lines(value: object) -> list[str]:
    if isinstance(value, str):
        return [text(value)]
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [text(item) for item in items if isinstance(item, str)]


def _texts(value: Mapping[str, Any]) -> list[str]:
    """Texts of the legacy form `{"content": [{"type": "text", "text": ...}]}`."""
    items = objects(value.get("content"))
    return [text(item.get("text")) for item in items if item.get("type") == "text"]
