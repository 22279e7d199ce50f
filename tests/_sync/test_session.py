"""A session: its attributes, modules, accessors and description."""

from __future__ import annotations

import pytest

import agb.session
from agb import (
    BaseSession,
    Code,
    Command,
    CreateSessionParams,
    FileSystem,
    OperationResult,
    Session,
)

DESKTOP = {
    "appId": "app",
    "authCode": "auth",
    "connectionProperties": "{}",
    "resourceId": "res",
    "resourceType": "type",
    "ticket": "ticket",
}


def test_both_session_classes_have_their_documented_path():
    """S1: the session class is a subclass of the base class, and both import from agb.session."""
    assert issubclass(Session, BaseSession)
    assert agb.session.Session is Session
    assert agb.session.BaseSession is BaseSession


@pytest.mark.parametrize("kind", [BaseSession, Session])
def test_a_session_can_be_made_by_hand(kind, agb, service):
    """S2: both classes take a client and an id by position, and send nothing."""
    session = kind(agb, "sid")

    assert session.agb is agb
    assert session.session_id == "sid"
    assert service.requests == []


@pytest.mark.parametrize("session_id", [None, "", " ", 5, "\ud800"])
def test_a_session_needs_an_id(session_id, agb):
    """A session without a usable id can't be made by hand: its constructor raises ValueError."""
    with pytest.raises(ValueError, match="session_id"):
        Session(agb, session_id)


def test_a_session_adds_nothing_to_its_base():
    """S3: the session class has the public attributes of its base class and no other."""
    own = {name for name in dir(Session) if not name.startswith("_")}

    assert own == {name for name in dir(BaseSession) if not name.startswith("_")}


def test_the_session_id_is_the_one_given(agb):
    """S4: the id of a session is the text given at its construction."""
    assert Session(agb, "sid").session_id == "sid"


def test_the_resource_url_is_that_of_the_create_reply(agb):
    """S5: the resource URL of a created session is that of the reply, and empty by hand."""
    created = agb.create()

    assert created.session.resource_url == "https://res/s-1"
    assert Session(agb, "sid").resource_url == ""


def test_the_image_id_is_the_requested_one(agb):
    """S6: the image id of a session is that of its parameters, and empty if they have none."""
    imaged = agb.create(CreateSessionParams(image_id="agb-code-space-1"))
    plain = agb.create()

    assert imaged.session.image_id == "agb-code-space-1"
    assert plain.session.image_id == ""


def test_code_is_a_module_of_the_session(session):
    """S7: the session's code module is of its documented class, and points back."""
    assert isinstance(session.code, Code)
    assert session.code.session is session


def test_command_is_a_module_of_the_session(session):
    """S8: the session's command module is of its documented class, and points back."""
    assert isinstance(session.command, Command)
    assert session.command.session is session


def test_file_system_is_a_module_of_the_session(session):
    """S9: the session's file module is of its documented class, under its later name as well."""
    assert isinstance(session.file_system, FileSystem)
    assert session.file_system.session is session
    assert session.file is session.file_system


@pytest.mark.parametrize("image_id", [None, "", "agb-code-space-1", "agb-browser-use-1"])
@pytest.mark.parametrize("module", ["code", "command", "file_system"])
def test_every_session_has_every_module(module, image_id, agb):
    """S10: every image gives all three modules, and so does a session made by hand."""
    created = agb.create(CreateSessionParams(image_id=image_id))

    assert hasattr(created.session, module)
    assert hasattr(Session(agb, "sid"), module)


@pytest.mark.parametrize("module", ["code", "command", "file_system"])
def test_a_module_is_made_once(module, session):
    """S11: asking for a module again gives the same object."""
    assert getattr(session, module) is getattr(session, module)


@pytest.mark.parametrize("module", ["browser", "computer"])
def test_modules_outside_this_package_are_absent(module, session):
    """A module that this package does not have is no attribute, so hasattr says so."""
    assert not hasattr(session, module)


def test_info_describes_the_session(session, service):
    """S12: info gives a result whose data is read by index, after one request."""
    result = session.info()

    assert type(result) is OperationResult
    assert result.success is True
    assert result.data["session_id"] == "s-1"
    assert result.data["resource_url"] == "https://res/s-1"
    assert service.seen == ["/mcp/getMcpResource"]
    assert service.body() == {"sessionId": "s-1"}


def test_info_gives_the_values_of_the_service(session, service):
    """S13: the data of info has the values that the service sent."""
    service.on("/mcp/getMcpResource", service.ok({"sessionId": "other", "resourceUrl": "u"}))

    result = session.info()

    assert result.data.get("session_id") == "other"
    assert result.data.get("resource_url") == "u"


def test_info_hands_on_desktop_information(session, service):
    """S14: desktop information of the reply is in the data under its documented keys."""
    service.on("/mcp/getMcpResource", service.ok({"resourceUrl": "u", "desktopInfo": DESKTOP}))

    result = session.info()

    assert result.data == {
        "session_id": "s-1",
        "resource_url": "u",
        "app_id": "app",
        "auth_code": "auth",
        "connection_properties": "{}",
        "resource_id": "res",
        "resource_type": "type",
        "ticket": "ticket",
    }


def test_info_without_desktop_information_has_no_such_keys(session):
    """S15: without desktop information its keys are absent, not empty."""
    result = session.info()

    assert "app_id" not in result.data
    assert set(result.data) == {"session_id", "resource_url"}


def test_info_fails_when_the_service_does(session, service):
    """S16: a failure of the service is a failed result that keeps the request id."""
    service.on("/mcp/getMcpResource", service.refused("busy", requestId="R-16"))

    result = session.info()

    assert result.success is False
    assert result.error_message == "busy"
    assert result.request_id == "R-16"
    assert result.data is None


def test_get_api_key_is_the_key_of_the_client(session, service):
    """S17: get_api_key gives the client's key without a request."""
    assert session.get_api_key() == "test-key"
    assert service.requests == []


def test_get_session_id_is_the_session_id(session, service):
    """S18: get_session_id gives the session's id without a request."""
    assert session.get_session_id() == session.session_id == "s-1"
    assert service.requests == []


def test_get_client_is_the_client_of_the_owner(session, agb):
    """S19: get_client gives the same object as the owner's client attribute."""
    assert session.get_client() is agb.client


def test_a_session_shows_its_id(session):
    """The repr of a session has its class and its id."""
    assert repr(session) == f"{type(session).__name__}(session_id='s-1')"


def test_every_result_says_how_it_went(call, agb, session):
    """S69: the result of every call has success, request_id and error_message."""
    result = call(agb, session)

    assert type(result.success) is bool
    assert type(result.request_id) is str
    assert type(result.error_message) is str
    assert result.success == (result.error_message == "")
