"""The transport: what a request looks like, how long it may take, and what is logged."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace

import httpx
import pytest
import respx

from agb import APIConnectionError, AsyncAGB, AsyncSession, Config, __version__
from agb._async.pool import AsyncPool
from agb._core.wire.operation import Pause


async def test_every_request_carries_the_key(call, agb, session, service):
    """Every request has the key as a bearer token, the content type and our name."""
    await call(agb, session)

    headers = service.requests[0].headers
    assert headers["authorization"] == "Bearer test-key"
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"] == f"agb-python/{__version__}"


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("api.test", "https://api.test/mcp/getSession"),
        ("http://api.test:8080/", "http://api.test:8080/mcp/getSession"),
        ("https://api.test/agb/v1", "https://api.test/agb/v1/mcp/getSession"),
    ],
)
async def test_the_endpoint_is_where_requests_go(endpoint, url):
    """The client's own HTTP client sends to the endpoint, over HTTPS if it does not say."""
    with respx.mock:
        route = respx.post(url).respond(json={"success": True, "data": {"sessionId": "s-1"}})
        async with AsyncAGB("test-key", Config(endpoint=endpoint)) as agb:
            result = await agb.get("s-1")

    assert result.success is True
    assert route.call_count == 1
    assert route.calls.last.request.content == b'{"sessionId": "s-1"}'


async def test_a_tool_call_starts_no_session(session, service):
    """A tool call says that no session shall be made for it, and its arguments are JSON text."""
    await session.command.execute_command("echo é")

    assert service.requests[0].url.path == "/mcp"
    assert service.query() == {"autoGenSession": "false"}
    assert set(service.body()) == {"args", "sessionId", "name"}
    assert service.requests[0].content.isascii()


async def test_the_request_id_may_be_in_the_header(session, service):
    """A reply without a request id of its own has that of its header."""
    answer = httpx.Response(200, json={"success": True}, headers={"x-request-id": "R-head"})
    service.on("/sdk/SetLabel", answer)

    result = await session.set_labels({"a": "b"})

    assert result.request_id == "R-head"


@pytest.mark.parametrize(
    ("method", "given", "read"),
    [
        ("info", (), 20.0),
        ("code.run_code", ("1", "python"), 310.0),
        ("code.run", ("1", "python"), 70.0),
        ("code.run_code", ("1", "python", 5), 20.0),
        ("code.run_code", ("1", "python", 15), 25.0),
        ("command.execute_command", ("x",), 20.0),
        ("command.execute_command", ("x", 90_500), 100.5),
        ("file_system.get_file_info", ("/a",), 20.0),
    ],
)
async def test_an_operation_gets_the_time_it_asked_for(method, given, read, service):
    """The read time-out is the configured one, or the operation's own limit plus 10 seconds."""
    config = Config(endpoint="https://api.test", timeout_ms=20_000)
    agb = AsyncAGB("test-key", config, transport=service.transport)
    target = AsyncSession(agb, "s-1")
    for name in method.split("."):
        target = getattr(target, name)

    await target(*given)

    timeout = service.requests[0].extensions["timeout"]
    assert timeout == {"connect": 20.0, "read": read, "write": 20.0, "pool": 20.0}
    await agb.aclose()


async def test_t06_a_reply_counts_whatever_type_it_claims(session, service):
    """An envelope is read even if its content type is not that of JSON (T6)."""
    body = json.dumps({"success": True, "data": {"labels": {"a": "b"}}})
    service.on("/sdk/GetLabel", httpx.Response(200, text=body))

    labels = await session.get_labels()

    assert labels.data == {"a": "b"}


async def test_t08_a_short_time_out_is_not_rounded(service):
    """A time-out below a second stays what it is."""
    agb = AsyncAGB("test-key", Config("https://api.test", 50), transport=service.transport)

    await agb.list()

    assert service.requests[0].extensions["timeout"]["connect"] == 0.05
    await agb.aclose()


async def test_a_pause_of_an_operation_is_waited_for(agb, service):
    """An operation can wait between its requests, and goes on after that."""

    def steps():
        answer = yield Pause(0.0)
        return answer, "done"

    result = await agb.client.run(steps())

    assert result == (None, "done")
    assert service.requests == []


@pytest.mark.parametrize("endpoint", ["https://a..b", "a" * 64 + ".test", "https://exämple..de"])
async def test_a_host_name_that_is_none_is_a_failed_result(endpoint):
    """A host name that can't be looked up at all fails at the first call, with the reason."""
    agb = AsyncAGB("test-key", Config(endpoint=endpoint))

    result = await agb.create()

    assert type(result.exception) is APIConnectionError
    assert "check the endpoint" in result.error_message
    await agb.aclose()


@pytest.mark.parametrize("proxy", ["unknown://proxy", "http://proxy:port"])
async def test_a_proxy_setting_that_is_none_is_a_failed_result(proxy, monkeypatch):
    """A proxy of the environment that can't be used fails at the call, with the reason."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setenv("https_proxy", proxy)
    agb = AsyncAGB("test-key", Config(endpoint="https://api.test"))

    result = await agb.create()

    assert type(result.exception) is APIConnectionError
    assert "proxy" in result.error_message


async def test_a_proxy_does_not_matter_for_the_embedded_server(monkeypatch):
    """The client of the embedded server uses no proxy of the environment; others do."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    local = AsyncAGB.local()
    remote = AsyncAGB("test-key", Config(endpoint="http://api.test"))

    clients = [agb.client._connections.client() for agb in (local, remote)]

    assert isinstance(clients[0], AsyncPool)
    assert isinstance(clients[1], httpx.AsyncClient)
    await local.aclose()
    await remote.aclose()


async def test_the_embedded_server_is_used_or_started(service, served, monkeypatch):
    """A call goes to the embedded server, with its own key; it is started if none runs."""
    server = SimpleNamespace(endpoint=served, api_key="its own")
    running = []
    started = []
    monkeypatch.setattr("agb._io.embedded.running", lambda: running[0] if running else None)
    monkeypatch.setattr("agb._io.embedded.server", lambda start: started.append(start) or server)

    async with AsyncAGB.local() as agb:
        created = await agb.create()
        running.append(server)
        found = await agb.get(created.session.session_id)

    assert found.success, found.error_message
    assert started == [True]
    assert service.requests[0].headers["authorization"] == "Bearer its own"


async def test_each_request_is_a_debug_line(agb, session, service, caplog):
    """A debug line has method, path, status and request id, of a success and of a failure."""
    caplog.set_level(logging.DEBUG, logger="agb")
    service.on("/mcp/getMcpResource", service.ok({"a": 1}, requestId="R-good"))
    service.on("/sdk/GetLabel", service.refused("no", requestId="R-bad"))

    await session.info()
    await session.get_labels()

    lines = [record.getMessage() for record in caplog.records if record.name == "agb"]
    assert len(lines) == 2
    assert lines[0].startswith("POST /mcp/getMcpResource: HTTP 200, request id R-good, ")
    assert lines[1].startswith("GET /sdk/GetLabel: HTTP 400, request id R-bad, ")


async def test_nothing_is_logged_above_debug(call, agb, session, caplog):
    """No call writes a log line at INFO or above."""
    caplog.set_level(logging.INFO, logger="agb")

    await call(agb, session)

    assert [record for record in caplog.records if record.name == "agb"] == []
