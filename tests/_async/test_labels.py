"""The labels of a session."""

from __future__ import annotations

import json

import pytest

from agb import AsyncSession, LabelValidationError, OperationResult

FOUR = {"project": "demo", "stage": "test", "owner": "ada", "team": "blue"}


async def refused(session, service, labels):
    """Set labels that break a rule; return the message."""
    result = await session.set_labels(labels)

    assert type(result) is OperationResult
    assert result.success is False
    assert result.request_id == ""
    assert result.data is None
    assert type(result.exception) is LabelValidationError
    assert service.requests == []
    return result.error_message


async def test_labels_are_set(session, service):
    """S20: setting four pairs succeeds with the request id of the reply."""
    service.on("/sdk/SetLabel", service.ok(requestId="R-20"))

    result = await session.set_labels(FOUR)

    assert result == OperationResult("R-20", True, None, "")
    assert result.exception is None


async def test_setting_labels_is_one_request(session, service):
    """S21: exactly one request is sent, with the session id and the labels as JSON."""
    await session.set_labels(FOUR)

    assert service.seen == ["/sdk/SetLabel"]
    assert service.requests[0].method == "POST"
    assert service.query() == {"sessionId": "s-1", "Labels": json.dumps(FOUR)}
    assert service.requests[0].content == b"{}"


async def test_setting_labels_fails_when_the_service_does(session, service):
    """S22: a failure of the service gives its message and its request id."""
    service.on("/sdk/SetLabel", service.refused("too many labels", requestId="R-22"))

    result = await session.set_labels(FOUR)

    assert result.success is False
    assert result.error_message == "too many labels"
    assert result.request_id == "R-22"


async def test_an_empty_key_is_refused(session, service):
    """S23: an empty key fails without a request."""
    message = await refused(session, service, {"": "empty-key"})

    assert "Label keys cannot be empty" in message


async def test_an_empty_value_is_refused(session, service):
    """S24: an empty value fails without a request."""
    message = await refused(session, service, {"project": ""})

    assert "Label values cannot be empty" in message


async def test_a_missing_value_is_refused(session, service):
    """S25: None as a value fails without a request."""
    message = await refused(session, service, {"team": None})

    assert "Label values cannot be empty" in message


async def test_the_first_bad_pair_is_named(session, service):
    """S26: of three bad pairs the message is that of the first."""
    message = await refused(session, service, {"": "empty-key", "project": "", "team": None})

    assert "Label keys cannot be empty" in message
    assert "values" not in message


@pytest.mark.parametrize("labels", [{" \t": "value"}, {"key": " \n"}], ids=["key", "value"])
async def test_blank_text_is_refused(labels, session, service):
    """S27: a key or value of blanks only fails without a request."""
    message = await refused(session, service, labels)

    assert "cannot be empty" in message


@pytest.mark.parametrize(
    ("labels", "phrase"),
    [
        (None, "Labels cannot be null"),
        ([], "Labels cannot be an array"),
        ("x", "Labels cannot be null"),
        (5, "Labels cannot be null"),
        ({}, "Labels cannot be empty"),
    ],
    ids=repr,
)
async def test_what_is_no_label_set_is_refused(labels, phrase, session, service):
    """S28: what is no dict, or an empty one, fails without a request."""
    message = await refused(session, service, labels)

    assert phrase in message


async def test_one_bad_pair_spoils_all(session, service):
    """S29: one bad pair among good ones fails, and nothing is sent."""
    message = await refused(session, service, {**FOUR, "bad": "", "good": "yes"})

    assert "'bad'" in message


async def test_a_valid_set_of_three_is_taken(session):
    """S30: the documented valid set of three pairs succeeds."""
    result = await session.set_labels(
        {"project": "my-project", "environment": "production", "team": "backend"}
    )

    assert result.success is True


async def test_a_refused_set_changes_nothing(session):
    """S31: after labels were refused, those of before are still on the service."""
    await session.set_labels(FOUR)
    await session.set_labels({"": "empty-key"})

    labels = await session.get_labels()

    assert labels.data == FOUR


async def test_the_dict_of_the_caller_is_left_alone(session):
    """S32: the dict passed in is not modified."""
    given = dict(FOUR)

    await session.set_labels(given)

    assert given == FOUR


async def test_any_unicode_text_survives(session):
    """S33: labels in any script come back as they were set."""
    labels = {"проект": "démo ☃", "emoji": "🎉", 'quote"&+%': "a=b c\\d"}
    await session.set_labels(labels)

    result = await session.get_labels()

    assert result.data == labels


async def test_labels_are_read_as_a_dict(session, service):
    """S34: reading labels gives a result whose data is a dict with items, after one request."""
    await session.set_labels(FOUR)

    result = await session.get_labels()

    assert type(result) is OperationResult
    assert type(result.data) is dict
    assert list(result.data.items()) == list(FOUR.items())
    assert service.seen == ["/sdk/SetLabel", "/sdk/GetLabel"]
    assert service.query() == {"sessionId": "s-1"}


async def test_labels_read_are_labels_set(session):
    """S35: what was set is what is read."""
    await session.set_labels(FOUR)

    result = await session.get_labels()

    assert result.data == FOUR


async def test_setting_labels_replaces_all(session):
    """S36: keys of the first set that are not in the second are gone."""
    await session.set_labels(FOUR)
    await session.set_labels({"stage": "live"})

    result = await session.get_labels()

    assert result.data == {"stage": "live"}


async def test_no_labels_is_an_empty_dict(session):
    """S37: a session without labels gives a success with an empty dict."""
    result = await session.get_labels()

    assert result.success is True
    assert result.data == {}


async def test_labels_can_be_merged_and_set(session):
    """S38: the dict read can be spread into a new one, and that can be set."""
    await session.set_labels(FOUR)
    read = await session.get_labels()
    merged = {**read.data, "status": "processing"}

    result = await session.set_labels(merged)
    final = await session.get_labels()

    assert result.success is True
    assert final.data == {**FOUR, "status": "processing"}


async def test_reading_labels_fails_when_the_service_does(agb):
    """S39: the labels of a session that is not there are a failed result without data."""
    result = await AsyncSession(agb, "unknown").get_labels()

    assert result.success is False
    assert result.error_message == "session not found"
    assert result.data is None


@pytest.mark.parametrize("labels", ["[1]", "{", "5", 5])
async def test_labels_that_cannot_be_read_are_a_failure(labels, session, service):
    """Labels in the reply that are no JSON object give a failed result."""
    service.on("/sdk/GetLabel", service.ok({"labels": labels}))

    result = await session.get_labels()

    assert result.success is False
    assert "not a JSON object" in result.error_message
