"""Documented import path of contexts."""

from agb._async.context_service import AsyncContextService
from agb._core.contexts.file_results import ContextFileEntry, ContextFileListResult, FileUrlResult
from agb._core.contexts.results import (
    ClearContextResult,
    Context,
    ContextListParams,
    ContextListResult,
    ContextResult,
)
from agb._sync.context_service import ContextService

__all__ = [
    "AsyncContextService",
    "ClearContextResult",
    "Context",
    "ContextFileEntry",
    "ContextFileListResult",
    "ContextListParams",
    "ContextListResult",
    "ContextResult",
    "ContextService",
    "FileUrlResult",
]
