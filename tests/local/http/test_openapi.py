"""The description of the HTTP surface, beside what the server really does."""

from __future__ import annotations

import contextlib
import json

import pytest

from agb.local.http import openapi
from agb.local.http.endpoints import Endpoints
from agb.local.http.requests import Call
from agb.local.http.signed_addresses import Addresses
from agb.local.settings import Settings
from agb.local.tools.tool_box import ToolBox


class Watched(dict):
    """Parameters that remember which of them were asked for."""

    def __init__(self, parameters):
        super().__init__(parameters)
        self.read = set()

    def get(self, name, default=None):
        self.read.add(name)
        return super().get(name, default)


async def test_description(api):
    """It is given to who knows the key, and names every endpoint and every tool."""
    document = (await api.get("/openapi.json")).json()
    refusal = await api.client.get("/openapi.json", headers={"authorization": "Bearer wrong"})

    assert document["openapi"].startswith("3.1")
    assert {"/mcp", "/sdk/ListSession", "/mcp/createSession"} <= set(document["paths"])
    assert {"Envelope", "run_code", "write_file"} <= set(document["components"]["schemas"])
    assert document["paths"]["/sdk/GetLabel"]["get"]["summary"].startswith("Read the labels")
    assert refusal.status_code == 401


async def test_operations_have_names_of_their_own(api):
    """Each endpoint is one operation, with a name no other has and the shape of its replies."""
    paths = (await api.get("/openapi.json")).json()["paths"]
    operations = [operation for methods in paths.values() for operation in methods.values()]

    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all("default" in operation["responses"] for operation in operations)


@pytest.mark.parametrize("path", sorted(openapi._TAKEN))
async def test_parameters_are_those_that_are_read(api, make_api, path):
    """An endpoint reads no parameter that its description leaves out."""
    session = await api.create()
    context = (await api.get("/sdk/GetContext", name="c", allowCreate="true")).json()["data"]["id"]
    sessions = api.sessions
    settings = Settings()
    table = Endpoints(sessions, ToolBox(sessions, settings), Addresses(), settings).table()
    plausible = {
        "sessionId": session,
        "contextId": "" if path == "/mcp/createSession" else context,
        "id": context,
        "name": "c",
        "labels": "{}",
        "args": "{}",
        "filePath": "f",
    }
    known = {endpoint.path for endpoint in table}
    for endpoint in table:
        if endpoint.path == path:
            parameters = Watched(plausible)
            with contextlib.suppress(Exception):
                await endpoint.handler(Call("r", parameters))
            assert parameters.read <= set(openapi.taken(path))

    assert path in known
    assert known <= set(openapi._TAKEN)
    assert json.dumps(openapi.describe(table, "[]", "1"))
