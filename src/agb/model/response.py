"""Documented import path of the session results."""

from agb._core.results import (
    ApiResponse,
    BoolResult,
    DeleteResult,
    GetSessionData,
    GetSessionResult,
    OperationResult,
    Result,
    SessionListResult,
    SessionResult,
)

__all__ = [
    "ApiResponse",
    "BoolResult",
    "DeleteResult",
    "GetSessionData",
    "GetSessionResult",
    "OperationResult",
    "Result",
    "SessionListResult",
    "SessionResult",
]
