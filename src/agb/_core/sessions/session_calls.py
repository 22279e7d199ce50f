"""One builder per endpoint of sessions."""

from __future__ import annotations

import json
from collections.abc import Mapping

from agb._core.sessions.params import CreateSessionParams, all_context_syncs
from agb._core.wire.call import Call

# The wire level of this client: services answer a session created at 0.8 or later with structured
# results. The version of this package itself travels in `User-Agent`.
_SDK_STATS = json.dumps(
    {"source": "sdk", "sdk_language": "python", "sdk_version": "0.12.0", "is_release": True},
    separators=(",", ":"),
)


def create_session(params: CreateSessionParams) -> Call:
    """`POST /mcp/createSession`; what is falsy is not sent."""
    image = {"imageId": params.image_id} if params.image_id else {}
    body = {
        "persistenceDataList": [each.to_dict() for each in all_context_syncs(params)],
        "labels": _json(params.labels) if params.labels else "",
        "mcpPolicyId": params.policy_id,
        "timeout": params.idle_release_timeout,
    }
    return Call(
        "POST",
        "/mcp/createSession",
        query={**image, "sdkStats": _SDK_STATS},
        body={name: value for name, value in body.items() if value},
        starts_server=True,
    )


def release_session(session_id: str) -> Call:
    """`POST /mcp/releaseSession`."""
    return Call("POST", "/mcp/releaseSession", body={"sessionId": session_id})


def get_session(session_id: str) -> Call:
    """`POST /mcp/getSession`."""
    return Call("POST", "/mcp/getSession", body={"sessionId": session_id})


def get_resource(session_id: str) -> Call:
    """`POST /mcp/getMcpResource`."""
    return Call("POST", "/mcp/getMcpResource", body={"sessionId": session_id})


def list_sessions(labels: Mapping[str, str], max_results: int, next_token: str) -> Call:
    """`GET /sdk/ListSession`."""
    token = {"nextToken": next_token} if next_token else {}
    query = {"maxResults": str(max_results), **token, "labels": _json(labels)}
    return Call("GET", "/sdk/ListSession", query=query)


def set_labels(session_id: str, labels: Mapping[str, str]) -> Call:
    """`POST /sdk/SetLabel`; the service takes the labels under a capital L."""
    return Call("POST", "/sdk/SetLabel", query={"sessionId": session_id, "Labels": _json(labels)})


def get_labels(session_id: str) -> Call:
    """`GET /sdk/GetLabel`."""
    return Call("GET", "/sdk/GetLabel", query={"sessionId": session_id})


def get_status(session_id: str) -> Call:
    """`POST /mcp/getSessionInfo`."""
    return Call("POST", "/mcp/getSessionInfo", body={"sessionId": session_id})


def keep_alive(session_id: str) -> Call:
    """`POST /mcp/refreshSessionIdleTime`; the one `/mcp` call with its parameter in the query."""
    return Call("POST", "/mcp/refreshSessionIdleTime", query={"sessionId": session_id})


def get_link(session_id: str, protocol_type: str | None, port: int | None) -> Call:
    """`GET /internet/getLink`."""
    protocol = {"protocolType": protocol_type} if protocol_type else {}
    number = {"port": str(port)} if port is not None else {}
    return Call("GET", "/internet/getLink", query={"sessionId": session_id, **protocol, **number})


def _json(labels: Mapping[str, str]) -> str:
    return json.dumps(labels, ensure_ascii=False)
