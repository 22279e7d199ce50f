"""Deleting a session, with and without a context sync before it."""

import json
import logging

import pytest

from agb._core.exceptions import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthenticationError,
    SessionNotFoundError,
)
from agb._core.sessions import deletion

from ..scripted import DEAD_SESSION, FAILURE, REFUSED_KEY, Answer, envelope, play, play_with

LOST = APIConnectionError("connection refused")


def tasks(*states, task_type="upload"):
    """The reply to GetContextInfo: JSON in JSON in JSON."""
    task = {"contextId": "c", "path": "/d", "taskType": task_type}
    inner = json.dumps(
        [
            {**task, "status": state, "errorMessage": "disk full" if state == "Failed" else ""}
            for state in states
        ]
    )
    return envelope({"contextStatus": json.dumps([{"type": "data", "data": inner}])})


def status(value):
    return envelope({"contextStatus": value})


def paths(played):
    return [call.path.rsplit("/", 1)[1] for call in played.calls]


def test_deletion_without_sync_sends_one_request():
    """The default sends no sync request."""
    played = play(deletion.delete("s-1", sync_context=False), envelope(None))

    assert played.result.success
    assert played.result.request_id == "R"
    assert paths(played) == ["releaseSession"]


def test_deleting_a_lost_session_is_a_failed_result():
    """Deleting a session that is gone already fails, without an exception."""
    result = play(deletion.delete("s-1", sync_context=False), FAILURE).result

    assert result.success is False
    assert result.error_message == "session not found"
    assert type(result.exception) is SessionNotFoundError


def test_deletion_that_could_not_be_sent_names_session_and_cause():
    """A transport failure is told as: failed to delete session, the id, the cause."""
    result = play(deletion.delete("s-1", sync_context=False), LOST).result

    assert result.error_message == "Failed to delete session s-1: connection refused"
    assert type(result.exception) is APIConnectionError


def test_deletion_that_the_service_refused_keeps_its_status():
    """A refusal by the service is told in its own words."""
    refused = Answer({"success": False, "message": "busy", "requestId": "R"}, 503)

    result = play(deletion.delete("s-1", sync_context=False), refused).result

    assert result.error_message == "busy"
    assert type(result.exception) is APIError
    assert result.exception.status_code == 503


@pytest.mark.parametrize(
    "answer",
    [
        status(None),
        status(""),
        status("[]"),
        status(json.dumps([{"type": "other", "data": json.dumps([{"status": "Running"}])}])),
        status(json.dumps([{"type": "data", "data": ""}])),
        status([{"type": "data", "data": [{"taskType": "upload", "status": "Success"}]}]),
        tasks("Running", task_type="other"),
        tasks("Success"),
        envelope(None),
    ],
)
def test_sync_ends_when_no_upload_or_download_is_under_way(answer, caplog):
    """No task, only finished tasks, or tasks of other kinds end the sync at once."""
    played = play(deletion.delete("s-1", sync_context=True), envelope(None), answer, envelope(None))

    assert played.result.success
    assert played.pauses == []
    assert caplog.messages == []


def test_t19_a_task_that_is_not_visible_yet_is_looked_for_once_more():
    """Where only the downloads of the creation are visible, the upload may come a moment later."""
    played = play(
        deletion.delete("s-1", sync_context=True),
        envelope(None),
        tasks("Success", task_type="download"),
        tasks("Success"),
        envelope(None),
    )

    assert played.result.success
    assert played.pauses == [1.5]


def test_sync_is_polled_until_every_task_has_ended():
    """Anything but `Success` and `Failed` is still going, and is asked for again in 1.5 s."""
    played = play(
        deletion.delete("s-1", sync_context=True),
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
        ([envelope(None), tasks("Success", "Failed")], "upload of c at /d failed: disk full"),
        ([envelope(None), status("no json")], "no readable contextStatus"),
    ],
)
def test_failing_sync_is_logged_and_the_session_deleted(script, reason, caplog):
    """A sync that fails never blocks the deletion, whose result counts alone."""
    caplog.set_level(logging.WARNING, logger="agb")

    played = play(deletion.delete("s-1", sync_context=True), *script, envelope(None))

    assert played.result.success
    assert played.calls[-1].path == "/mcp/releaseSession"
    assert len(caplog.messages) == 1
    assert "s-1" in caplog.messages[0]
    assert reason in caplog.messages[0]


def test_sync_without_an_end_is_given_up_after_150_polls(caplog):
    """A sync is asked for 150 times, then the session is deleted all the same."""
    played = play_with(
        deletion.delete("s-1", sync_context=True),
        lambda call: tasks("Running") if call.path.endswith("ContextInfo") else envelope(None),
    )

    assert played.result.success
    assert played.pauses == [1.5] * 149
    assert len(played.calls) == 152
    assert "no end after 225 s" in caplog.messages[0]


def test_deletion_can_wait_until_nothing_is_left():
    """`wait=True` asks for the status every second until the session is not found any more."""
    deleting = envelope({"status": "DELETING"})
    played = play(
        deletion.delete("s-1", sync_context=False, wait=True),
        envelope(None),
        deleting,
        deleting,
        FAILURE,
    )

    assert played.result.success
    assert played.pauses == [1.0, 1.0]
    assert paths(played) == ["releaseSession", *["getSessionInfo"] * 3]


@pytest.mark.parametrize(
    "last",
    [
        envelope({"status": "FINISH"}),
        envelope({"Status": "FINISH"}),
        DEAD_SESSION,
        Answer({"success": False, "code": "X", "message": "the session was NotFound"}, 400),
    ],
)
def test_t22_every_sign_that_a_session_is_gone_ends_the_wait(last):
    """The word FINISH and a reply that says "not found" in any form mean the same."""
    played = play(deletion.delete("s-1", sync_context=False, wait=True), envelope(None), last)

    assert played.result.success
    assert played.pauses == []


def test_a_wait_that_is_refused_is_a_failed_result():
    """A key that is refused ends the wait at once: asking again would change nothing."""
    played = play(
        deletion.delete("s-1", sync_context=False, wait=True), envelope(None), REFUSED_KEY
    )

    assert not played.result.success
    assert type(played.result.exception) is AuthenticationError


def test_a_wait_outlasts_a_service_that_is_out_of_breath():
    """Errors that pass are asked through; one without an end is named after 300 s."""
    busy = Answer({"success": False, "message": "busy"}, 503)
    played = play_with(
        deletion.delete("s-1", sync_context=False, wait=True),
        lambda call: envelope(None) if call.path.endswith("releaseSession") else busy,
    )

    assert type(played.result.exception) is APITimeoutError
    assert played.result.error_message == "Deletion of session s-1: no end after 300 s (busy)"
