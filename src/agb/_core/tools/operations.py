"""Operations on tools by their names: list them, call one, and the tool that measures a session."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from agb._core import arguments
from agb._core.exceptions import CommandError, InvalidArgumentError
from agb._core.tools import tool_calls
from agb._core.tools.results import (
    McpToolResult,
    McpToolsResult,
    SessionMetrics,
    SessionMetricsResult,
)
from agb._core.tools.tool import read_tools
from agb._core.wire.operation import Steps, operation, send
from agb._core.wire.replies import Reply, as_object, parsed, text, tool_text


@operation(McpToolsResult)
def list_tools(image_id: str | None, session_image_id: str) -> Steps[McpToolsResult]:
    """List the tools of an image, by default that of the session."""
    image = session_image_id if image_id is None else arguments.text("image_id", image_id)
    if not image.strip():
        raise InvalidArgumentError(
            "image_id is required: pass it, or create the session with an image_id"
        )
    reply = yield from send(tool_calls.list_tools(image))
    return McpToolsResult(request_id=reply.request_id, success=True, tools=read_tools(reply.data))


@operation(McpToolResult)
def call_tool(
    session_id: str,
    name: str,
    given: Mapping[str, Any] | None,
    read_timeout: int | None,
    connect_timeout: int | None,
) -> Steps[McpToolResult]:
    """Call a tool by its name."""
    arguments.filled_text("tool_name", name)
    if given is not None and not isinstance(given, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(f"args must be a dict (found {given!r:.100})")
    reply = yield from _call(session_id, name, given or {}, read_timeout, connect_timeout)
    answer = tool_text(reply, CommandError)
    return McpToolResult(request_id=reply.request_id, success=True, data=answer)


@operation(SessionMetricsResult)
def get_metrics(
    session_id: str, read_timeout: int | None, connect_timeout: int | None
) -> Steps[SessionMetricsResult]:
    """Measure a session."""
    reply = yield from _call(session_id, "get_metrics", {}, read_timeout, connect_timeout)
    raw = dict(as_object(parsed(tool_text(reply, CommandError))))
    if not raw:
        raise reply.refused("The reply to get_metrics is not a JSON object")
    return SessionMetricsResult(
        request_id=reply.request_id, success=True, metrics=_metrics(raw), raw=raw
    )


def _call(
    session_id: str,
    name: str,
    given: Mapping[str, Any],
    read_timeout: int | None,
    connect_timeout: int | None,
) -> Steps[Reply]:
    read_s = _seconds("read_timeout", read_timeout)
    connect_s = _seconds("connect_timeout", connect_timeout)
    try:
        # A copy: the caller's own may change while the call waits to be sent again.
        arguments = json.loads(json.dumps(dict(given)))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"args can't be sent as JSON: {error}") from error
    call = tool_calls.tool(
        session_id, name, arguments, read_timeout_s=read_s, connect_timeout_s=connect_s
    )
    return (yield from send(call))


def _seconds(name: str, milliseconds: int | None) -> float:
    """Return a time-out in seconds, 0 if it is left to the client."""
    if milliseconds is None:
        return 0.0
    whole = arguments.whole_number(name, milliseconds, at_least=1, unit=" of milliseconds")
    return whole / 1000


def _metrics(raw: Mapping[str, Any]) -> SessionMetrics:
    return SessionMetrics(
        cpu_count=int(_number(raw, "cpu_count")),
        cpu_used_pct=_number(raw, "cpu_used_pct"),
        disk_total=int(_number(raw, "disk_total")),
        disk_used=int(_number(raw, "disk_used")),
        mem_total=int(_number(raw, "mem_total")),
        mem_used=int(_number(raw, "mem_used")),
        rx_rate_kbyte_per_s=_rate(raw, "rx"),
        tx_rate_kbyte_per_s=_rate(raw, "tx"),
        rx_used_kbyte=_used(raw, "rx"),
        tx_used_kbyte=_used(raw, "tx"),
        timestamp=text(raw.get("timestamp")),
    )


# Services spell these units in three ways.
def _rate(raw: Mapping[str, Any], direction: str) -> float:
    units = ("kbyte_per_s", "kbps", "KBps")
    return _number(raw, *(f"{direction}_rate_{unit}" for unit in units))


def _used(raw: Mapping[str, Any], direction: str) -> float:
    return _number(raw, *(f"{direction}_used_{unit}" for unit in ("kbyte", "kb", "KB")))


def _number(raw: Mapping[str, Any], *names: str) -> float:
    for value in (raw.get(name) for name in names):
        if isinstance(value, (int, float)) and math.isfinite(value):
            return value
    return 0.0
