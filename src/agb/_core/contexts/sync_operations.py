"""Operations on the transfers between the contexts of a session and the session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agb._core import arguments
from agb._core.contexts import context_calls
from agb._core.contexts.sync_results import ContextInfoResult, ContextStatusData, ContextSyncResult
from agb._core.exceptions import APIError, InvalidArgumentError
from agb._core.wire import polling
from agb._core.wire.operation import Steps, operation, send
from agb._core.wire.replies import Reply, objects, parsed, text, whole_number

SYNC_POLLS = 150
SYNC_INTERVAL_MS = 1500
_DOWNLOAD_POLLS = 150
_DOWNLOAD_INTERVAL_S = 2.0
_UPLOAD, _DOWNLOAD = "upload", "download"
_FINAL = ("Success", "Failed")


@operation(ContextInfoResult)
def info(
    session_id: str, context_id: str | None, path: str | None, task_type: str | None
) -> Steps[ContextInfoResult]:
    """Ask how far the transfers of a session are."""
    given = [("context_id", context_id), ("path", path), ("task_type", task_type)]
    for name, value in given:
        if value is not None:
            arguments.text(name, value)
    reply = yield from send(context_calls.info(session_id, context_id, path, task_type))
    return ContextInfoResult(
        request_id=reply.request_id, success=True, context_status_data=_tasks(reply)
    )


@operation(ContextSyncResult)
def sync(
    session_id: str,
    context_id: str | None = None,
    path: str | None = None,
    mode: str | None = None,
    max_retries: int = SYNC_POLLS,
    retry_interval: float = SYNC_INTERVAL_MS,
) -> Steps[ContextSyncResult]:
    """Begin a sync and wait for its end."""
    _check(context_id, path, mode)
    arguments.whole_number("max_retries", max_retries, at_least=1)
    interval_s = arguments.seconds("retry_interval", retry_interval) / 1000
    begun = yield from send(context_calls.sync(session_id, context_id, path, mode))
    expected = mode or _UPLOAD
    looked = max_retries == 1  # a single question has to do

    def ask() -> Steps[list[ContextStatusData] | None]:
        nonlocal looked
        reply = yield from send(context_calls.info(session_id, context_id, path, None))
        tasks = [task for task in _tasks(reply) if task.task_type in (_UPLOAD, _DOWNLOAD)]
        if any(task.status not in _FINAL for task in tasks):
            return None
        # A task may appear a moment after it was asked for (trap T19): where one has to come,
        # look a second time.
        one_has_to_come = bool(tasks) or context_id is not None
        if one_has_to_come and all(task.task_type != expected for task in tasks) and not looked:
            looked = True
            return None
        return tasks

    tasks = yield from polling.until(
        ask, times=max_retries, interval_s=interval_s, what=f"Context sync of {session_id}"
    )
    _raise_failed(begun, tasks)
    return ContextSyncResult(request_id=begun.request_id, success=True)


def wait_for_downloads(session_id: str) -> Steps[None]:
    """Wait until the contexts of a new session are there.

    Raises:
        AGBError: They are not, or not all; the session can be used all the same.
    """

    def ask() -> Steps[tuple[Reply, list[ContextStatusData]] | None]:
        reply = yield from send(context_calls.info(session_id, None, None, None))
        tasks = _tasks(reply)
        return (reply, tasks) if all(task.status in _FINAL for task in tasks) else None

    reply, tasks = yield from polling.until(
        ask,
        times=_DOWNLOAD_POLLS,
        interval_s=_DOWNLOAD_INTERVAL_S,
        what=f"Context download of {session_id}",
    )
    _raise_failed(reply, tasks)


def _check(context_id: str | None, path: str | None, mode: str | None) -> None:
    if (context_id is None) != (path is None):
        raise InvalidArgumentError("Pass context_id and path together, or neither of them")
    if context_id is not None:
        arguments.filled_text("context_id", context_id)
        arguments.path("path", path)
    if mode not in (None, _UPLOAD, _DOWNLOAD):
        raise InvalidArgumentError(f"mode must be 'upload' or 'download' (found {mode!r})")


def _raise_failed(reply: Reply, tasks: list[ContextStatusData]) -> None:
    failed = [task for task in tasks if task.status == "Failed"]
    if failed:
        reasons = "; ".join(
            f"{task.task_type} of {task.context_id} at {task.path}"
            f" failed{': ' if task.error_message else ''}{task.error_message}"
            for task in failed
        )
        raise reply.refused(reasons, APIError)


def _tasks(reply: Reply) -> list[ContextStatusData]:
    return [_task(task) for task in tasks_of(reply)]


def tasks_of(reply: Reply) -> list[Mapping[str, Any]]:
    """Unpack `contextStatus`, JSON inside JSON inside JSON by the protocol."""
    return [
        task
        for item in _items(reply, reply.mapping().get("contextStatus"))
        if item.get("type") == "data"
        for task in _items(reply, item.get("data"))
    ]


def _items(reply: Reply, packed: object) -> list[Mapping[str, Any]]:
    value = parsed(packed or "[]")
    if not isinstance(value, list):
        # No answer must not pass for "nothing left to do" (trap T18).
        raise reply.refused("The reply has no readable contextStatus")
    return objects(value)


def _task(data: Mapping[str, Any]) -> ContextStatusData:
    return ContextStatusData(
        context_id=text(data.get("contextId")),
        path=text(data.get("path")),
        error_message=text(data.get("errorMessage")),
        status=text(data.get("status")),
        start_time=whole_number(data.get("startTime")),
        finish_time=whole_number(data.get("finishTime")),
        task_type=text(data.get("taskType")),
    )
