"""Deleting a session, with and without a context sync before it."""

import json
import logging

import pytest

from agb._core import sessions
from agb._core.exceptions import APIConnectionError, APIError, SessionNotFoundError

from .scripted import FAILURE, REFUSED_KEY, Answer, envelope, play, play_with

LOST = APIConnectionError("connection refused")


def tasks(*states, task_type="upload"):
    """The reply to GetContextInfo: JSON in JSON in JSON."""
    inner = json.dumps([{"contextId": "c", "status": s, "taskType": task_type} for s in states])
    return envelope({"contextStatus": json.dumps([{"type": "data", "data": inner}])})


def status(value):
    return envelope({"contextStatus": value})


def paths(played):
    return [call.path.rsplit("/", 1)[1] for call in played.calls]


def test_deletion_without_sync_sends_one_request():
    """The default sends no sync request."""
    played = play(sessions.delete("s-1", sync_context=False), envelope(None))

    assert played.result.success
    assert played.result.request_id == "R"
    assert paths(played) == ["releaseSession"]


def test_deleting_a_lost_session_is_a_failed_result():
    """Deleting a session that is gone already fails, without an exception."""
    result = play(sessions.delete("s-1", sync_context=False), FAILURE).result

    assert result.success is False
    assert result.error_message == "session not found"
    assert type(result.exception) is SessionNotFoundError


def test_deletion_that_could_not_be_sent_names_session_and_cause():
    """A transport failure is told as: failed to delete session, the id, the cause."""
    result = play(sessions.delete("s-1", sync_context=False), LOST).result

    assert result.error_message == "Failed to delete session s-1: connection refused"
    assert type(result.exception) is APIConnectionError


def test_deletion_that_the_service_refused_keeps_its_status():
    """A refusal by the service is told in its own words."""
    refused = Answer({"success": False, "message": "busy", "requestId": "R"}, 503)

    result = play(sessions.delete("s-1", sync_context=False), refused).result

    assert result.error_message == "busy"
    assert type(result.exception) is APIError
    assert result.exception.status_code == 503


@pytest.mark.parametrize(
    "answer",
    [
        status(None),
        status(""),
        status("[]"),
        status("no json"),
        status(json.dumps([{"type": "other", "data": json.dumps([{"status": "Running"}])}])),
        status(json.dumps([{"type": "data", "data": ""}])),
        status([{"type": "data", "data": [{"taskType": "upload", "status": "Success"}]}]),
        tasks("Running", task_type="other"),
        tasks("Success"),
        tasks("Success", "Success", task_type="download"),
        envelope(None),
    ],
)
def test_sync_ends_when_no_upload_or_download_is_under_way(answer, caplog):
    """No task, only finished tasks, or tasks of other kinds end the sync at once."""
    played = play(
        sessions.delete("s-1", sync_context=True), envelope(None), answer, envelope(None)
    )

    assert played.result.success
    assert played.pauses == []
    assert caplog.messages == []


def test_sync_is_polled_until_every_task_has_ended():
    """Anything but `Success` and `Failed` is still going, and is asked for again in 1.5 s."""
    played = play(
        sessions.delete("s-1", sync_context=True),
        envelope(None),
        tasks("Pending", "Success"),
        tasks("Running", "Success"),
        tasks("Success", "Success"),
        envelope(None),
    )

    assert played.result.success
    assert played.pauses == [1.5, 1.5]
    assert paths(played) == ["SyncContext", *["GetContextInfo"] * 3, "releaseSession"]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ([FAILURE], "session not found"),
        ([REFUSED_KEY], "bad key"),
        ([LOST], "connection refused"),
        ([envelope(None), FAILURE], "session not found"),
        ([envelope(None), tasks("Success", "Failed")], "a sync task failed"),
    ],
)
def test_failing_sync_is_logged_and_the_session_deleted(script, reason, caplog):
    """A sync that fails never blocks the deletion, whose result counts alone."""
    caplog.set_level(logging.WARNING, logger="agb")

    played = play(sessions.delete("s-1", sync_context=True), *script, envelope(None))

    assert played.result.success
    assert played.calls[-1].path == "/mcp/releaseSession"
    assert len(caplog.messages) == 1
    assert "s-1" in caplog.messages[0]
    assert reason in caplog.messages[0]


def test_sync_without_an_end_is_given_up_after_150_polls(caplog):
    """A sync is asked for 150 times, then the session is deleted all the same."""
    played = play_with(
        sessions.delete("s-1", sync_context=True),
        lambda call: tasks("Running") if call.path.endswith("ContextInfo") else envelope(None),
    )

    assert played.result.success
    assert played.pauses == [1.5] * 150
    assert len(played.calls) == 152
    assert "no end after 225 s" in caplog.messages[0]
