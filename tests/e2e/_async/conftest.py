"""One client and one session of the embedded server for each test that asks for them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from agb import AsyncAGB, AsyncSession


@pytest.fixture
async def agb() -> AsyncIterator[AsyncAGB]:
    async with AsyncAGB.local() as client:
        yield client


@pytest.fixture
async def session(agb: AsyncAGB) -> AsyncIterator[AsyncSession]:
    async with agb.open_session() as opened:
        yield opened
