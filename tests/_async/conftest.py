"""A client and a session, connected to the service in this process."""

from __future__ import annotations

import pytest

from agb import AsyncAGB, AsyncSession, Config


@pytest.fixture
async def agb(service):
    """A client of `service`."""
    config = Config(endpoint="https://api.test")
    async with AsyncAGB("test-key", config, transport=service.transport) as client:
        yield client


@pytest.fixture
async def session(agb, service) -> AsyncSession:
    """A session of `service`, before any request that the test makes."""
    created = await agb.create()
    service.requests.clear()
    return created.unwrap()
