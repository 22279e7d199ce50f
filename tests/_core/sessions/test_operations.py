"""Creating, finding, listing, describing and labelling sessions."""

import pytest

from agb._core.exceptions import (
    AGBError,
    APIConnectionError,
    APIError,
    AuthenticationError,
    InvalidArgumentError,
    SessionError,
    SessionNotFoundError,
)
from agb._core.sessions import deletion, labelling, listing
from agb._core.sessions import operations as sessions
from agb._core.sessions.params import CreateSessionParams

from ..scripted import FAILURE, REFUSED_KEY, assert_refused, envelope, play

CONNECTION_LOST = APIConnectionError("connection refused by 127.0.0.1")
EVERY_OPERATION = [
    lambda: sessions.create(CreateSessionParams()),
    lambda: sessions.get("s-1"),
    lambda: listing.list_page(None, None, None),
    lambda: sessions.info("s-1"),
    lambda: labelling.set_labels("s-1", {"a": "b"}),
    lambda: labelling.get_labels("s-1"),
    lambda: deletion.delete("s-1", sync_context=False),
]
FULL = {
    "sessionId": "s-1",
    "appInstanceId": "ai-1",
    "resourceId": "r-1",
    "resourceUrl": "https://res/1",
    "networkInterfaceIp": "10.0.0.1",
    "httpPort": "8080",
    "token": "tk",
    "vpcResource": True,
}


@pytest.mark.parametrize("operation", EVERY_OPERATION)
@pytest.mark.parametrize(
    ("answer", "message", "kind", "request_id"),
    [
        (FAILURE, "session not found", SessionNotFoundError, "R"),
        (REFUSED_KEY, "bad key", AuthenticationError, "R"),
        (CONNECTION_LOST, "connection refused by 127.0.0.1", APIConnectionError, ""),
    ],
)
def test_failure_is_a_result_with_message_type_and_request_id(
    operation, answer, message, kind, request_id
):
    """What the server or the network did is a failed result that names it, never an exception."""
    result = play(operation(), answer).result

    assert result.success is False
    assert message in result.error_message
    assert type(result.exception) is kind
    assert result.request_id == request_id


def test_create_gives_what_the_reply_says():
    """A created session is described by the reply; numbers as ports become text."""
    result = play(
        sessions.create(CreateSessionParams()), envelope({**FULL, "httpPort": 8080})
    ).result

    assert result.success
    assert (result.http_status_code, result.code) == (200, "ok")
    assert result.data.session_id == "s-1"
    assert result.data.resource_url == "https://res/1"
    assert result.data.http_port == "8080"


def test_create_without_details_has_empty_ones():
    """Everything but the session id is optional in the reply to create."""
    data = play(
        sessions.create(CreateSessionParams()), envelope({"sessionId": "s-1"})
    ).result.unwrap()

    assert (data.resource_url, data.token, data.http_port, data.vpc_resource) == ("", "", "", False)
    assert data.success is True


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"success": False, "errMsg": "quota exceeded"}, "quota exceeded"),
        ({"success": False, "errMsg": "quota exceeded", "sessionId": "s-1"}, "quota exceeded"),
        ({"success": False}, "did not create the session"),
        ({"success": True}, "no session id"),
        ({"sessionId": ""}, "no session id"),
        ({"sessionId": " "}, "no session id"),
        ({"sessionId": None}, "no session id"),
        ({"sessionId": 5}, "no session id"),
        ({}, "no session id"),
        (None, "no session id"),
    ],
)
def test_t01_create_needs_a_session_id_and_no_refusal(data, message):
    """`data.success: false`, or no usable session id, is a failed creation (T1)."""
    result = play(sessions.create(CreateSessionParams()), envelope(data)).result

    assert result.success is False
    assert message in result.error_message
    assert type(result.exception) is SessionError
    assert result.request_id == "R"


def test_t01_create_ignores_a_session_id_in_a_failed_envelope():
    """A session id does not outweigh `success: false` of the envelope (T1)."""
    answer = envelope({"sessionId": "s-1"}, success=False, message="no")

    assert play(sessions.create(CreateSessionParams()), answer).result.error_message == "no"


@pytest.mark.parametrize("params", [None, {}, "agb-code-space-1"])
def test_create_refuses_params_of_another_type(params):
    """Params of another type fail without a request."""
    assert_refused(play(sessions.create(params)), "CreateSessionParams")


@pytest.mark.parametrize("image_id", [5, b"x", "\ud800"])
def test_create_refuses_an_image_that_is_no_text(image_id):
    """An image id that is no text fails without a request."""
    assert_refused(play(sessions.create(CreateSessionParams(image_id=image_id))), "image_id")


def test_create_takes_an_empty_image_for_none():
    """An empty image id is no image."""
    played = play(sessions.create(CreateSessionParams(image_id="")), envelope({"sessionId": "s-1"}))

    assert "imageId" not in played.calls[0].query


def test_params_keep_a_copy_of_their_labels():
    """`CreateSessionParams(labels, image_id)` stores labels as a copy, `{}` if there are none."""
    labels = {"a": "b"}
    params = CreateSessionParams(labels, "image")
    labels["c"] = "d"

    assert (params.labels, params.image_id) == ({"a": "b"}, "image")
    assert CreateSessionParams() == CreateSessionParams(labels={}, image_id=None)
    assert CreateSessionParams().labels == {}


