"""Deleting a session, with and without a sync of its contexts."""

from __future__ import annotations

import inspect
import json
import logging

import httpx
import pytest

from agb import AsyncSession, DeleteResult, InvalidArgumentError, SessionNotFoundError

SYNC, POLL, RELEASE = "/sdk/SyncContext", "/sdk/GetContextInfo", "/mcp/releaseSession"


def sync_status(service, *states, task_type="upload"):
    """A reply to the poll: JSON in JSON in JSON, as the protocol has it."""
    tasks = json.dumps([{"status": state, "taskType": task_type} for state in states])
    status = json.dumps([{"type": "data", "data": tasks}, {"type": "other", "data": "[]"}])
    return service.ok({"contextStatus": status})


async def test_delete_sends_no_sync_by_default(session, service):
    """S40: delete has the parameter sync_context, False by default, and then sends no sync."""
    default = inspect.signature(session.delete).parameters["sync_context"].default

    await session.delete()

    assert default is False
    assert service.seen == [RELEASE]
    assert service.body() == {"sessionId": "s-1"}


async def test_delete_gives_a_result(session, service):
    """S41: deleting gives a result with success, request id and message."""
    service.on(RELEASE, service.ok(requestId="R-41"))

    result = await session.delete()

    assert result == DeleteResult("R-41", True, "")


async def test_a_sync_comes_before_the_release(session, service):
    """S42: with sync_context the contexts are synced first, and both succeed."""
    service.on(SYNC, service.ok())
    service.on(POLL, sync_status(service, "Success", "Success"))

    result = await session.delete(sync_context=True)

    assert result.success is True
    assert service.seen == [SYNC, POLL, RELEASE]
    assert service.query(0) == service.query(1) == {"sessionId": "s-1"}


@pytest.mark.parametrize("step", [SYNC, POLL])
async def test_a_failed_sync_does_not_stop_the_release(step, session, service, caplog):
    """S43: a sync that fails is logged, and the result is that of the release."""
    service.on(SYNC, service.ok())
    service.on(POLL, sync_status(service, "Success", "Failed"))
    service.on(step, service.refused("sync is broken"))

    result = await session.delete(sync_context=True)

    assert result.success is True
    assert service.seen[-1] == RELEASE
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "sync is broken" in caplog.text


async def test_a_failed_sync_task_is_logged(session, service, caplog):
    """A sync of which one task failed is logged, and the session is released all the same."""
    service.on(SYNC, service.ok())
    service.on(POLL, sync_status(service, "Success", "Failed"))

    result = await session.delete(sync_context=True)

    assert result.success is True
    assert "Context sync of session s-1" in caplog.text


async def test_other_tasks_are_not_waited_for(session, service):
    """A sync waits for uploads and downloads only."""
    service.on(SYNC, service.ok())
    service.on(POLL, sync_status(service, "Running", task_type="index"))

    result = await session.delete(sync_context=True)

    assert result.success is True
    assert service.seen == [SYNC, POLL, RELEASE]


async def test_deleting_twice_fails(session):
    """S44: a session that is gone, or never was, gives a failed result."""
    await session.delete()

    result = await session.delete()

    assert result.success is False
    assert result.error_message == "session not found"
    assert type(result.exception) is SessionNotFoundError


async def test_an_unknown_session_cannot_be_deleted(agb):
    """Deleting a session that never was gives a failed result."""
    result = await AsyncSession(agb, "unknown").delete()

    assert (result.success, result.error_message) == (False, "session not found")


async def test_the_client_deletes_as_the_session_does(session, agb, service):
    """S45: deleting through the client syncs and releases the same way."""
    service.on(SYNC, service.ok())
    service.on(POLL, sync_status(service, "Success"))

    result = await agb.delete(session, sync_context=True)

    assert result.success is True
    assert service.seen == [SYNC, POLL, RELEASE]


@pytest.mark.parametrize("session", [None, "s-1", 5])
async def test_the_client_deletes_only_sessions(session, agb, service):
    """Deleting what is no session fails without a request."""
    result = await agb.delete(session)

    assert type(result) is DeleteResult
    assert type(result.exception) is InvalidArgumentError
    assert service.requests == []


async def test_a_broken_connection_names_the_session(session, service):
    """A release that never arrived says which session was not deleted, and why."""
    service.on(RELEASE, httpx.ConnectError("nobody home"))

    result = await session.delete()

    assert result.error_message.startswith("Failed to delete session s-1: ")
    assert "nobody home" in result.error_message
