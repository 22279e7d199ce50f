"""One builder per endpoint of tools."""

from __future__ import annotations

from collections.abc import Mapping

from agb._core.wire.call import Call


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
