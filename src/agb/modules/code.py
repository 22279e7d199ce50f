"""Documented import path of running code."""

from agb._async.code import AsyncCode
from agb._core.tool_results import (
    CodeExecutionResult,
    EnhancedCodeExecutionResult,
    ExecutionError,
    ExecutionLogs,
    ExecutionResult,
)
from agb._sync.code import Code

__all__ = [
    "AsyncCode",
    "Code",
    "CodeExecutionResult",
    "EnhancedCodeExecutionResult",
    "ExecutionError",
    "ExecutionLogs",
    "ExecutionResult",
]
