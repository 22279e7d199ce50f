"""Operations on sessions: create, find, list, describe, label and delete."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any, cast

from attrs import evolve

from agb._core import arguments, requests
from agb._core.exceptions import AGBError, APIError, InvalidArgumentError, SessionError
from agb._core.labels import validate_labels
from agb._core.operation import Pause, Steps, operation, send
from agb._core.params import CreateSessionParams
from agb._core.replies import Reply, as_object, objects, parsed, text
from agb._core.results import (
    DeleteResult,
    GetSessionData,
    GetSessionResult,
    OperationResult,
    SessionListResult,
)

_DEFAULT_PAGE_SIZE = 10
_SYNC_POLLS = 150
_SYNC_INTERVAL_S = 1.5
_SYNC_TASKS = ("upload", "download")

_logger = logging.getLogger("agb")

# Wire name → key of `info().data`, present only if the service sends desktop information.
_DESKTOP_KEYS = {
    "appId": "app_id",
    "authCode": "auth_code",
    "connectionProperties": "connection_properties",
    "resourceId": "resource_id",
    "resourceType": "resource_type",
    "ticket": "ticket",
}


@operation(GetSessionResult)
def create(params: CreateSessionParams) -> Steps[GetSessionResult]:
    """Create a session."""
    if not isinstance(params, CreateSessionParams):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(f"params must be CreateSessionParams (found {params!r:.100})")
    image_id = None if params.image_id is None else arguments.text("image_id", params.image_id)
    labels = validate_labels(params.labels) if params.labels else {}
    reply = yield from send(requests.create_session(image_id, labels))
    # This endpoint has a second verdict inside its payload.
    if reply.mapping().get("success") is False:
        reason = reply.mapping().get("errMsg") or "The service did not create the session"
        raise reply.refused(str(reason), SessionError)
    session_id = _session_id(reply)
    if not session_id:
        raise reply.refused("The reply to createSession has no session id", SessionError)
    return _session_result(reply, session_id)


@operation(GetSessionResult)
def get(session_id: str) -> Steps[GetSessionResult]:
    """Find a session by its id."""
    arguments.filled_text("session_id", session_id)
    try:
        reply = yield from send(requests.get_session(session_id))
        if not reply.mapping():
            raise reply.refused("the reply has no session data")
    except AGBError as error:
        raise _prefixed(f"Failed to get session {session_id}", error) from error
    return _session_result(reply, _session_id(reply) or session_id)


@operation(SessionListResult)
def list_page(
    labels: Mapping[str, str] | None,
    page: int | None,
    limit: int | None,
    next_token: str | None = None,
) -> Steps[SessionListResult]:
    """List one page of sessions: that of a token, or walking there by those of the pages before."""
    size = arguments.whole_number(
        "limit", _DEFAULT_PAGE_SIZE if limit is None else limit, at_least=1
    )
    try:
        number = arguments.whole_number("page", 1 if page is None else page, at_least=1)
        token = "" if next_token is None else arguments.text("next_token", next_token)
        if token and page is not None:
            raise InvalidArgumentError("page and next_token both name a page; give one of them")
    except InvalidArgumentError as error:
        return evolve(SessionListResult.failed(error), max_results=size)
    wanted = _filter_labels(labels)
    reply = yield from send(requests.list_sessions(wanted, size, token))
    for current in range(1, number):
        token = text(reply.body.get("nextToken"))
        if not token:
            past_end = reply.refused(
                f"Cannot reach page {number}: page {current} is the last one", InvalidArgumentError
            )
            failed = SessionListResult.failed(past_end)
            return evolve(failed, max_results=size, total_count=_count(reply))
        reply = yield from send(requests.list_sessions(wanted, size, token))
    return SessionListResult(
        request_id=reply.request_id,
        success=True,
        session_ids=list(_session_ids(reply)),
        next_token=text(reply.body.get("nextToken")),
        max_results=size,
        total_count=_count(reply),
    )


@operation(OperationResult)
def info(session_id: str) -> Steps[OperationResult[dict[str, str]]]:
    """Describe a session."""
    reply = yield from send(requests.get_resource(session_id))
    if not reply.mapping():
        raise reply.refused("No resource data found in the reply")
    data = {
        "session_id": text(reply.mapping().get("sessionId")) or session_id,
        "resource_url": text(reply.mapping().get("resourceUrl")),
    }
    desktop = as_object(reply.mapping().get("desktopInfo"))
    data |= {ours: desktop[theirs] for theirs, ours in _DESKTOP_KEYS.items() if theirs in desktop}
    return OperationResult(request_id=reply.request_id, success=True, data=data)


@operation(OperationResult)
def set_labels(session_id: str, labels: Mapping[str, str]) -> Steps[OperationResult[None]]:
    """Replace the labels of a session."""
    reply = yield from send(requests.set_labels(session_id, validate_labels(labels)))
    return OperationResult(request_id=reply.request_id, success=True)


@operation(OperationResult)
def get_labels(session_id: str) -> Steps[OperationResult[dict[str, str]]]:
    """Read the labels of a session."""
    reply = yield from send(requests.get_labels(session_id))
    # A JSON string by the protocol; a plain object is understood as well (trap T5).
    labels = parsed(reply.mapping().get("labels") or {})
    if not isinstance(labels, dict):
        raise reply.refused("The labels in the reply are not a JSON object")
    return OperationResult(
        request_id=reply.request_id, success=True, data=cast("dict[str, str]", labels)
    )


@operation(DeleteResult)
def delete(session_id: str, sync_context: bool) -> Steps[DeleteResult]:
    """Delete a session, after its contexts were synced if that is asked for."""
    if sync_context:
        yield from _sync_contexts(session_id)
    try:
        reply = yield from send(requests.release_session(session_id))
    except APIError as error:
        if error.status_code is not None:
            raise
        raise _prefixed(f"Failed to delete session {session_id}", error) from error
    return DeleteResult(request_id=reply.request_id, success=True)


def _sync_contexts(session_id: str) -> Steps[None]:
    """Sync all contexts and wait for it; what goes wrong is logged and never blocks a deletion."""
    try:
        yield from send(requests.sync_contexts(session_id))
        for _ in range(_SYNC_POLLS):
            reply = yield from send(requests.context_info(session_id))
            states = [
                task.get("status")
                for task in _context_tasks(reply)
                if task.get("taskType") in _SYNC_TASKS
            ]
            if all(state in ("Success", "Failed") for state in states):
                break
            yield Pause(_SYNC_INTERVAL_S)
        else:
            raise APIError(f"no end after {_SYNC_POLLS * _SYNC_INTERVAL_S:.0f} s")
        if "Failed" in states:
            raise APIError("a sync task failed")
    except AGBError as error:
        _logger.warning("Context sync of session %s before its deletion: %s", session_id, error)


def _context_tasks(reply: Reply) -> Iterator[Mapping[str, Any]]:
    """Unpack `contextStatus`, JSON inside JSON inside JSON by the protocol."""
    for item in objects(parsed(reply.mapping().get("contextStatus") or "[]")):
        if item.get("type") == "data":
            yield from objects(parsed(item.get("data") or "[]"))


def _session_id(reply: Reply) -> str:
    """Return the session id of a reply, `""` if there is none that a session could be made with."""
    session_id = text(reply.mapping().get("sessionId"))
    return session_id if session_id.strip() else ""


def _session_result(reply: Reply, session_id: str) -> GetSessionResult:
    data = reply.mapping()
    return GetSessionResult(
        request_id=reply.request_id,
        http_status_code=reply.status_code,
        code=reply.code,
        success=True,
        data=GetSessionData(
            app_instance_id=text(data.get("appInstanceId")),
            resource_id=text(data.get("resourceId")),
            session_id=session_id,
            success=data.get("success") is not False,
            http_port=str(data.get("httpPort") or ""),
            network_interface_ip=text(data.get("networkInterfaceIp")),
            token=text(data.get("token")),
            vpc_resource=data.get("vpcResource") is True,
            resource_url=text(data.get("resourceUrl")),
        ),
    )


def _session_ids(reply: Reply) -> Iterator[str]:
    return (text(item.get("sessionId")) for item in objects(reply.data) if item.get("sessionId"))


def _count(reply: Reply) -> int:
    counts = (reply.body.get(key) for key in ("count", "totalCount"))
    return next((count for count in counts if isinstance(count, int)), 0)


def _filter_labels(labels: object) -> dict[str, str]:
    """Take a label filter as it is: the label rules hold for setting labels, not for looking."""
    if labels is None:
        return {}
    if not isinstance(labels, Mapping):
        raise InvalidArgumentError(f"labels must be a dict or None (found {labels!r:.100})")
    wanted = {str(key): str(value) for key, value in labels.items()}
    for key, value in wanted.items():
        arguments.text(f"label {key!r}", key + value)
    return wanted


def _prefixed(prefix: str, error: AGBError) -> AGBError:
    """Say the same error with what was being done in front; facts and type stay."""
    facts = {**error.extra, "status_code": error.status_code}
    return type(error)(f"{prefix}: {error}", **facts)
