"""Documented import path of sessions."""

from agb._async.session import AsyncBaseSession, AsyncSession
from agb._core.results import DeleteResult, OperationResult
from agb._sync.session import BaseSession, Session

__all__ = [
    "AsyncBaseSession",
    "AsyncSession",
    "BaseSession",
    "DeleteResult",
    "OperationResult",
    "Session",
]
