"""The client: construction, creating, finding and listing sessions."""

from __future__ import annotations

import json

import pytest

import agb.session_params
from agb import (
    AGBError,
    AsyncAGB,
    AsyncSession,
    Config,
    CreateSessionParams,
    GetSessionResult,
    InvalidArgumentError,
    LabelValidationError,
    SessionError,
    SessionNotFoundError,
    SessionResult,
)


async def test_a_client_is_made_with_a_key():
    """S46: the client takes its key by keyword and keeps it, with the settings in use."""
    config = Config(endpoint="https://api.test", timeout_ms=5)

    client = AsyncAGB(api_key="a-key", cfg=config)

    assert client.api_key == "a-key"
    assert client.config is config
    assert (client.endpoint, client.timeout_ms) == ("https://api.test", 5)


def test_a_client_takes_key_and_settings_by_position():
    """The key and the settings are the two positional arguments of the client."""
    assert AsyncAGB("a-key", Config(endpoint="other.test")).endpoint == "other.test"


def test_a_client_reads_the_environment(no_settings, monkeypatch):
    """A client without arguments takes key, endpoint and time-out from the environment."""
    monkeypatch.setenv("AGB_API_KEY", "env-key")
    monkeypatch.setenv("AGB_ENDPOINT", "env.test")
    monkeypatch.setenv("AGB_TIMEOUT_MS", "1500")

    client = AsyncAGB()

    assert client.api_key == "env-key"
    assert (client.endpoint, client.timeout_ms) == ("env.test", 1500)


def test_a_client_without_a_key_is_refused(no_settings):
    """Without a key anywhere the constructor raises ValueError that says where to put it."""
    with pytest.raises(ValueError, match=r"API key is required.*AGB_API_KEY"):
        AsyncAGB()


def test_the_local_client_needs_no_key(no_settings):
    """The client of the embedded server has an empty key and the endpoint `local`."""
    client = AsyncAGB.local(timeout_ms=7)

    assert (client.endpoint, client.api_key, client.timeout_ms) == ("local", "", 7)


def test_a_client_shows_its_endpoint():
    """The repr of a client and of its HTTP side have class and endpoint."""
    client = AsyncAGB("a-key", Config(endpoint="api.test"))

    assert repr(client) == f"{type(client).__name__}(endpoint='api.test')"
    assert repr(client.client) == f"{type(client.client).__name__}(endpoint='api.test')"


def test_session_params_have_their_documented_path():
    """S47: the parameters import from agb.session_params and take an image id."""
    params = agb.session_params.CreateSessionParams(image_id="agb-code-space-1")

    assert params.image_id == "agb-code-space-1"
    assert params.labels == {}


async def test_create_gives_a_session(agb, service):
    """S48: creating gives a successful result with a session of that client."""
    result = await agb.create(CreateSessionParams(image_id="agb-code-space-1"))

    assert type(result) is SessionResult
    assert (result.success, result.error_message, result.request_id) == (True, "", "R")
    assert type(result.session) is AsyncSession
    assert result.session.session_id == "s-1"
    assert result.session.agb is agb
    assert service.query()["imageId"] == "agb-code-space-1"


async def test_create_works_without_arguments(agb, service):
    """Creating without parameters sends neither image nor labels."""
    result = await agb.create()

    assert result.success is True
    assert set(service.query()) == {"sdkStats"}
    assert service.body() == {}


async def test_create_fails_when_the_service_does(agb, service):
    """S49: a failed creation has no session, and a request id only if the service gave one."""
    service.on(
        "/mcp/createSession",
        service.ok({"success": False, "errMsg": "quota exceeded"}, requestId="R-49"),
        service.envelope(200, success=False, message="try later", requestId=""),
    )

    refused = await agb.create()
    anonymous = await agb.create()

    assert (refused.success, refused.session) == (False, None)
    assert (refused.error_message, refused.request_id) == ("quota exceeded", "R-49")
    assert type(refused.exception) is SessionError
    assert (anonymous.success, anonymous.session, anonymous.request_id) == (False, None, "")
    assert anonymous.error_message == "try later"


async def test_create_survives_a_broken_connection(nowhere):
    """S50: a transport failure is a failed result whose message names the cause."""
    async with AsyncAGB("test-key", Config(endpoint=nowhere)) as agb:
        result = await agb.create()

    assert (result.success, result.session, result.request_id) == (False, None, "")
    assert nowhere in result.error_message
    assert "ConnectError" in result.error_message


@pytest.mark.parametrize(
    "data", [None, {}, [], "x", {"sessionId": ""}, {"sessionId": " "}, {"sessionId": 5}], ids=repr
)
async def test_create_needs_a_session_id(data, agb, service):
    """A reply to create without a usable session id is a failed result."""
    service.on("/mcp/createSession", service.ok(data))

    result = await agb.create()

    assert result.success is False
    assert "no session id" in result.error_message


