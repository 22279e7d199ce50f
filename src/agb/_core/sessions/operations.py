"""Operations on sessions: create, find, describe and keep."""

from __future__ import annotations

from types import NoneType

from agb._core import arguments
from agb._core.contexts.syncs import ContextSync
from agb._core.exceptions import (
    AGBError,
    InvalidArgumentError,
    SessionError,
)
from agb._core.results import OperationResult
from agb._core.sessions import session_calls
from agb._core.sessions.labels import validate_labels
from agb._core.sessions.params import BrowserContext, CreateSessionParams, all_context_syncs
from agb._core.sessions.results import GetSessionData, GetSessionResult, SessionStatusResult
from agb._core.tools.tool import read_tools
from agb._core.wire.operation import Steps, operation, send
from agb._core.wire.replies import Reply, as_object, text

_LAST_PORT = 65535

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
    reply = yield from send(session_calls.create_session(params))
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
        reply = yield from send(session_calls.get_session(session_id))
        if not reply.mapping():
            raise reply.refused("the reply has no session data")
    except AGBError as error:
        raise prefixed(f"Failed to get session {session_id}", error) from error
    return _session_result(reply, _session_id(reply) or session_id)


@operation(OperationResult)
def info(session_id: str) -> Steps[OperationResult[dict[str, str]]]:
    """Describe a session."""
    reply = yield from send(session_calls.get_resource(session_id))
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
    reply = yield from send(session_calls.get_status(session_id))
    status = status_of(reply)
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
    reply = yield from send(session_calls.keep_alive(session_id))
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
    reply = yield from send(session_calls.get_link(session_id, protocol_type, port))
    url = text(reply.mapping().get("url"))
    if not url:
        raise reply.refused("The reply has no link")
    return OperationResult(request_id=reply.request_id, success=True, data=url)


def status_of(reply: Reply) -> str:
    """Return where a session is in its life, `""` if the reply does not say."""
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


def prefixed(prefix: str, error: AGBError) -> AGBError:
    """Say the same error with what was being done in front; facts and type stay."""
    facts = {**error.extra, "status_code": error.status_code}
    return type(error)(f"{prefix}: {error}", **facts)
