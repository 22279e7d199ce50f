"""Documented import path of the common results."""

from agb._core.results import ApiResponse, BoolResult, DeleteResult, OperationResult
from agb._core.sessions.results import SessionResult

__all__ = [
    "ApiResponse",
    "BoolResult",
    "DeleteResult",
    "OperationResult",
    "SessionResult",
]
