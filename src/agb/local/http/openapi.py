"""The description of the HTTP surface that the server gives at `/openapi.json`.

Paths, methods and texts come from the table of endpoints, arguments of tools from the tools. The
one thing said here is which parameters an endpoint reads, and a test watches them being read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .endpoint import Endpoint

PATH = "/openapi.json"

_TEXT: dict[str, object] = {"type": "string"}
_NUMBER: dict[str, object] = {"type": "integer", "minimum": 1}
_JSON_TEXT: dict[str, object] = {"type": "string", "contentMediaType": "application/json"}
_SCHEMAS: dict[str, dict[str, object]] = {
    "timeout": _NUMBER,
    "maxResults": _NUMBER,
    "pageNumber": _NUMBER,
    "pageSize": _NUMBER,
    "allowCreate": {"type": "string", "enum": ["true", "false"]},
    "mode": {"type": "string", "enum": ["upload", "download"]},
    "labels": _JSON_TEXT,
    "contextTypes": _JSON_TEXT,
    "sdkStats": _JSON_TEXT,
    "args": _JSON_TEXT,
    "persistenceDataList": {"oneOf": [_JSON_TEXT, {"type": "array", "items": {"type": "object"}}]},
}
# By path; those with a mark must be there.
_TAKEN = {
    "/mcp/createSession": "imageId timeout labels sdkStats persistenceDataList contextId",
    "/mcp/releaseSession": "sessionId!",
    "/mcp/releaseSessionAsync": "sessionId!",
    "/mcp/getSession": "sessionId!",
    "/mcp/getSessionInfo": "sessionId!",
    "/mcp/refreshSessionIdleTime": "sessionId!",
    "/mcp/getMcpResource": "sessionId!",
    "/mcp/listTools": "",
    "/internet/getLink": "sessionId! protocolType port",
    "/mcp/getLink": "sessionId! protocolType port",
    "/sdk/ListSession": "labels maxResults nextToken",
    "/sdk/SetLabel": "sessionId! labels",
    "/sdk/GetLabel": "sessionId!",
    "/sdk/SyncContext": "sessionId! contextId path mode",
    "/sdk/GetContextInfo": "sessionId! contextId path taskType",
    "/sdk/GetAndLoadInternalContext": "sessionId! contextTypes",
    "/mcp": "sessionId! name! args",
    "/sdk/ListContexts": "maxResults nextToken",
    "/sdk/GetContext": "id name allowCreate",
    "/sdk/ModifyContext": "id! name!",
    "/sdk/DeleteContext": "id!",
    "/sdk/ClearContext": "id!",
    "/sdk/DescribeContextFiles": "contextId! parentFolderPath pageNumber pageSize",
    "/sdk/GetContextFileUploadUrl": "contextId! filePath!",
    "/sdk/GetContextFileDownloadUrl": "contextId! filePath!",
    "/sdk/DeleteContextFile": "contextId! filePath!",
}
_ENVELOPE = {
    "type": "object",
    "required": ["requestId", "success", "code", "message", "httpStatusCode", "data"],
    "properties": {
        "requestId": _TEXT,
        "success": {"type": "boolean"},
        "code": _TEXT,
        "message": {"type": ["string", "null"]},
        "httpStatusCode": {"type": "integer"},
        "data": {},
    },
}


def describe(endpoints: Sequence[Endpoint], tools: str, version: str) -> dict[str, object]:
    """Describe the endpoints in the words of OpenAPI 3.1.

    Args:
        endpoints: All of them.
        tools: The tools, as `listTools` gives them.
        version: That of this package.

    Returns:
        The document.
    """
    paths: dict[str, dict[str, object]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    schemas: dict[str, object] = {
        tool["name"]: {"description": tool["description"], **tool["inputSchema"]}
        for tool in json.loads(tools)
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "agb local server",
            "version": version,
            "description": "`/mcp` calls a tool: `args` is JSON text of the schema with its name.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Envelope": _ENVELOPE, **schemas},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


def taken(path: str) -> dict[str, bool]:
    """Name the parameters that an endpoint reads, and whether each must be there."""
    return {name.rstrip("!"): name.endswith("!") for name in _TAKEN.get(path, "").split()}


def _operation(endpoint: Endpoint) -> dict[str, object]:
    reply = {
        "description": "What came of it; `success` says whether it worked.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Envelope"}}},
    }
    names = taken(endpoint.path)
    operation: dict[str, object] = {
        "operationId": endpoint.path.strip("/").replace("/", "_") + "_" + endpoint.method.lower(),
        "summary": (endpoint.handler.__doc__ or "").split("\n")[0],
        "responses": {"200": reply, "default": reply},
    }
    schemas = {name: _SCHEMAS.get(name, _TEXT) for name in names}
    if endpoint.method == "GET":
        operation["parameters"] = [
            {"name": name, "in": "query", "required": names[name], "schema": schema}
            for name, schema in schemas.items()
        ]
    else:
        schema = {
            "type": "object",
            "properties": schemas,
            "required": [name for name, required in names.items() if required],
        }
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return operation
