"""The table of the tools."""

import json

from ..support.answers import ARGUMENTS


async def test_the_tools_describe_themselves(api):
    """listTools gives, as JSON text, every tool with a schema of its arguments."""
    response = await api.post("/mcp/listTools?imageId=agb-code-space-1")

    tools = json.loads(response.json()["data"])
    assert {tool["name"] for tool in tools} == set(ARGUMENTS)
    for tool in tools:
        assert set(tool) == {"name", "description", "inputSchema", "server", "tool"}
        assert set(tool["inputSchema"]["required"]) == set(ARGUMENTS[tool["name"]])
    shell = next(tool for tool in tools if tool["name"] == "shell")
    assert "input" in shell["inputSchema"]["properties"]
    assert shell["inputSchema"]["properties"]["timeout_ms"]["default"] == 1000