def test_get_gives_what_the_service_knows():
    """`get` reads every field of the session's data."""
    data = play(sessions.get("s-1"), envelope(FULL)).result.unwrap()

    assert data.session_id == "s-1"
    assert data.app_instance_id == "ai-1"
    assert data.resource_id == "r-1"
    assert data.resource_url == "https://res/1"
    assert data.network_interface_ip == "10.0.0.1"
    assert data.http_port == "8080"
    assert data.token == "tk"
    assert data.vpc_resource is True
    assert data.success is True


def test_get_without_an_id_in_the_reply_keeps_the_one_asked_for():
    """A reply that does not repeat the session id is about the session asked for."""
    result = play(sessions.get("s-1"), envelope({"status": "RUNNING", "sessionId": None})).result

    assert result.data.session_id == "s-1"


@pytest.mark.parametrize("session_id", [None, "", "  "])
def test_get_requires_a_session_id(session_id):
    """A missing or blank session id fails without a request."""
    assert_refused(play(sessions.get(session_id)), "session_id is required")


@pytest.mark.parametrize("session_id", [5, b"s-1", "\ud800"])
def test_get_refuses_a_session_id_that_is_no_text(session_id):
    """A session id that is no text fails without a request."""
    assert_refused(play(sessions.get(session_id)), "session_id")


@pytest.mark.parametrize("answer", [FAILURE, CONNECTION_LOST, envelope(None), envelope([])])
def test_get_says_which_session_it_failed_to_find(answer):
    """A failed `get` names the session; status, code and request id stay."""
    result = play(sessions.get("s-1"), answer).result

    assert "Failed to get session s-1: " in result.error_message
    assert isinstance(result.exception, AGBError)
    assert isinstance(result.exception.__cause__, AGBError)
    assert result.data is None
    if answer is FAILURE:
        assert result.http_status_code == 400
        assert result.code == "InvalidMcpSession.NotFound"
        assert result.exception.request_id == "R"


def test_info_without_desktop_has_two_keys():
    """Without desktop information `info` has only the session id and the resource URL."""
    answer = envelope({"sessionId": "s-1", "resourceUrl": "https://res/1", "desktopInfo": None})

    data = play(sessions.info("s-1"), answer).result.unwrap()

    assert data == {"session_id": "s-1", "resource_url": "https://res/1"}


def test_info_has_the_tier_of_isolation_if_it_is_sent():
    """A server that says how it isolates sessions is repeated; a value that is no text is not."""
    said = play(sessions.info("s-1"), envelope({"isolation": "full"})).result
    garbage = play(sessions.info("s-1"), envelope({"isolation": ["full"]})).result

    assert said.unwrap() == {"session_id": "s-1", "resource_url": "", "isolation": "full"}
    assert garbage.unwrap() == {"session_id": "s-1", "resource_url": ""}


def test_info_with_desktop_has_its_keys():
    """Desktop information appears under the documented keys, and only what was sent."""
    desktop = {
        "appId": "app",
        "authCode": "ac",
        "connectionProperties": "{}",
        "resourceId": "r",
        "resourceType": "t",
        "ticket": "tk",
        "unknown": "x",
    }

    data = play(sessions.info("s-1"), envelope({"sessionId": "s-1", "desktopInfo": desktop})).result
    partial = play(sessions.info("s-1"), envelope({"desktopInfo": {"appId": "app"}})).result

    assert data.unwrap() == {
        "session_id": "s-1",
        "resource_url": "",
        "app_id": "app",
        "auth_code": "ac",
        "connection_properties": "{}",
        "resource_id": "r",
        "resource_type": "t",
        "ticket": "tk",
    }
    assert partial.data == {"session_id": "s-1", "resource_url": "", "app_id": "app"}


@pytest.mark.parametrize("data", [None, {}, [], "x"])
def test_info_without_data_fails(data):
    """A reply without resource data is a failed `info`."""
    result = play(sessions.info("s-1"), envelope(data)).result

    assert result.success is False
    assert result.data is None
    assert "No resource data found" in result.error_message
    assert type(result.exception) is APIError


@pytest.mark.parametrize(
    ("data", "labels"),
    [
        ({"labels": '{"a": "b c"}'}, {"a": "b c"}),
        ({"labels": {"a": "b c"}}, {"a": "b c"}),
        ({"labels": '{"\\u00e9": "語"}'}, {"é": "語"}),
        ({"labels": "{}"}, {}),
        ({"labels": ""}, {}),
        ({"labels": None}, {}),
        ({}, {}),
        (None, {}),
    ],
)
def test_t05_get_labels_reads_a_json_text_or_an_object(data, labels):
    """Labels come as JSON text or as an object; none is `{}` with success (T5)."""
    result = play(labelling.get_labels("s-1"), envelope(data)).result

    assert result.success
    assert result.unwrap() == labels


@pytest.mark.parametrize("labels", ["no json", "[]", "5", ["a"], 5, '"text"'])
def test_get_labels_that_make_no_sense_fail(labels):
    """Labels that can't be read are a failed result with no data."""
    result = play(labelling.get_labels("s-1"), envelope({"labels": labels})).result

    assert result.success is False
    assert result.data is None
    assert result.error_message


def test_set_labels_leaves_the_dict_alone():
    """`set_labels` succeeds with no data, and does not change what it was given."""
    labels = {"a": " b "}

    played = play(labelling.set_labels("s-1", labels), envelope(None))

    assert played.result.success
    assert played.result.data is None
    assert labels == {"a": " b "}
    assert played.calls[0].query["Labels"] == '{"a": " b "}'


def test_wrong_argument_is_a_value_error_in_the_result():
    """The error of a wrong argument is both an `AGBError` and a `ValueError`."""
    exception = play(sessions.get("")).result.exception

    assert isinstance(exception, InvalidArgumentError)
    assert isinstance(exception, ValueError)
