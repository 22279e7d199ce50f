"""Operations on contexts and on the files in them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from agb._core import arguments
from agb._core.contexts import context_calls
from agb._core.contexts.file_results import ContextFileEntry, ContextFileListResult, FileUrlResult
from agb._core.contexts.results import (
    ClearContextResult,
    Context,
    ContextListParams,
    ContextListResult,
    ContextResult,
)
from agb._core.exceptions import AGBError, APITimeoutError, InvalidArgumentError
from agb._core.results import OperationResult
from agb._core.unraised_exceptions import ClearanceTimeoutError
from agb._core.wire import polling
from agb._core.wire.call import Call
from agb._core.wire.operation import Steps, operation, send
from agb._core.wire.replies import objects, text, whole_number

_DEFAULT_PAGE_SIZE = 10
_AVAILABLE = "available"


@operation(ContextListResult)
def list_page(params: ContextListParams | None) -> Steps[ContextListResult]:
    """List one page of contexts."""
    wanted = ContextListParams() if params is None else params
    if not isinstance(wanted, ContextListParams):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(f"params must be ContextListParams (found {params!r:.100})")
    size = _DEFAULT_PAGE_SIZE if wanted.max_results is None else wanted.max_results
    arguments.whole_number("max_results", size, at_least=1)
    token = _optional("next_token", wanted.next_token)
    reply = yield from send(context_calls.list_contexts(size, token))
    return ContextListResult(
        request_id=reply.request_id,
        success=True,
        contexts=[_context(item) for item in objects(reply.data)],
        next_token=text(reply.body.get("nextToken")),
        max_results=whole_number(reply.body.get("maxResults")) or size,
        total_count=whole_number(reply.body.get("totalCount")),
    )


@operation(ContextResult)
def get(
    name: str | None, create: bool, login_region_id: str | None, context_id: str | None
) -> Steps[ContextResult]:
    """Find a context by its name or id, or make it."""
    name, context_id = _optional("name", name), _optional("context_id", context_id)
    region = _optional("login_region_id", login_region_id)
    if name is None and context_id is None:
        raise InvalidArgumentError("Either name or context_id must be provided")
    if create and context_id is not None:
        raise InvalidArgumentError("A context is created by its name; leave context_id out")
    call = context_calls.get_context(
        name=name, context_id=context_id, create=create, login_region_id=region
    )
    reply = yield from send(call)
    found = _context(reply.mapping())
    if not found.id:
        raise reply.refused(f"Context not found: {name or context_id}")
    return ContextResult(
        request_id=reply.request_id, success=True, context_id=found.id, context=found
    )


@operation(ContextResult)
def create(name: str) -> Steps[ContextResult]:
    """Make a context, or find the one of that name."""
    arguments.filled_text("name", name)
    return (yield from get(name, True, None, None))


@operation(OperationResult)
def rename(context: Context) -> Steps[OperationResult[dict[str, str]]]:
    """Give a context the name that its object has now."""
    context_id = _id_of(context)
    name = arguments.filled_text("context.name", context.name)
    return (yield from _change(context_calls.rename_context(context_id, name), context_id))


@operation(OperationResult)
def delete(context: Context) -> Steps[OperationResult[dict[str, str]]]:
    """Delete a context with all its files."""
    context_id = _id_of(context)
    return (yield from _change(context_calls.delete_context(context_id), context_id))


@operation(ClearContextResult)
def clear_async(context_id: str) -> Steps[ClearContextResult]:
    """Begin to empty a context."""
    arguments.filled_text("context_id", context_id)
    reply = yield from send(context_calls.clear_context(context_id))
    return ClearContextResult(
        request_id=reply.request_id, success=True, status="clearing", context_id=context_id
    )


@operation(ClearContextResult)
def get_clear_status(context_id: str) -> Steps[ClearContextResult]:
    """Ask how far the emptying of a context is."""
    arguments.filled_text("context_id", context_id)
    return (yield from _clear_status(context_id))


def clear(context_id: str, timeout: float, poll_interval: float) -> Steps[ClearContextResult]:
    """Empty a context and wait for it; the one operation that raises, as documented."""
    try:
        limit = arguments.seconds("timeout", timeout)
        interval = arguments.seconds("poll_interval", poll_interval)
    except InvalidArgumentError as error:
        return ClearContextResult.failed(error)
    begun = yield from clear_async(context_id)
    if not begun.success:
        return begun

    def ask() -> Steps[ClearContextResult | None]:
        asked = yield from _clear_status(context_id)
        return asked if asked.status == _AVAILABLE else None

    try:
        times = math.floor(limit / interval) + 1
        what = f"Clearing context {context_id}"
        return (yield from polling.until(ask, times=times, interval_s=interval, what=what))
    except APITimeoutError as error:
        raise ClearanceTimeoutError(str(error), request_id=begun.request_id) from error
    except AGBError as error:
        return ClearContextResult.failed(error)


@operation(FileUrlResult)
def file_download_url(context_id: str, path: str) -> Steps[FileUrlResult]:
    """Ask for an address to read a file from."""
    return (yield from _file_url(context_calls.file_download_url(*_file(context_id, path))))


@operation(FileUrlResult)
def file_upload_url(context_id: str, path: str) -> Steps[FileUrlResult]:
    """Ask for an address to write a file to."""
    return (yield from _file_url(context_calls.file_upload_url(*_file(context_id, path))))


@operation(OperationResult)
def delete_file(context_id: str, path: str) -> Steps[OperationResult[bool]]:
    """Delete a file in a context."""
    reply = yield from send(context_calls.delete_file(*_file(context_id, path)))
    return OperationResult(request_id=reply.request_id, success=True, data=True)


@operation(ContextFileListResult)
def list_files(
    context_id: str, folder: str | None, number: int, size: int
) -> Steps[ContextFileListResult]:
    """List one page of the files of a context."""
    arguments.filled_text("context_id", context_id)
    arguments.whole_number("page_number", number, at_least=1)
    arguments.whole_number("page_size", size, at_least=1)
    parent = _optional("parent_folder_path", folder)
    reply = yield from send(context_calls.list_files(context_id, parent, number, size))
    count = reply.body.get("count")
    return ContextFileListResult(
        request_id=reply.request_id,
        success=True,
        entries=[_entry(item) for item in objects(reply.data)],
        count=count if isinstance(count, int) else None,
    )


def _change(call: Call, context_id: str) -> Steps[OperationResult[dict[str, str]]]:
    reply = yield from send(call)
    data = {"context_id": context_id}
    return OperationResult(request_id=reply.request_id, success=True, data=data)


def _clear_status(context_id: str) -> Steps[ClearContextResult]:
    call = context_calls.get_context(
        name=None, context_id=context_id, create=False, login_region_id=None
    )
    reply = yield from send(call)
    state = text(reply.mapping().get("state"))
    if not state:
        raise reply.refused(f"The reply has no state of context {context_id}")
    return ClearContextResult(
        request_id=reply.request_id, success=True, status=state, context_id=context_id
    )


def _file_url(call: Call) -> Steps[FileUrlResult]:
    reply = yield from send(call)
    url = text(reply.mapping().get("url"))
    if not url:
        raise reply.refused("The reply has no address of the file")
    expires = reply.mapping().get("expireTime")
    return FileUrlResult(
        request_id=reply.request_id,
        success=True,
        url=url,
        expire_time=expires if isinstance(expires, int) else None,
    )


def _context(data: Mapping[str, Any]) -> Context:
    return Context(
        id=text(data.get("id")),
        name=text(data.get("name")),
        created_at=text(data.get("createTime")) or None,
        last_used_at=text(data.get("lastUsedTime")) or None,
    )


def _entry(data: Mapping[str, Any]) -> ContextFileEntry:
    return ContextFileEntry(
        # Some services count their files instead of naming them.
        file_id=str(data.get("fileId") or ""),
        file_name=text(data.get("fileName")),
        file_path=text(data.get("filePath")),
        file_type=text(data.get("fileType")),
        gmt_create=text(data.get("gmtCreate")),
        gmt_modified=text(data.get("gmtModified")),
        size=whole_number(data.get("size")),
        status=text(data.get("status")),
    )


def _id_of(context: Context) -> str:
    if not isinstance(context, Context):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(f"context must be a Context (found {context!r:.100})")
    return arguments.filled_text("context.id", context.id)


def _file(context_id: str, path: str) -> tuple[str, str]:
    return arguments.filled_text("context_id", context_id), arguments.path("file_path", path)


def _optional(name: str, value: str | None) -> str | None:
    """Check a text that may be left out; blanks count as left out."""
    return None if value is None or not arguments.text(name, value).strip() else value
