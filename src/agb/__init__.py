"""Run code somewhere safe: sessions with `code`, `command` and `file_system`.

    from agb import AGB, CreateSessionParams

    agb = AGB(api_key="...")
    session = agb.create(CreateSessionParams(image_id="agb-code-space-1")).session
    session.code.run_code("print('Hello World')", "python").result

This module is only the face: importing it loads nothing else. A name is loaded from its home at
its first use. It is longer than other files, as every public name stands in each of its three
tables: for type checkers, for the first use, and for `import *`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agb._core.version import __version__

if TYPE_CHECKING:
    from agb._async.agb import AsyncAGB
    from agb._async.client import AsyncClient
    from agb._async.code import AsyncCode
    from agb._async.code_stream import AsyncCodeStream
    from agb._async.command import AsyncCommand
    from agb._async.context_manager import AsyncContextManager
    from agb._async.context_service import AsyncContextService
    from agb._async.file_system import AsyncFileSystem
    from agb._async.opened import AsyncOpenedSession
    from agb._async.process import AsyncProcess
    from agb._async.service import AsyncBaseService
    from agb._async.session import AsyncBaseSession, AsyncSession
    from agb._core.code.results import (
        CodeExecutionResult,
        EnhancedCodeExecutionResult,
        ExecutionError,
        ExecutionLogs,
        ExecutionResult,
    )
    from agb._core.code.stream_events import (
        EndEvent,
        ErrorEvent,
        ResultEvent,
        StderrEvent,
        StdoutEvent,
    )
    from agb._core.commands.process_results import (
        ProcessInfo,
        ProcessListResult,
        ProcessOutput,
        ProcessResult,
    )
    from agb._core.commands.results import CommandResult
    from agb._core.config import Config
    from agb._core.contexts.file_results import (
        ContextFileEntry,
        ContextFileListResult,
        FileUrlResult,
    )
    from agb._core.contexts.policies import (
        DeletePolicy,
        DownloadPolicy,
        ExtractPolicy,
        MappingPolicy,
        RecyclePolicy,
        UploadPolicy,
    )
    from agb._core.contexts.policy_choices import (
        DownloadStrategy,
        Lifecycle,
        UploadMode,
        UploadStrategy,
    )
    from agb._core.contexts.results import (
        ClearContextResult,
        Context,
        ContextListParams,
        ContextListResult,
        ContextResult,
    )
    from agb._core.contexts.sync_results import (
        ContextInfoResult,
        ContextStatusData,
        ContextSyncResult,
    )
    from agb._core.contexts.syncs import BWList, ContextSync, SyncPolicy, WhiteList
    from agb._core.exceptions import (
        AGBError,
        APIConnectionError,
        APIError,
        APITimeoutError,
        AuthenticationError,
        CommandError,
        CommandTimeoutError,
        FileError,
        InvalidArgumentError,
        LabelValidationError,
        LocalServerError,
        SessionError,
        SessionNotFoundError,
        UnsupportedError,
    )
    from agb._core.files.change_results import FileChangeEvent, FileChangeResult
    from agb._core.files.results import (
        BinaryFileContentResult,
        DirectoryListResult,
        FileContentResult,
        FileInfoResult,
        FileSearchResult,
        MultipleFileContentResult,
    )
    from agb._core.results import ApiResponse, BoolResult, DeleteResult, OperationResult, Result
    from agb._core.sessions.params import BrowserContext, CreateSessionParams
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
    from agb._core.unraised_exceptions import (
        ApplicationError,
        BrowserError,
        ClearanceTimeoutError,
        ScreenError,
    )
    from agb._pair.watchers import AsyncDirectoryWatcher, DirectoryWatcher
    from agb._sync.agb import AGB
    from agb._sync.client import Client
    from agb._sync.client import Client as HTTPClient
    from agb._sync.code import Code
    from agb._sync.code_stream import CodeStream
    from agb._sync.command import Command
    from agb._sync.context_manager import ContextManager
    from agb._sync.context_service import ContextService
    from agb._sync.file_system import FileSystem
    from agb._sync.opened import OpenedSession
    from agb._sync.process import Process
    from agb._sync.service import BaseService
    from agb._sync.session import BaseSession, Session

_HOMES = {
    "AGB": "agb._sync.agb",
    "AGBError": "agb._core.exceptions",
    "APIConnectionError": "agb._core.exceptions",
    "APIError": "agb._core.exceptions",
    "APITimeoutError": "agb._core.exceptions",
    "ApiResponse": "agb._core.results",
    "ApplicationError": "agb._core.unraised_exceptions",
    "AsyncAGB": "agb._async.agb",
    "AsyncBaseService": "agb._async.service",
    "AsyncBaseSession": "agb._async.session",
    "AsyncClient": "agb._async.client",
    "AsyncCode": "agb._async.code",
    "AsyncCodeStream": "agb._async.code_stream",
    "AsyncCommand": "agb._async.command",
    "AsyncContextManager": "agb._async.context_manager",
    "AsyncContextService": "agb._async.context_service",
    "AsyncDirectoryWatcher": "agb._pair.watchers",
    "AsyncFileSystem": "agb._async.file_system",
    "AsyncOpenedSession": "agb._async.opened",
    "AsyncProcess": "agb._async.process",
    "AsyncSession": "agb._async.session",
    "AuthenticationError": "agb._core.exceptions",
    "BWList": "agb._core.contexts.syncs",
    "BaseService": "agb._sync.service",
    "BaseSession": "agb._sync.session",
    "BinaryFileContentResult": "agb._core.files.results",
    "BoolResult": "agb._core.results",
    "BrowserContext": "agb._core.sessions.params",
    "BrowserError": "agb._core.unraised_exceptions",
    "ClearContextResult": "agb._core.contexts.results",
    "ClearanceTimeoutError": "agb._core.unraised_exceptions",
    "Client": "agb._sync.client",
    "Code": "agb._sync.code",
    "CodeExecutionResult": "agb._core.code.results",
    "CodeStream": "agb._sync.code_stream",
    "Command": "agb._sync.command",
    "CommandError": "agb._core.exceptions",
    "CommandResult": "agb._core.commands.results",
    "CommandTimeoutError": "agb._core.exceptions",
    "Config": "agb._core.config",
    "Context": "agb._core.contexts.results",
    "ContextFileEntry": "agb._core.contexts.file_results",
    "ContextFileListResult": "agb._core.contexts.file_results",
    "ContextInfoResult": "agb._core.contexts.sync_results",
    "ContextListParams": "agb._core.contexts.results",
    "ContextListResult": "agb._core.contexts.results",
    "ContextManager": "agb._sync.context_manager",
    "ContextResult": "agb._core.contexts.results",
    "ContextService": "agb._sync.context_service",
    "ContextStatusData": "agb._core.contexts.sync_results",
    "ContextSync": "agb._core.contexts.syncs",
    "ContextSyncResult": "agb._core.contexts.sync_results",
    "CreateSessionParams": "agb._core.sessions.params",
    "DeletePolicy": "agb._core.contexts.policies",
    "DeleteResult": "agb._core.results",
    "DirectoryListResult": "agb._core.files.results",
    "DirectoryWatcher": "agb._pair.watchers",
    "DownloadPolicy": "agb._core.contexts.policies",
    "DownloadResult": "agb._core.transfers.results",
    "DownloadStrategy": "agb._core.contexts.policy_choices",
    "EndEvent": "agb._core.code.stream_events",
    "EnhancedCodeExecutionResult": "agb._core.code.results",
    "ErrorEvent": "agb._core.code.stream_events",
    "ExecutionError": "agb._core.code.results",
    "ExecutionLogs": "agb._core.code.results",
    "ExecutionResult": "agb._core.code.results",
    "ExtractPolicy": "agb._core.contexts.policies",
    "FileChangeEvent": "agb._core.files.change_results",
    "FileChangeResult": "agb._core.files.change_results",
    "FileContentResult": "agb._core.files.results",
    "FileError": "agb._core.exceptions",
    "FileInfoResult": "agb._core.files.results",
    "FileSearchResult": "agb._core.files.results",
    "FileSystem": "agb._sync.file_system",
    "FileUrlResult": "agb._core.contexts.file_results",
    "GetSessionData": "agb._core.sessions.results",
    "GetSessionResult": "agb._core.sessions.results",
    "HTTPClient": "agb._sync.client",
    "InvalidArgumentError": "agb._core.exceptions",
    "LabelValidationError": "agb._core.exceptions",
    "Lifecycle": "agb._core.contexts.policy_choices",
    "LocalServerError": "agb._core.exceptions",
    "MappingPolicy": "agb._core.contexts.policies",
    "McpTool": "agb._core.tools.tool",
    "McpToolResult": "agb._core.tools.results",
    "McpToolsResult": "agb._core.tools.results",
    "MultipleFileContentResult": "agb._core.files.results",
    "OpenedSession": "agb._sync.opened",
    "OperationResult": "agb._core.results",
    "Process": "agb._sync.process",
    "ProcessInfo": "agb._core.commands.process_results",
    "ProcessListResult": "agb._core.commands.process_results",
    "ProcessOutput": "agb._core.commands.process_results",
    "ProcessResult": "agb._core.commands.process_results",
    "RecyclePolicy": "agb._core.contexts.policies",
    "Result": "agb._core.results",
    "ResultEvent": "agb._core.code.stream_events",
    "ScreenError": "agb._core.unraised_exceptions",
    "Session": "agb._sync.session",
    "SessionError": "agb._core.exceptions",
    "SessionListResult": "agb._core.sessions.results",
    "SessionMetrics": "agb._core.tools.results",
    "SessionMetricsResult": "agb._core.tools.results",
    "SessionNotFoundError": "agb._core.exceptions",
    "SessionResult": "agb._core.sessions.results",
    "SessionStatusResult": "agb._core.sessions.results",
    "SessionSummary": "agb._core.sessions.results",
    "StderrEvent": "agb._core.code.stream_events",
    "StdoutEvent": "agb._core.code.stream_events",
    "SyncPolicy": "agb._core.contexts.syncs",
    "UnsupportedError": "agb._core.exceptions",
    "UploadMode": "agb._core.contexts.policy_choices",
    "UploadPolicy": "agb._core.contexts.policies",
    "UploadResult": "agb._core.transfers.results",
    "UploadStrategy": "agb._core.contexts.policy_choices",
    "WhiteList": "agb._core.contexts.syncs",
}
# Documented second names.
_ALIASES = {"HTTPClient": "Client"}

__all__ = [
    "AGB",
    "AGBError",
    "APIConnectionError",
    "APIError",
    "APITimeoutError",
    "ApiResponse",
    "ApplicationError",
    "AsyncAGB",
    "AsyncBaseService",
    "AsyncBaseSession",
    "AsyncClient",
    "AsyncCode",
    "AsyncCodeStream",
    "AsyncCommand",
    "AsyncContextManager",
    "AsyncContextService",
    "AsyncDirectoryWatcher",
    "AsyncFileSystem",
    "AsyncOpenedSession",
    "AsyncProcess",
    "AsyncSession",
    "AuthenticationError",
    "BWList",
    "BaseService",
    "BaseSession",
    "BinaryFileContentResult",
    "BoolResult",
    "BrowserContext",
    "BrowserError",
    "ClearContextResult",
    "ClearanceTimeoutError",
    "Client",
    "Code",
    "CodeExecutionResult",
    "CodeStream",
    "Command",
    "CommandError",
    "CommandResult",
    "CommandTimeoutError",
    "Config",
    "Context",
    "ContextFileEntry",
    "ContextFileListResult",
    "ContextInfoResult",
    "ContextListParams",
    "ContextListResult",
    "ContextManager",
    "ContextResult",
    "ContextService",
    "ContextStatusData",
    "ContextSync",
    "ContextSyncResult",
    "CreateSessionParams",
    "DeletePolicy",
    "DeleteResult",
    "DirectoryListResult",
    "DirectoryWatcher",
    "DownloadPolicy",
    "DownloadResult",
    "DownloadStrategy",
    "EndEvent",
    "EnhancedCodeExecutionResult",
    "ErrorEvent",
    "ExecutionError",
    "ExecutionLogs",
    "ExecutionResult",
    "ExtractPolicy",
    "FileChangeEvent",
    "FileChangeResult",
    "FileContentResult",
    "FileError",
    "FileInfoResult",
    "FileSearchResult",
    "FileSystem",
    "FileUrlResult",
    "GetSessionData",
    "GetSessionResult",
    "HTTPClient",
    "InvalidArgumentError",
    "LabelValidationError",
    "Lifecycle",
    "LocalServerError",
    "MappingPolicy",
    "McpTool",
    "McpToolResult",
    "McpToolsResult",
    "MultipleFileContentResult",
    "OpenedSession",
    "OperationResult",
    "Process",
    "ProcessInfo",
    "ProcessListResult",
    "ProcessOutput",
    "ProcessResult",
    "RecyclePolicy",
    "Result",
    "ResultEvent",
    "ScreenError",
    "Session",
    "SessionError",
    "SessionListResult",
    "SessionMetrics",
    "SessionMetricsResult",
    "SessionNotFoundError",
    "SessionResult",
    "SessionStatusResult",
    "SessionSummary",
    "StderrEvent",
    "StdoutEvent",
    "SyncPolicy",
    "UnsupportedError",
    "UploadMode",
    "UploadPolicy",
    "UploadResult",
    "UploadStrategy",
    "WhiteList",
    "__version__",
]


def __getattr__(name: str) -> object:
    from importlib import import_module

    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(home), _ALIASES.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
