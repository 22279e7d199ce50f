"""One request and its whole reply, over a transport of the program."""

from __future__ import annotations

import httpx
import pytest

from agb._pair.exchange import exchange


@pytest.fixture
def client():
    """A client whose transport is no network, so that no wait of it can be cut short."""
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=b"whole"))
    with httpx.Client(transport=transport) as client:
        yield client


def test_a_reply_in_time(client):
    """The reply comes with its whole body."""
    request = client.build_request("GET", "https://api.test/", timeout=30)

    response, content = exchange(client, request, 30)

    assert (response.status_code, content) == (200, b"whole")


def test_a_reply_whose_time_is_over(client):
    """The clock is looked at after each part that comes."""
    request = client.build_request("GET", "https://api.test/", timeout=30)

    with pytest.raises(TimeoutError):
        exchange(client, request, 0)
