"""Documented import path of the session results."""

from agb._core.results import ApiResponse, BoolResult, DeleteResult, OperationResult, Result
from agb._core.sessions.results import (
    GetSessionData,
    GetSessionResult,
    SessionListResult,
    SessionResult,
    SessionStatusResult,
    SessionSummary,
)
from agb._core.tools.results import (
    McpToolResult,
    McpToolsResult,
    SessionMetrics,
    SessionMetricsResult,
)
from agb._core.tools.tool import McpTool
from agb._core.transfers.results import DownloadResult, UploadResult

__all__ = [
    "ApiResponse",
    "BoolResult",
    "DeleteResult",
    "DownloadResult",
    "GetSessionData",
    "GetSessionResult",
    "McpTool",
    "McpToolResult",
    "McpToolsResult",
    "OperationResult",
    "Result",
    "SessionListResult",
    "SessionMetrics",
    "SessionMetricsResult",
    "SessionResult",
    "SessionStatusResult",
    "SessionSummary",
    "UploadResult",
]
