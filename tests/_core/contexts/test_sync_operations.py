"""Transfers between contexts and a session: asked for, watched, waited for."""

import asyncio
import json

import pytest

from agb._core.contexts import sync_operations
from agb._core.contexts.sync_results import ContextStatusData, ContextSyncResult
from agb._core.exceptions import APIError, APITimeoutError, AuthenticationError

from ..scripted import REFUSED_KEY, Answer, assert_refused, envelope, play, play_with

BUSY = Answer({"success": False, "message": "busy"}, 503)


def tasks(*states, kind="upload"):
    items = [{"contextId": "c", "path": "/d", "status": s, "taskType": kind} for s in states]
    packed = [{"type": "data", "data": json.dumps(items)}, {"type": "note", "data": "[1]"}]
    return envelope({"contextStatus": json.dumps(packed)})


def test_info_unpacks_the_tasks():
    """JSON in JSON in JSON becomes one item a task, all fields read."""
    task = {
        "contextId": "c",
        "path": "/d",
        "errorMessage": "no space",
        "status": "Failed",
        "startTime": 1,
        "finishTime": "2",
        "taskType": "upload",
    }
    status = json.dumps([{"type": "data", "data": json.dumps([task])}])

    result = play(
        sync_operations.info("s-1", None, None, None), envelope({"contextStatus": status})
    ).result

    assert result.unwrap() == [
        ContextStatusData("c", "/d", "no space", "Failed", 1, 2, "upload"),
    ]


@pytest.mark.parametrize("status", [None, "", "[]", []])
def test_info_without_tasks(status):
    """No tasks in any spelling is a success without items."""
    answer = envelope({"contextStatus": status})

    result = play(sync_operations.info("s-1", None, None, None), answer).result

    assert result.success
    assert result.context_status_data == []


@pytest.mark.parametrize("status", ["no json", "{}", 5])
def test_t18_an_unreadable_answer_does_not_pass_for_nothing_to_do(status):
    """What can't be read is a failure, so a sync is not called done because of it."""
    answer = envelope({"contextStatus": status})

    info = play(sync_operations.info("s-1", None, None, None), answer).result
    sync = play(sync_operations.sync("s-1"), envelope(None), answer).result

    assert not info.success
    assert "no readable contextStatus" in sync.error_message
    assert type(sync.exception) is APIError


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (("c", None), "together"),
        ((None, "/d"), "together"),
        ((" ", "/d"), "context_id is required"),
        (("c", " "), "path is required"),
        ((None, None, "sideways"), "mode"),
        ((None, None, None, 0), "max_retries"),
        ((None, None, None, 150, 0), "retry_interval"),
    ],
)
def test_sync_refuses_wrong_arguments(arguments, phrase):
    """Context and path only together, known modes, positive numbers; nothing is sent."""
    assert_refused(play(sync_operations.sync("s-1", *arguments)), phrase)


def test_info_refuses_wrong_arguments():
    """A filter that is no text is refused without a request."""
    assert_refused(play(sync_operations.info("s-1", None, None, 5)), "task_type must be a str")


def test_sync_asks_at_the_interval_given():
    """`retry_interval` is in milliseconds and stands between two questions."""
    played = play(
        sync_operations.sync("s-1", "c", "/d", "upload", 5, 250),
        envelope(None),
        tasks("Running"),
        tasks("Success"),
    )

    assert played.result == ContextSyncResult("R", True)
    assert played.result.unwrap() is None
    assert played.pauses == [0.25]


def test_t19_a_named_context_has_a_task_soon():
    """For one context there must be a task: if none is visible yet, one more question is asked."""
    none = envelope({"contextStatus": ""})
    seen = play(sync_operations.sync("s-1", "c", "/d"), envelope(None), none, tasks("Success"))
    never = play(sync_operations.sync("s-1", "c", "/d"), envelope(None), none, none)
    once = play(sync_operations.sync("s-1", "c", "/d", None, 1), envelope(None), none)

    assert seen.result.success
    assert never.result.success
    assert once.result.success


def test_a_failed_task_fails_the_sync_and_says_why():
    """Any failed task of either kind fails the whole, with context and path in the message."""
    result = play(sync_operations.sync("s-1"), envelope(None), tasks("Success", "Failed")).result

    assert not result.success
    assert result.error_message == "upload of c at /d failed"


def test_retries_are_bounded():
    """A sync without an end fails after `max_retries` questions."""
    played = play_with(
        sync_operations.sync("s-1", max_retries=3),
        lambda call: envelope(None) if call.method == "POST" else tasks("Running"),
    )

    assert type(played.result.exception) is APITimeoutError
    assert played.pauses == [1.5, 1.5]


def test_a_question_that_fails_for_a_moment_is_asked_again():
    """A service that is out of breath ends no sync."""
    played = play(sync_operations.sync("s-1"), envelope(None), BUSY, tasks("Success"))

    assert played.result.success


@pytest.mark.parametrize("answer", [tasks("Success", kind="download"), tasks()])
def test_a_new_session_waits_for_its_downloads(answer):
    """The wait after creation asks every two seconds until each task has ended."""
    played = play(
        sync_operations.wait_for_downloads("s-1"), tasks("Running", kind="download"), answer
    )

    assert played.pauses == [2.0]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(tasks("Failed"), APIError), (REFUSED_KEY, AuthenticationError)],
)
def test_downloads_that_fail_are_told(answer, kind):
    """A failed download and a refusal are raised, for the client to log."""
    with pytest.raises(kind):
        play(sync_operations.wait_for_downloads("s-1"), answer)


def test_a_sync_result_can_be_waited_for():
    """Documented programs wait for `sync()` in the blocking API: the result gives itself."""
    result = ContextSyncResult("R", True)

    async def program():
        return await result

    assert asyncio.run(program()) is result
