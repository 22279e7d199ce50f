"""One client and one session of the embedded server for each test that asks for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agb import AGB, Session


@pytest.fixture
def agb() -> Iterator[AGB]:
    with AGB.local() as client:
        yield client


@pytest.fixture
def session(agb: AGB) -> Iterator[Session]:
    with agb.open_session() as opened:
        yield opened
