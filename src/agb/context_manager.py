"""Documented import path of the contexts of one session."""

from agb._async.context_manager import AsyncContextManager
from agb._core.contexts.sync_results import ContextInfoResult, ContextStatusData, ContextSyncResult
from agb._sync.context_manager import ContextManager

__all__ = [
    "AsyncContextManager",
    "ContextInfoResult",
    "ContextManager",
    "ContextStatusData",
    "ContextSyncResult",
]
