"""How clients and sessions end."""

from __future__ import annotations

import logging

import httpx
import pytest

from agb import AGBError, AsyncAGB, Config, CreateSessionParams, SessionError

CREATE, RELEASE = "/mcp/createSession", "/mcp/releaseSession"


@pytest.fixture
async def http_client(service):
    """An HTTP client of the program."""
    async with httpx.AsyncClient(transport=service.transport) as client:
        yield client


async def test_a_session_deletes_itself(session, service):
    """S70: a session in a with block is deleted at its end, once."""
    async with session as entered:
        await entered.info()

    assert entered is session
    assert service.seen == ["/mcp/getMcpResource", RELEASE]


async def test_a_client_can_be_used_in_a_with_block(service):
    """S70: a client in a with block works inside, and is closed at its end."""
    async with AsyncAGB("test-key", transport=service.transport) as agb:
        result = await agb.create()

    assert result.success is True
    with pytest.raises(RuntimeError, match="closed"):
        await agb.create()


async def test_an_unwrapped_session_deletes_itself(agb, service):
    """A created session can be unwrapped right into a with block."""
    async with (await agb.create()).unwrap() as session:
        await session.info()

    assert service.seen == [CREATE, "/mcp/getMcpResource", RELEASE]


async def test_a_session_that_failed_to_be_made_raises(agb, service):
    """Unwrapping a failed creation raises before the block is entered."""
    service.on(CREATE, service.refused("quota exceeded"))

    with pytest.raises(AGBError, match="quota exceeded"):
        async with (await agb.create()).unwrap():
            raise AssertionError("not reached")


async def test_a_session_deleted_inside_is_not_deleted_again(session, service):
    """A session that the program deleted itself makes no second request at the end."""
    async with session:
        await session.delete()

    assert service.seen == [RELEASE]


async def test_a_session_that_could_not_be_deleted_is_tried_again(session, service):
    """A session whose deletion failed inside the block is deleted at its end."""
    service.on(RELEASE, service.refused("busy"), service.ok())

    async with session:
        await session.delete()

    assert service.seen == [RELEASE, RELEASE]


async def test_open_session_makes_and_deletes(agb, service):
    """open_session creates the session with its parameters and deletes it at the end."""
    params = CreateSessionParams(image_id="agb-code-space-1")

    async with agb.open_session(params) as session:
        inside = list(service.seen)

    assert session.image_id == "agb-code-space-1"
    assert inside == [CREATE]
    assert service.seen == [CREATE, RELEASE]


async def test_open_session_syncs_if_asked(agb, service):
    """open_session with sync_context syncs the contexts before the deletion."""
    async with agb.open_session(sync_context=True):
        service.on("/sdk/SyncContext", service.ok())
        service.on("/sdk/GetContextInfo", service.ok({}))

    assert service.seen == [CREATE, "/sdk/SyncContext", "/sdk/GetContextInfo", RELEASE]


async def test_open_session_deletes_after_an_exception(agb, service):
    """An exception in the block comes out as it is, after the session was deleted."""
    with pytest.raises(KeyError, match="from the program"):
        async with agb.open_session():
            raise KeyError("from the program")

    assert service.seen == [CREATE, RELEASE]


async def test_open_session_does_not_delete_again(agb, service):
    """A session that the program deleted in the block makes no second request at its end."""
    async with agb.open_session() as session:
        await session.delete()

    assert service.seen == [CREATE, RELEASE]


async def test_open_session_is_left_once(agb, service):
    """Leaving a second time does nothing, also if the deletion failed the first time."""
    service.on(RELEASE, service.refused("busy"))
    opened = agb.open_session()
    await opened.__aenter__()

    await opened.__aexit__(None, None, None)
    await opened.__aexit__(None, None, None)

    assert service.seen == [CREATE, RELEASE]


async def test_open_session_raises_what_create_says(agb, service):
    """A creation that fails raises with message, cause, status, code and request id."""
    service.on(CREATE, service.refused("quota exceeded", "Quota", 429, requestId="R-1"))

    with pytest.raises(SessionError, match="Failed to create a session: quota exceeded") as caught:
        async with agb.open_session():
            raise AssertionError("not reached")

    assert (caught.value.status_code, caught.value.code) == (429, "Quota")
    assert caught.value.request_id == "R-1"
    assert type(caught.value.__cause__).__name__ == "APIError"
    assert service.seen == [CREATE]


@pytest.mark.parametrize("way", ["session", "open_session"])
async def test_a_failed_deletion_hides_no_error(way, agb, service, caplog):
    """A deletion that fails at the end is logged, and the program's own exception comes out."""
    service.on(RELEASE, service.refused("busy"))
    block = agb.open_session() if way == "open_session" else (await agb.create()).unwrap()

    with pytest.raises(KeyError, match="from the program"):
        async with block:
            raise KeyError("from the program")

    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "Session s-1 was not deleted: busy" in caplog.text


async def test_a_client_closed_inside_hides_no_error(agb, caplog):
    """A client that was closed in the block is logged as the reason why nothing was deleted."""
    opened = agb.open_session()
    with pytest.raises(KeyError, match="from the program"):
        async with opened, agb:
            raise KeyError("from the program")

    assert "Session s-1 was not deleted" in caplog.text
    assert "closed" in caplog.text


async def test_closing_twice_is_closing_once(agb):
    """Closing a client a second time does nothing."""
    await agb.create()
    await agb.aclose()

    await agb.aclose()

    with pytest.raises(RuntimeError, match="closed"):
        await agb.list()


async def test_an_unused_client_can_be_closed():
    """A client that never sent anything can be closed."""
    agb = AsyncAGB("test-key")

    await agb.aclose()

    with pytest.raises(RuntimeError, match="closed"):
        await agb.list()


async def test_a_closed_client_raises(call, agb, session, service):
    """Every call after close raises RuntimeError and sends nothing."""
    await agb.aclose()

    with pytest.raises(RuntimeError, match="closed"):
        await call(agb, session)

    assert service.requests == []


async def test_closing_deletes_no_session(service):
    """Closing a client leaves its sessions alone."""
    async with AsyncAGB("test-key", transport=service.transport) as agb:
        await agb.create()

    assert service.seen == [CREATE]


async def test_an_injected_http_client_stays_open(http_client, service):
    """An HTTP client of the program is used, and is still open after close."""
    config = Config(endpoint="https://api.test")
    async with AsyncAGB("test-key", config, http_client=http_client) as agb:
        await agb.create()

    assert http_client.is_closed is False
    assert service.seen == [CREATE]
    assert service.requests[0].headers["authorization"] == "Bearer test-key"


async def test_a_closed_injected_http_client_raises(http_client):
    """An HTTP client that the program closed raises RuntimeError, as httpx does."""
    agb = AsyncAGB("test-key", Config(endpoint="https://api.test"), http_client=http_client)
    await http_client.aclose()

    with pytest.raises(RuntimeError, match="closed"):
        await agb.create()


async def test_a_real_server_is_asked_over_one_connection(served, service):
    """Calls one after the other use one connection."""
    client = AsyncAGB("test-key", Config(endpoint=served))
    async with client as agb, agb.open_session() as session:
        results = [await session.info() for _ in range(20)]

    assert all(result.success for result in results)
    assert len(service.requests) == 22
    assert service.connections == 1
