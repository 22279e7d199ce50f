"""A request as a value; nothing here sends it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from attrs import field, frozen

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
