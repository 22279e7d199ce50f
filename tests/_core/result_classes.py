"""Every result and value class with its documented positional order and a filled example."""

from agb._core.results import (
    ApiResponse,
    BoolResult,
    DeleteResult,
    GetSessionData,
    GetSessionResult,
    OperationResult,
    SessionListResult,
    SessionResult,
)
from agb._core.tool_results import (
    BinaryFileContentResult,
    CodeExecutionResult,
    CommandResult,
    DirectoryListResult,
    EnhancedCodeExecutionResult,
    ExecutionError,
    ExecutionLogs,
    ExecutionResult,
    FileChangeEvent,
    FileChangeResult,
    FileContentResult,
    FileInfoResult,
    FileSearchResult,
    MultipleFileContentResult,
)

DATA = GetSessionData("ai-1", "r-1", "s-1")
EVENT = FileChangeEvent("create", "/a", "file")
LOGS = ExecutionLogs(["out"], ["err"])

# Class → (parameter, example) in positional order, as the API documents it.
RESULTS = {
    SessionResult: {"request_id": "r", "success": True, "error_message": "m", "session": "s"},
    DeleteResult: {"request_id": "r", "success": True, "error_message": "m"},
    OperationResult: {"request_id": "r", "success": True, "data": {"a": 1}, "error_message": "m"},
    BoolResult: {"request_id": "r", "success": True, "data": True, "error_message": "m"},
    GetSessionResult: {
        "request_id": "r",
        "http_status_code": 200,
        "code": "ok",
        "success": True,
        "data": DATA,
        "error_message": "m",
    },
    SessionListResult: {
        "request_id": "r",
        "success": True,
        "error_message": "m",
        "session_ids": ["s-1"],
        "next_token": "t",
        "max_results": 10,
        "total_count": 1,
    },
    CodeExecutionResult: {"request_id": "r", "success": True, "result": "x", "error_message": "m"},
    EnhancedCodeExecutionResult: {
        "request_id": "r",
        "execution_count": 1,
        "execution_time": 0.5,
        "logs": LOGS,
        "results": [ExecutionResult("1")],
        "error": ExecutionError("E", "x", "t"),
        "error_message": "m",
        "success": False,
    },
    CommandResult: {
        "request_id": "r",
        "success": True,
        "output": "oe",
        "error_message": "m",
        "exit_code": 0,
        "stdout": "o",
        "stderr": "e",
        "trace_id": "t",
    },
    FileContentResult: {"request_id": "r", "success": True, "content": "x", "error_message": "m"},
    BinaryFileContentResult: {
        "request_id": "r",
        "success": True,
        "content": b"x",
        "error_message": "m",
        "size": 1,
    },
    DirectoryListResult: {
        "request_id": "r",
        "success": True,
        "entries": [{"name": "a"}],
        "error_message": "m",
    },
    FileInfoResult: {
        "request_id": "r",
        "success": True,
        "file_info": {"size": 1},
        "error_message": "m",
    },
    MultipleFileContentResult: {
        "request_id": "r",
        "success": True,
        "contents": {"/a": "x"},
        "error_message": "m",
    },
    FileSearchResult: {
        "request_id": "r",
        "success": True,
        "matches": ["/a"],
        "error_message": "m",
    },
    FileChangeResult: {
        "request_id": "r",
        "success": True,
        "events": [EVENT],
        "raw_data": "[]",
        "error_message": "m",
    },
}
VALUES = {
    ApiResponse: {"request_id": "r"},
    GetSessionData: {
        "app_instance_id": "ai-1",
        "resource_id": "r-1",
        "session_id": "s-1",
        "success": True,
        "http_port": "80",
        "network_interface_ip": "10.0.0.1",
        "token": "tk-secret",
        "vpc_resource": True,
        "resource_url": "https://res/1",
    },
    ExecutionLogs: {"stdout": ["out"], "stderr": ["err"]},
    ExecutionError: {"name": "E", "value": "x", "traceback": "t"},
    ExecutionResult: {
        "text": "1",
        "html": "2",
        "markdown": "3",
        "png": "4",
        "jpeg": "5",
        "svg": "6",
        "json": [7],
        "latex": "8",
        "chart": {"a": 9},
        "is_main_result": True,
    },
    FileChangeEvent: {"event_type": "create", "path": "/a", "path_type": "file"},
}
ALL = {**RESULTS, **VALUES}

# Class → its payload: what `unwrap` gives.
PAYLOADS = {
    SessionResult: "session",
    OperationResult: "data",
    BoolResult: "data",
    GetSessionResult: "data",
    SessionListResult: "session_ids",
    CodeExecutionResult: "result",
    CommandResult: "output",
    FileContentResult: "content",
    BinaryFileContentResult: "content",
    DirectoryListResult: "entries",
    FileInfoResult: "file_info",
    MultipleFileContentResult: "contents",
    FileSearchResult: "matches",
    FileChangeResult: "events",
}
# Class → what its payload is when it is given as None.
EMPTY_PAYLOADS = {
    FileContentResult: "",
    BinaryFileContentResult: b"",
    DirectoryListResult: [],
    FileInfoResult: {},
    MultipleFileContentResult: {},
    FileSearchResult: [],
    FileChangeResult: [],
}
