"""Contexts through the client: each call runs its operation, and sessions wait for their files."""

from __future__ import annotations

import json

import pytest

from agb import (
    AsyncContextManager,
    AsyncContextService,
    BrowserContext,
    Context,
    ContextListParams,
    ContextSync,
    CreateSessionParams,
)

SYNC, POLL, RELEASE = "/sdk/SyncContext", "/sdk/GetContextInfo", "/mcp/releaseSession"
CREATE = "/mcp/createSession"
DATA = {"id": "c-1", "name": "n", "state": "available"}
CONTEXT = Context("c-1", "n")
WITH_CONTEXT = CreateSessionParams(context_syncs=[ContextSync("c-1", "/data")])

CALLS = {
    "list": (lambda c: c.list(ContextListParams(5)), "/sdk/ListContexts", [DATA]),
    "get": (lambda c: c.get("n", True), "/sdk/GetContext", DATA),
    "create": (lambda c: c.create("n"), "/sdk/GetContext", DATA),
    "update": (lambda c: c.update(CONTEXT), "/sdk/ModifyContext", None),
    "delete": (lambda c: c.delete(CONTEXT), "/sdk/DeleteContext", None),
    "clear_async": (lambda c: c.clear_async("c-1"), "/sdk/ClearContext", None),
    "status": (lambda c: c.get_clear_status("c-1"), "/sdk/GetContext", DATA),
    "download": (
        lambda c: c.get_file_download_url("c-1", "/a"),
        "/sdk/GetContextFileDownloadUrl",
        {"url": "https://files/a"},
    ),
    "upload": (
        lambda c: c.get_file_upload_url("c-1", "/a"),
        "/sdk/GetContextFileUploadUrl",
        {"url": "https://files/a"},
    ),
    "delete_file": (lambda c: c.delete_file("c-1", "/a"), "/sdk/DeleteContextFile", None),
    "list_files": (lambda c: c.list_files("c-1", "/"), "/sdk/DescribeContextFiles", []),
}


def sync_status(service, *states, kind="download"):
    """A reply to the poll: JSON in JSON in JSON, as the protocol has it."""
    tasks = json.dumps([{"status": state, "taskType": kind} for state in states])
    return service.ok({"contextStatus": json.dumps([{"type": "data", "data": tasks}])})


@pytest.mark.parametrize("name", CALLS)
async def test_each_call_asks_its_endpoint(name, agb, service):
    """Every method of `agb.context` sends one request to its endpoint and reads the reply."""
    call, endpoint, data = CALLS[name]
    service.on(endpoint, service.ok(data))

    result = await call(agb.context)

    assert result.success, result.error_message
    assert service.seen == [endpoint]


async def test_clear_asks_until_the_context_is_available(agb, service):
    """`clear` begins and then asks for the state."""
    service.on("/sdk/ClearContext", service.ok())
    service.on("/sdk/GetContext", service.ok({**DATA, "state": "clearing"}), service.ok(DATA))

    result = await agb.context.clear("c-1", timeout=5, poll_interval=0.001)

    assert result.status == "available"
    assert service.seen == ["/sdk/ClearContext", "/sdk/GetContext", "/sdk/GetContext"]


async def test_where_contexts_are(agb, session):
    """`agb.context` and `session.context` are the same objects at each access."""
    assert type(agb.context) is AsyncContextService
    assert agb.context.agb is agb
    assert type(session.context) is AsyncContextManager
    assert session.context.session is session


async def test_info(session, service):
    """`session.context.info` asks with the filters given."""
    service.on(POLL, sync_status(service, "Running"))

    result = await session.context.info("c-1", "/data", "download")

    assert [task.status for task in result.context_status_data] == ["Running"]
    assert service.query() == {
        "sessionId": "s-1",
        "contextId": "c-1",
        "path": "/data",
        "taskType": "download",
    }


@pytest.mark.parametrize(("state", "success"), [("Success", True), ("Failed", False)])
async def test_sync_calls_back_before_it_returns(state, success, session, service):
    """The callback gets the success, once, when `sync` is about to return."""
    service.on(SYNC, service.ok())
    service.on(POLL, sync_status(service, "Running"), sync_status(service, state, kind="upload"))
    seen = []

    result = await session.context.sync(callback=seen.append, retry_interval=1)

    assert result.success is success
    assert seen == [success]
    assert service.seen == [SYNC, POLL, POLL]


async def test_creating_with_contexts_waits_for_their_files(agb, service):
    """`create` asks for the state of the contexts until their downloads have ended."""
    service.on(POLL, sync_status(service, "Success"))

    created = await agb.create(WITH_CONTEXT)

    assert created.success
    assert service.seen == [CREATE, POLL]
    assert [item["contextId"] for item in service.body(0)["persistenceDataList"]] == ["c-1"]


async def test_creating_without_contexts_waits_for_nothing(agb, service):
    """A session without contexts is there with the first reply."""
    await agb.create(CreateSessionParams(context_syncs=[]))

    assert service.seen == [CREATE]


async def test_a_browser_context_is_waited_for(agb, service):
    """The data of a browser are a context like others."""
    service.on(POLL, sync_status(service))

    await agb.create(CreateSessionParams(browser_context=BrowserContext("c-9")))

    assert service.seen == [CREATE, POLL]


async def test_files_that_do_not_come_fail_no_creation(agb, service, caplog):
    """A failed download is logged; the session is there and can be used."""
    service.on(POLL, sync_status(service, "Failed"))

    created = await agb.create(WITH_CONTEXT)

    assert created.success
    assert "The contexts of session s-1" in caplog.text


async def test_an_interrupted_creation_leaves_no_session(agb, service):
    """Whoever is interrupted while the files come never gets the session, so it is deleted."""
    service.on(POLL, lambda request: interrupt())

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await agb.create(WITH_CONTEXT)
    assert service.seen == [CREATE, POLL, RELEASE]
