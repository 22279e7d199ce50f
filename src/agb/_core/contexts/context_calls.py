"""One builder per endpoint of contexts; all their parameters travel in the query."""

from __future__ import annotations

import json
from collections.abc import Sequence

from agb._core.wire.call import Call


def list_contexts(max_results: int, next_token: str | None) -> Call:
    """`GET /sdk/ListContexts`."""
    return _get("ListContexts", maxResults=str(max_results), nextToken=next_token)


def get_context(
    *, name: str | None, context_id: str | None, create: bool, login_region_id: str | None
) -> Call:
    """`GET /sdk/GetContext`, which also makes a context if that is allowed."""
    return _get(
        "GetContext",
        id=context_id,
        name=name,
        allowCreate="true" if create else "false",
        loginRegionId=login_region_id,
    )


def rename_context(context_id: str, name: str) -> Call:
    """`POST /sdk/ModifyContext`."""
    return _post("ModifyContext", id=context_id, name=name)


def delete_context(context_id: str) -> Call:
    """`POST /sdk/DeleteContext`."""
    return _post("DeleteContext", id=context_id)


def clear_context(context_id: str) -> Call:
    """`POST /sdk/ClearContext`."""
    return _post("ClearContext", id=context_id)


def list_files(context_id: str, folder: str | None, number: int, size: int) -> Call:
    """`POST /sdk/DescribeContextFiles`."""
    return _post(
        "DescribeContextFiles",
        contextId=context_id,
        parentFolderPath=folder,
        pageNumber=str(number),
        pageSize=str(size),
    )


def file_upload_url(context_id: str, path: str) -> Call:
    """`POST /sdk/GetContextFileUploadUrl`."""
    return _post("GetContextFileUploadUrl", contextId=context_id, filePath=path)


def file_download_url(context_id: str, path: str) -> Call:
    """`POST /sdk/GetContextFileDownloadUrl`."""
    return _post("GetContextFileDownloadUrl", contextId=context_id, filePath=path)


def delete_file(context_id: str, path: str) -> Call:
    """`POST /sdk/DeleteContextFile`."""
    return _post("DeleteContextFile", contextId=context_id, filePath=path)


def sync(session_id: str, context_id: str | None, path: str | None, mode: str | None) -> Call:
    """`POST /sdk/SyncContext`."""
    return _post("SyncContext", sessionId=session_id, contextId=context_id, path=path, mode=mode)


def info(session_id: str, context_id: str | None, path: str | None, task_type: str | None) -> Call:
    """`GET /sdk/GetContextInfo`."""
    return _get(
        "GetContextInfo",
        sessionId=session_id,
        contextId=context_id,
        path=path,
        taskType=task_type,
    )


def load_internal(session_id: str, context_types: Sequence[str]) -> Call:
    """`POST /sdk/GetAndLoadInternalContext`."""
    return _post(
        "GetAndLoadInternalContext",
        sessionId=session_id,
        contextTypes=json.dumps(list(context_types)),
    )


def _get(endpoint: str, /, **query: str | None) -> Call:
    return Call("GET", f"/sdk/{endpoint}", query=_given(query))


def _post(endpoint: str, /, **query: str | None) -> Call:
    return Call("POST", f"/sdk/{endpoint}", query=_given(query))


def _given(query: dict[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in query.items() if value is not None}
