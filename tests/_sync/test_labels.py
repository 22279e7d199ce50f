"""The labels of a session."""

from __future__ import annotations

import json

import pytest

from agb import LabelValidationError, OperationResult, Session

FOUR = {"project": "demo", "stage": "test", "owner": "ada", "team": "blue"}


def refused(session, service, labels):
    """Set labels that break a rule; return the message."""
    result = session.set_labels(labels)

    assert type(result) is OperationResult
    assert result.success is False
    assert result.request_id == ""
    assert result.data is None
    assert type(result.exception) is LabelValidationError
    assert service.requests == []
    return result.error_message


def test_labels_are_set(session, service):
    """S20: setting four pairs succeeds with the request id of the reply."""
    service.on("/sdk/SetLabel", service.ok(requestId="R-20"))

    result = session.set_labels(FOUR)

    assert result == OperationResult("R-20", True, None, "")
    assert result.exception is None


def test_setting_labels_is_one_request(session, service):
    """S21: exactly one request is sent, with the session id and the labels as JSON."""
    session.set_labels(FOUR)

    assert service.seen == ["/sdk/SetLabel"]
    assert service.requests[0].method == "POST"
    assert service.query() == {"sessionId": "s-1", "Labels": json.dumps(FOUR)}
    assert service.requests[0].content == b"{}"


def test_setting_labels_fails_when_the_service_does(session, service):
    """S22: a failure of the service gives its message and its request id."""
    service.on("/sdk/SetLabel", service.refused("too many labels", requestId="R-22"))

    result = session.set_labels(FOUR)

    assert result.success is False
    assert result.error_message == "too many labels"
    assert result.request_id == "R-22"


def test_an_empty_key_is_refused(session, service):
    """S23: an empty key fails without a request."""
    message = refused(session, service, {"": "empty-key"})

    assert "Label keys cannot be empty" in message


def test_an_empty_value_is_refused(session, service):
    """S24: an empty value fails without a request."""
    message = refused(session, service, {"project": ""})

    assert "Label values cannot be empty" in message


def test_a_missing_value_is_refused(session, service):
    """S25: None as a value fails without a request."""
    message = refused(session, service, {"team": None})

    assert "Label values cannot be empty" in message


def test_the_first_bad_pair_is_named(session, service):
    """S26: of three bad pairs the message is that of the first."""
    message = refused(session, service, {"": "empty-key", "project": "", "team": None})

    assert "Label keys cannot be empty" in message
    assert "values" not in message


@pytest.mark.parametrize("labels", [{" \t": "value"}, {"key": " \n"}], ids=["key", "value"])
def test_blank_text_is_refused(labels, session, service):
    """S27: a key or value of blanks only fails without a request."""
    message = refused(session, service, labels)

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
def test_what_is_no_label_set_is_refused(labels, phrase, session, service):
    """S28: what is no dict, or an empty one, fails without a request."""
    message = refused(session, service, labels)

    assert phrase in message


def test_one_bad_pair_spoils_all(session, service):
    """S29: one bad pair among good ones fails, and nothing is sent."""
    message = refused(session, service, {**FOUR, "bad": "", "good": "yes"})

    assert "'bad'" in message


def test_a_valid_set_of_three_is_taken(session):
    """S30: the documented valid set of three pairs succeeds."""
    result = session.set_labels(
        {"project": "my-project", "environment": "production", "team": "backend"}
    )

    assert result.success is True


def test_a_refused_set_changes_nothing(session):
    """S31: after labels were refused, those of before are still on the service."""
    session.set_labels(FOUR)
    session.set_labels({"": "empty-key"})

    labels = session.get_labels()

    assert labels.data == FOUR


def test_the_dict_of_the_caller_is_left_alone(session):
    """S32: the dict passed in is not modified."""
    given = dict(FOUR)

    session.set_labels(given)

    assert given == FOUR


def test_any_unicode_text_survives(session):
    """S33: labels in any script come back as they were set."""
    labels = {"проект": "démo ☃", "emoji": "🎉", 'quote"&+%': "a=b c\\d"}
    session.set_labels(labels)

    result = session.get_labels()

    assert result.data == labels


def test_labels_are_read_as_a_dict(session, service):
    """S34: reading labels gives a result whose data is a dict with items, after one request."""
    session.set_labels(FOUR)

    result = session.get_labels()

    assert type(result) is OperationResult
    assert type(result.data) is dict
    assert list(result.data.items()) == list(FOUR.items())
    assert service.seen == ["/sdk/SetLabel", "/sdk/GetLabel"]
    assert service.query() == {"sessionId": "s-1"}


def test_labels_read_are_labels_set(session):
    """S35: what was set is what is read."""
    session.set_labels(FOUR)

    result = session.get_labels()

    assert result.data == FOUR


def test_setting_labels_replaces_all(session):
    """S36: keys of the first set that are not in the second are gone."""
    session.set_labels(FOUR)
    session.set_labels({"stage": "live"})

    result = session.get_labels()

    assert result.data == {"stage": "live"}


def test_no_labels_is_an_empty_dict(session):
    """S37: a session without labels gives a success with an empty dict."""
    result = session.get_labels()

    assert result.success is True
    assert result.data == {}


def test_labels_can_be_merged_and_set(session):
    """S38: the dict read can be spread into a new one, and that can be set."""
    session.set_labels(FOUR)
    read = session.get_labels()
    merged = {**read.data, "status": "processing"}

    result = session.set_labels(merged)
    final = session.get_labels()

    assert result.success is True
    assert final.data == {**FOUR, "status": "processing"}


def test_reading_labels_fails_when_the_service_does(agb):
    """S39: the labels of a session that is not there are a failed result without data."""
    result = Session(agb, "unknown").get_labels()

    assert result.success is False
    assert result.error_message == "session not found"
    assert result.data is None


@pytest.mark.parametrize("labels", ["[1]", "{", "5", 5])
def test_labels_that_cannot_be_read_are_a_failure(labels, session, service):
    """Labels in the reply that are no JSON object give a failed result."""
    service.on("/sdk/GetLabel", service.ok({"labels": labels}))

    result = session.get_labels()

    assert result.success is False
    assert "not a JSON object" in result.error_message
