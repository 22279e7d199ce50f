"""Documented import path of running code."""

from agb._async.code import AsyncCode
from agb._async.code_stream import AsyncCodeStream
from agb._core.code.results import (
    CodeExecutionResult,
    EnhancedCodeExecutionResult,
    ExecutionError,
    ExecutionLogs,
    ExecutionResult,
)
from agb._core.code.stream_events import (
    CodeStreamEvent,
    EndEvent,
    ErrorEvent,
    ResultEvent,
    StderrEvent,
    StdoutEvent,
)
from agb._sync.code import Code
from agb._sync.code_stream import CodeStream

__all__ = [
    "AsyncCode",
    "AsyncCodeStream",
    "Code",
    "CodeExecutionResult",
    "CodeStream",
    "CodeStreamEvent",
    "EndEvent",
    "EnhancedCodeExecutionResult",
    "ErrorEvent",
    "ExecutionError",
    "ExecutionLogs",
    "ExecutionResult",
    "ResultEvent",
    "StderrEvent",
    "StdoutEvent",
]