async def test_create_sends_labels(agb, service):
    """S51: the labels of the parameters are sent with the request, as JSON in the body."""
    labels = {"project": "demo", "имя": "☃"}

    await agb.create(CreateSessionParams(image_id="agb-code-space-1", labels=labels))

    assert service.seen == ["/mcp/createSession"]
    assert json.loads(service.body()["labels"]) == labels


async def test_labels_of_create_can_be_read(agb):
    """S52: the labels given at creation are the labels of the session."""
    created = await agb.create(CreateSessionParams(labels={"project": "demo"}))

    labels = await created.session.get_labels()

    assert labels.data == {"project": "demo"}


async def test_the_labelled_session_helper_works(agb):
    """S53: base labels and extra keyword labels can be merged in a helper of the program."""

    async def create_labelled(project, environment, **extra_labels):
        labels = {"project": project, "environment": environment, **extra_labels}
        params = CreateSessionParams(image_id="agb-code-space-1", labels=labels)
        return (await agb.create(params)).session

    session = await create_labelled("demo", "test", owner="ada", team="blue")
    labels = await session.get_labels()

    assert labels.data == {
        "project": "demo",
        "environment": "test",
        "owner": "ada",
        "team": "blue",
    }


@pytest.mark.parametrize("labels", [{"": "x"}, {"x": ""}, {5: "x"}, {"x": 5}, ["x"], "x"], ids=repr)
async def test_create_refuses_bad_labels(labels, agb, service):
    """Labels that break a rule make creation fail without a request."""
    result = await agb.create(CreateSessionParams(labels=labels))

    assert type(result.exception) is LabelValidationError
    assert service.requests == []


@pytest.mark.parametrize("params", [{"image_id": "x"}, "x", CreateSessionParams(image_id=5)])
async def test_create_refuses_what_are_no_params(params, agb, service):
    """Parameters of a wrong type make creation fail without a request."""
    result = await agb.create(params)

    assert type(result.exception) is InvalidArgumentError
    assert service.requests == []


async def test_get_finds_a_session(agb, service):
    """Getting a session by its id fills in what the service knows of it."""
    service.on(
        "/mcp/getSession",
        service.ok(
            {
                "sessionId": "s-7",
                "resourceUrl": "https://res/7",
                "appInstanceId": "app-7",
                "resourceId": "res-7",
                "vpcResource": True,
                "networkInterfaceIp": "10.0.0.7",
                "httpPort": "8080",
                "token": "tok-7",
            }
        ),
    )

    result = await agb.get("s-7")
    session = result.unwrap()

    assert type(session) is AsyncSession
    assert (session.session_id, session.image_id) == ("s-7", "")
    assert (session.resource_url, session.resource_id) == ("https://res/7", "res-7")
    assert (session.app_instance_id, session.vpc_resource) == ("app-7", True)
    assert (session.network_interface_ip, session.http_port) == ("10.0.0.7", "8080")
    assert session.token == "tok-7"
    assert service.body() == {"sessionId": "s-7"}


@pytest.mark.parametrize("data", [{"resourceUrl": "u"}, {"sessionId": 5}, {"sessionId": " "}])
async def test_get_keeps_the_id_it_was_asked_for(data, agb, service):
    """A found session whose reply has no usable id has the id that was asked for."""
    service.on("/mcp/getSession", service.ok(data))

    result = await agb.get("s-7")

    assert result.unwrap().session_id == "s-7"


@pytest.mark.parametrize("session_id", [None, "", " \t"])
async def test_get_needs_an_id(session_id, agb, service):
    """Getting a session by a blank id fails without a request."""
    result = await agb.get(session_id)

    assert (result.success, result.session) == (False, None)
    assert "session_id is required" in result.error_message
    assert service.requests == []


async def test_get_says_what_failed(agb):
    """A failed get says so, with the id and the reason of the service."""
    result = await agb.get("s-9")

    assert result.success is False
    assert result.error_message == "Failed to get session s-9: session not found"
    assert type(result.exception) is SessionNotFoundError


async def test_get_session_gives_the_raw_form(session, agb):
    """The raw form of get has status, code and data of the reply."""
    found = await agb.get_session("s-1")
    missing = await agb.get_session("s-9")

    assert type(found) is GetSessionResult
    assert (found.http_status_code, found.code, found.unwrap().session_id) == (200, "ok", "s-1")
    assert (missing.http_status_code, missing.code) == (400, "InvalidMcpSession.NotFound")
    assert missing.data is None


async def test_unwrap_raises_the_typed_error(agb):
    """Unwrapping a failed result raises its typed error."""
    result = await agb.get("s-9")

    with pytest.raises(AGBError, match="session not found") as caught:
        result.unwrap()

    assert caught.value is result.exception
