"""The documented import paths: every name is the same object wherever it can be imported from."""

from __future__ import annotations

from importlib import import_module

import pytest

import agb

CONTEXT_SYNC = (
    "ContextSync SyncPolicy UploadPolicy DownloadPolicy DeletePolicy ExtractPolicy"
    " UploadStrategy DownloadStrategy"
)
RESPONSES = "ApiResponse SessionResult DeleteResult OperationResult BoolResult"
FILE_RESULTS = (
    "FileInfoResult DirectoryListResult FileContentResult MultipleFileContentResult BoolResult"
)
PATHS = {
    "agb": "AGB Session CreateSessionParams Client HTTPClient Context ContextService ContextResult"
    " ContextListResult ContextManager ContextStatusData ContextInfoResult ContextSyncResult"
    f" {CONTEXT_SYNC} AsyncAGB AsyncSession AsyncBaseSession Config BrowserContext",
    "agb.agb": "AGB Config",
    "agb.session": "BaseSession Session DeleteResult OperationResult",
    "agb.session_params": "CreateSessionParams BrowserContext",
    "agb.config": "Config default_config load_config BROWSER_DATA_PATH",
    "agb.exceptions": "AGBError AuthenticationError APIError FileError CommandError SessionError"
    " ApplicationError BrowserError ClearanceTimeoutError ScreenError",
    "agb.model": RESPONSES,
    "agb.model.response": f"{RESPONSES} GetSessionData GetSessionResult SessionListResult"
    " SessionStatusResult McpTool McpToolResult McpToolsResult SessionMetrics SessionMetricsResult",
    "agb.modules": "Code CodeExecutionResult Command CommandResult FileSystem FileInfoResult"
    " DirectoryListResult FileContentResult MultipleFileContentResult FileSystemBoolResult",
    "agb.modules.code": "Code CodeExecutionResult",
    "agb.modules.command": "Command CommandResult",
    "agb.modules.file_system": f"FileSystem {FILE_RESULTS} FileSearchResult FileChangeEvent"
    " FileChangeResult",
    "agb.context": "Context ContextService ContextResult ContextListResult ContextListParams"
    " ContextFileEntry ContextFileListResult FileUrlResult ClearContextResult",
    "agb.context_manager": "ContextManager ContextStatusData ContextInfoResult ContextSyncResult",
    "agb.context_sync": f"{CONTEXT_SYNC} BWList WhiteList UploadMode RecyclePolicy Lifecycle"
    " MappingPolicy",
    "agb.api": "BaseService Client HTTPClient",
    "agb.api.base_service": "BaseService",
    "agb.api.client": "Client",
    "agb.labels": "validate_labels",
    "agb.logger": "get_logger",
}
NAMES = [(path, name) for path, names in PATHS.items() for name in names.split()]


@pytest.mark.parametrize(("path", "name"), NAMES, ids=[f"{path}.{name}" for path, name in NAMES])
def test_a_documented_name_is_the_same_object_everywhere(path, name):
    """Each name exists at its path, and is the object of every other path that has it."""
    found = getattr(import_module(path), name)

    others = [getattr(import_module(other), name) for other, each in NAMES if each == name]
    assert all(other is found for other in others)
    assert getattr(agb, name, found) is found


def test_second_names():
    """Documented second names are the same classes."""
    from agb.modules import FileSystemBoolResult

    assert agb.HTTPClient is agb.Client
    assert FileSystemBoolResult is agb.BoolResult


def test_a_module_has_the_name_of_the_package():
    """`from agb import agb` gives the module, as it does in the official package."""
    from agb import agb as module

    assert module.AGB is agb.AGB


def test_every_public_name_is_listed_and_every_listed_name_exists():
    """`__all__` is sorted, complete and true."""
    assert sorted(agb.__all__) == agb.__all__
    for name in agb.__all__:
        assert getattr(agb, name) is not None
    assert set(agb.__all__) <= set(dir(agb))
    assert isinstance(agb.__version__, str)
    with pytest.raises(AttributeError, match="no attribute 'Browser'"):
        _ = agb.Browser
