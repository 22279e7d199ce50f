"""How clients and sessions end."""

from __future__ import annotations

import logging

import httpx
import pytest

from agb import AGB, AGBError, Config, CreateSessionParams, SessionError

CREATE, RELEASE = "/mcp/createSession", "/mcp/releaseSession"


@pytest.fixture
def http_client(service):
    """An HTTP client of the program."""
    with httpx.Client(transport=service.transport) as client:
        yield client


def test_a_session_deletes_itself(session, service):
    """S70: a session in a with block is deleted at its end, once."""
    with session as entered:
        entered.info()

    assert entered is session
    assert service.seen == ["/mcp/getMcpResource", RELEASE]


def test_a_client_can_be_used_in_a_with_block(service):
    """S70: a client in a with block works inside, and is closed at its end."""
    with AGB("test-key", transport=service.transport) as agb:
        result = agb.create()

    assert result.success is True
    with pytest.raises(RuntimeError, match="closed"):
        agb.create()


def test_an_unwrapped_session_deletes_itself(agb, service):
    """A created session can be unwrapped right into a with block."""
    with (agb.create()).unwrap() as session:
        session.info()

    assert service.seen == [CREATE, "/mcp/getMcpResource", RELEASE]


def test_a_session_that_failed_to_be_made_raises(agb, service):
    """Unwrapping a failed creation raises before the block is entered."""
    service.on(CREATE, service.refused("quota exceeded"))

    with pytest.raises(AGBError, match="quota exceeded"):
        with (agb.create()).unwrap():
            raise AssertionError("not reached")


def test_a_session_deleted_inside_is_not_deleted_again(session, service):
    """A session that the program deleted itself makes no second request at the end."""
    with session:
        session.delete()

    assert service.seen == [RELEASE]


def test_a_session_that_could_not_be_deleted_is_tried_again(session, service):
    """A session whose deletion failed inside the block is deleted at its end."""
    service.on(RELEASE, service.refused("busy"), service.ok())

    with session:
        session.delete()

    assert service.seen == [RELEASE, RELEASE]


def test_open_session_makes_and_deletes(agb, service):
    """open_session creates the session with its parameters and deletes it at the end."""
    params = CreateSessionParams(image_id="agb-code-space-1")

    with agb.open_session(params) as session:
        inside = list(service.seen)

    assert session.image_id == "agb-code-space-1"
    assert inside == [CREATE]
    assert service.seen == [CREATE, RELEASE]


def test_open_session_syncs_if_asked(agb, service):
    """open_session with sync_context syncs the contexts before the deletion."""
    with agb.open_session(sync_context=True):
        service.on("/sdk/SyncContext", service.ok())
        service.on("/sdk/GetContextInfo", service.ok({}))

    assert service.seen == [CREATE, "/sdk/SyncContext", "/sdk/GetContextInfo", RELEASE]


def test_open_session_deletes_after_an_exception(agb, service):
    """An exception in the block comes out as it is, after the session was deleted."""
    with pytest.raises(KeyError, match="from the program"):
        with agb.open_session():
            raise KeyError("from the program")

    assert service.seen == [CREATE, RELEASE]


def test_open_session_does_not_delete_again(agb, service):
    """A session that the program deleted in the block makes no second request at its end."""
    with agb.open_session() as session:
        session.delete()

    assert service.seen == [CREATE, RELEASE]


def test_open_session_is_left_once(agb, service):
    """Leaving a second time does nothing, also if the deletion failed the first time."""
    service.on(RELEASE, service.refused("busy"))
    opened = agb.open_session()
    opened.__enter__()

    opened.__exit__(None, None, None)
    opened.__exit__(None, None, None)

    assert service.seen == [CREATE, RELEASE]


def test_open_session_raises_what_create_says(agb, service):
    """A creation that fails raises with message, cause, status, code and request id."""
    service.on(CREATE, service.refused("quota exceeded", "Quota", 429, requestId="R-1"))

    with pytest.raises(SessionError, match="Failed to create a session: quota exceeded") as caught:
        with agb.open_session():
            raise AssertionError("not reached")

    assert (caught.value.status_code, caught.value.code) == (429, "Quota")
    assert caught.value.request_id == "R-1"
    assert type(caught.value.__cause__).__name__ == "APIError"
    assert service.seen == [CREATE]


@pytest.mark.parametrize("way", ["session", "open_session"])
def test_a_failed_deletion_hides_no_error(way, agb, service, caplog):
    """A deletion that fails at the end is logged, and the program's own exception comes out."""
    service.on(RELEASE, service.refused("busy"))
    block = agb.open_session() if way == "open_session" else (agb.create()).unwrap()

    with pytest.raises(KeyError, match="from the program"):
        with block:
            raise KeyError("from the program")

    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "Session s-1 was not deleted: busy" in caplog.text


def test_a_client_closed_inside_hides_no_error(agb, caplog):
    """A client that was closed in the block is logged as the reason why nothing was deleted."""
    opened = agb.open_session()
    with pytest.raises(KeyError, match="from the program"):
        with opened, agb:
            raise KeyError("from the program")

    assert "Session s-1 was not deleted" in caplog.text
    assert "closed" in caplog.text


def test_closing_twice_is_closing_once(agb):
    """Closing a client a second time does nothing."""
    agb.create()
    agb.close()

    agb.close()

    with pytest.raises(RuntimeError, match="closed"):
        agb.list()


def test_an_unused_client_can_be_closed():
    """A client that never sent anything can be closed."""
    agb = AGB("test-key")

    agb.close()

    with pytest.raises(RuntimeError, match="closed"):
        agb.list()


def test_a_closed_client_raises(call, agb, session, service):
    """Every call after close raises RuntimeError and sends nothing."""
    agb.close()

    with pytest.raises(RuntimeError, match="closed"):
        call(agb, session)

    assert service.requests == []


def test_closing_deletes_no_session(service):
    """Closing a client leaves its sessions alone."""
    with AGB("test-key", transport=service.transport) as agb:
        agb.create()

    assert service.seen == [CREATE]


def test_an_injected_http_client_stays_open(http_client, service):
    """An HTTP client of the program is used, and is still open after close."""
    config = Config(endpoint="https://api.test")
    with AGB("test-key", config, http_client=http_client) as agb:
        agb.create()

    assert http_client.is_closed is False
    assert service.seen == [CREATE]
    assert service.requests[0].headers["authorization"] == "Bearer test-key"


def test_a_closed_injected_http_client_raises(http_client):
    """An HTTP client that the program closed raises RuntimeError, as httpx does."""
    agb = AGB("test-key", Config(endpoint="https://api.test"), http_client=http_client)
    http_client.close()

    with pytest.raises(RuntimeError, match="closed"):
        agb.create()


def test_a_real_server_is_asked_over_one_connection(served, service):
    """Calls one after the other use one connection."""
    client = AGB("test-key", Config(endpoint=served))
    with client as agb, agb.open_session() as session:
        results = [session.info() for _ in range(20)]

    assert all(result.success for result in results)
    assert len(service.requests) == 22
    assert service.connections == 1
