"""A client and a session, connected to the service in this process."""

from __future__ import annotations

import pytest

from agb import AGB, Config, CreateSessionParams, Session


@pytest.fixture
def agb(service):
    """A client of `service`."""
    config = Config(endpoint="https://api.test")
    with AGB("test-key", config, transport=service.transport) as client:
        yield client


@pytest.fixture
def session(agb, service) -> Session:
    """A session of `service`, before any request that the test makes."""
    created = agb.create()
    service.requests.clear()
    return created.unwrap()


CALLS = {
    "create": lambda agb, session: agb.create(CreateSessionParams(image_id="agb-code-space-1")),
    "get": lambda agb, session: agb.get(session.session_id),
    "get_session": lambda agb, session: agb.get_session(session.session_id),
    "list": lambda agb, session: agb.list({"project": "demo"}),
    "agb.delete": lambda agb, session: agb.delete(session),
    "delete": lambda agb, session: session.delete(),
    "info": lambda agb, session: session.info(),
    "set_labels": lambda agb, session: session.set_labels({"project": "demo"}),
    "get_labels": lambda agb, session: session.get_labels(),
    "run_code": lambda agb, session: session.code.run_code("print(1)", "python"),
    "execute_command": lambda agb, session: session.command.execute_command("ls -la"),
    "read_file": lambda agb, session: session.file_system.read_file("/tmp/a"),
    "write_file": lambda agb, session: session.file_system.write_file("/tmp/a", "text"),
}


@pytest.fixture(params=CALLS.values(), ids=CALLS)
def call(request):
    """One call of the API after the other, as a function of the client and a session."""
    return request.param
