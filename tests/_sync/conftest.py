"""A client and a session, connected to the service in this process."""

from __future__ import annotations

import pytest

from agb import AGB, Config, Session


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
