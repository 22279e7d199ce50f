"""The tools of an image, as a service describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from agb._core.wire.replies import as_object, objects, parsed, text


@frozen(unsafe_hash=False)
class McpTool:
    """A tool that can be called in a session.

    Args:
        name: Its name, for `call_mcp_tool`.
        description: What it does.
        input_schema: JSON schema of its arguments.
        server: The server inside the session that has it.
        tool: Its name on that server.

    Example:
        >>> from agb import McpTool
        >>> McpTool(name='shell').name
        'shell'
    """

    __module__ = "agb"

    name: str = ""
    description: str = ""
    input_schema: Mapping[str, Any] = field(factory=dict[str, Any])
    server: str = ""
    tool: str = ""


def read_tools(value: object) -> list[McpTool]:
    """Read a list of tools, JSON text by the protocol (trap T5), with keys in either case."""
    return [_tool(item) for item in objects(parsed(value))]


def _tool(item: Mapping[str, Any]) -> McpTool:
    facts = {key[:1].lower() + key[1:]: value for key, value in item.items()}
    return McpTool(
        name=text(facts.get("name")),
        description=text(facts.get("description")),
        input_schema=as_object(parsed(facts.get("inputSchema"))),
        server=text(facts.get("server")) or text(facts.get("serverName")),
        tool=text(facts.get("tool")),
    )
