"""One builder per endpoint. A `Call` is a request as a value; nothing here sends it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from attrs import field, frozen

from agb._core.params import CreateSessionParams, all_context_syncs

# The wire level of this client: services answer a session created at 0.8 or later with structured
# results. The version of this package itself travels in `User-Agent`.
_SDK_STATS = json.dumps(
    {"source": "sdk", "sdk_language": "python", "sdk_version": "0.12.0", "is_release": True},
    separators=(",", ":"),
)

# From here on the encoding of a text takes longer than all the rest of a request.
_LONG = 1 << 16
# What JSON escapes in ASCII text, after escaping it twice; the first must come first.
_TWICE = (
    (b"\\", b"\\" * 4),
    (b'"', b'\\\\\\"'),
    (b"\n", b"\\\\n"),
    (b"\r", b"\\\\r"),
    (b"\t", b"\\\\t"),
)
_OTHER_CONTROLS = bytes({*range(0x20), 0x7F} - set(b"\n\r\t"))


@frozen
class Call:
    """One request to the service.

    Args:
        method: `GET` or `POST`.
        path: Path below the endpoint.
        query: Query parameters, in order; absent values are left out.
        body: JSON body of a POST; `{}` where all parameters travel in the query.
        arguments: Those of a tool, which travel in the body as a JSON text called `args`.
        time_limit_s: How long the service itself may work on it, in seconds, 0 if that is not
            up to the caller.
        read_timeout_s: How long to wait for the reply, in seconds; 0 leaves that to the client.
        connect_timeout_s: The same for the connection.
        starts_server: Whether the embedded server may be started anew for it.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(factory=dict[str, str])
    body: Mapping[str, Any] = field(factory=dict[str, Any])
    arguments: Mapping[str, object] | None = None
    time_limit_s: float = 0.0
    read_timeout_s: float = 0.0
    connect_timeout_s: float = 0.0
    starts_server: bool = False

    @property
    def name(self) -> str:
        """What is asked for: the name of the tool, or the last part of the path."""
        return str(self.body["name"]) if self.is_tool else self.path.rpartition("/")[2]

    @property
    def is_tool(self) -> bool:
        """Whether it runs a tool in a session."""
        return self.path == "/mcp"

    @property
    def target(self) -> str:
        """The path with its query, form-encoded as the protocol wants it."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def content(self) -> bytes | None:
        """The body as bytes; None for a GET."""
        if self.method == "GET":
            return None
        body = json.dumps(self.body).encode()
        if self.arguments is None:
            return body
        return b'{"args": "%b", %b' % (_twice_encoded(self.arguments), body[1:])


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


def list_tools(image_id: str) -> Call:
    """`POST /mcp/listTools`."""
    return Call("POST", "/mcp/listTools", query={"imageId": image_id})


def tool(
    session_id: str,
    name: str,
    arguments: Mapping[str, object],
    *,
    time_limit_s: float = 0.0,
    read_timeout_s: float = 0.0,
    connect_timeout_s: float = 0.0,
) -> Call:
    """`POST /mcp`: run a tool in a session; the arguments travel as a JSON string."""
    return Call(
        "POST",
        "/mcp",
        query={"autoGenSession": "false"},
        body={"sessionId": session_id, "name": name},
        arguments=arguments,
        time_limit_s=time_limit_s,
        read_timeout_s=read_timeout_s,
        connect_timeout_s=connect_timeout_s,
    )


def _twice_encoded(arguments: Mapping[str, object]) -> bytes:
    """Encode an object as JSON within a JSON text, as `json.dumps` does it, but faster."""
    members = (
        _once_more(json.dumps(name, ensure_ascii=False) + ": ")
        + (_long_text(value) or _once_more(json.dumps(value, ensure_ascii=False)))
        for name, value in arguments.items()
    )
    return b"{%b}" % b", ".join(members)


def _once_more(text: str) -> bytes:
    """Encode a text for the inside of a JSON text."""
    return json.dumps(text)[1:-1].encode()


def _long_text(value: object) -> bytes | None:
    """Encode a long text twice at once; None if it is short, or not that simple.

    So a write of 10 MB takes half the time.
    """
    if not isinstance(value, str) or len(value) < _LONG or not value.isascii():
        return None
    text = value.encode()
    if len(text.translate(None, _OTHER_CONTROLS)) < len(text):
        return None
    for plain, escaped in _TWICE:
        text = text.replace(plain, escaped)
    return b'\\"%b\\"' % text


def _json(labels: Mapping[str, str]) -> str:
    return json.dumps(labels, ensure_ascii=False)
