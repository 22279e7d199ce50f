"""Operations on sessions: create, find, list, describe, keep and delete."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import NoneType

from attrs import evolve

from agb._core import arguments, context_sync, polling, requests
from agb._core.context_syncs import ContextSync
from agb._core.exceptions import (
    AGBError,
    APIError,
    InvalidArgumentError,
    SessionError,
    SessionNotFoundError,
)
from agb._core.labels import validate_labels
from agb._core.operation import Steps, operation, send
from agb._core.params import BrowserContext, CreateSessionParams, all_context_syncs
from agb._core.replies import Reply, as_object, objects, text
from agb._core.results import DeleteResult, OperationResult
from agb._core.session_results import (
    GetSessionData,
    GetSessionResult,
    SessionListResult,
    SessionStatusResult,
    SessionSummary,
)
from agb._core.tools import read_tools

_DEFAULT_PAGE_SIZE = 10
_GONE_POLLS = 300
_GONE_INTERVAL_S = 1.0
_LAST_PORT = 65535

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
    _be("params", params, CreateSessionParams)
    _check(params)
    reply = yield from send(requests.create_session(params))
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
    found = _summaries(reply)
    return SessionListResult(
        request_id=reply.request_id,
        success=True,
        session_ids=[each.session_id for each in found],
        sessions=found,
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
    isolation = text(reply.mapping().get("isolation"))
    if isolation:
        data["isolation"] = isolation
    desktop = as_object(reply.mapping().get("desktopInfo"))
    data |= {ours: desktop[theirs] for theirs, ours in _DESKTOP_KEYS.items() if theirs in desktop}
    return OperationResult(request_id=reply.request_id, success=True, data=data)


@operation(SessionStatusResult)
def get_status(session_id: str) -> Steps[SessionStatusResult]:
    """Ask where a session is in its life."""
    reply = yield from send(requests.get_status(session_id))
    status = _status(reply)
    if not status:
        raise reply.refused("The reply has no status of the session")
    return SessionStatusResult(
        request_id=reply.request_id,
        http_status_code=reply.status_code,
        code=reply.code,
        success=True,
        status=status,
    )


@operation(OperationResult)
def keep_alive(session_id: str) -> Steps[OperationResult[None]]:
    """Start the idle time of a session anew."""
    reply = yield from send(requests.keep_alive(session_id))
    return OperationResult(request_id=reply.request_id, success=True)


@operation(OperationResult)
def get_link(
    session_id: str, protocol_type: str | None, port: int | None
) -> Steps[OperationResult[str]]:
    """Ask for an address of something inside a session."""
    if protocol_type is not None:
        arguments.text("protocol_type", protocol_type)
    if port is not None and arguments.whole_number("port", port, at_least=1) > _LAST_PORT:
        raise InvalidArgumentError(f"port must be at most {_LAST_PORT} (found {port})")
    reply = yield from send(requests.get_link(session_id, protocol_type, port))
    url = text(reply.mapping().get("url"))
    if not url:
        raise reply.refused("The reply has no link")
    return OperationResult(request_id=reply.request_id, success=True, data=url)


@operation(DeleteResult)
def delete(session_id: str, sync_context: bool, wait: bool = False) -> Steps[DeleteResult]:
    """Delete a session, after its contexts were synced if that is asked for."""
    if sync_context:
        synced = yield from context_sync.sync(session_id)
        if not synced.success:
            # What goes wrong with it never blocks a deletion.
            _logger.warning(
                "Context sync of session %s before its deletion: %s",
                session_id,
                synced.error_message,
            )
    try:
        reply = yield from send(requests.release_session(session_id))
    except APIError as error:
        if error.status_code is not None:
            raise
        raise _prefixed(f"Failed to delete session {session_id}", error) from error
    if wait:
        yield from _wait_until_gone(session_id)
    return DeleteResult(request_id=reply.request_id, success=True)


def _wait_until_gone(session_id: str) -> Steps[None]:
    def ask() -> Steps[bool | None]:
        try:
            reply = yield from send(requests.get_status(session_id))
        except AGBError as error:
            if _says_gone(error):
                return True
            raise
        return True if _status(reply) == "FINISH" else None

    what = f"Deletion of session {session_id}"
    yield from polling.until(ask, times=_GONE_POLLS, interval_s=_GONE_INTERVAL_S, what=what)


def _says_gone(error: AGBError) -> bool:
    """Tell whether an error means that there is no such session (trap T22)."""
    reason = str(error).lower().replace(" ", "")
    return isinstance(error, SessionNotFoundError) or "notfound" in reason


def _status(reply: Reply) -> str:
    return text(reply.mapping().get("status")) or text(reply.mapping().get("Status"))


def _check(params: CreateSessionParams) -> None:
    """Check what a session is to be created with; nothing is sent if it can't be."""
    if params.labels:
        validate_labels(params.labels)
    for name in ("image_id", "policy_id"):
        if getattr(params, name) is not None:
            arguments.text(name, getattr(params, name))
    if params.idle_release_timeout is not None:
        seconds = params.idle_release_timeout
        arguments.whole_number("idle_release_timeout", seconds, at_least=0, unit=" of seconds")
    _be("browser_context", params.browser_context, BrowserContext, NoneType)
    _be("context_syncs", params.context_syncs, list)
    for each in all_context_syncs(params):
        _be("each of context_syncs", each, ContextSync)
        arguments.filled_text("context_id of a ContextSync", each.context_id)
        arguments.path("path of a ContextSync", each.path)


def _be(name: str, value: object, *kinds: type) -> None:
    if not isinstance(value, kinds):
        raise InvalidArgumentError(f"{name} must be {kinds[0].__name__} (found {value!r:.100})")


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
            status=text(data.get("status")),
            link_url=text(data.get("linkUrl")),
            ws_url=text(data.get("wsUrl")),
            tool_list=read_tools(data.get("toolList")),
        ),
    )


def _summaries(reply: Reply) -> list[SessionSummary]:
    return [
        SessionSummary(text(item.get("sessionId")), text(item.get("sessionStatus")))
        for item in objects(reply.data)
        if item.get("sessionId")
    ]


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
