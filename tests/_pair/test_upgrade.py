"""A request to switch protocols, where the answer is no."""

from __future__ import annotations

import gc

import httpx
import pytest

from agb._pair.upgrade import upgrade


@pytest.mark.parametrize("is_ours", [True, False])
def test_who_closes_the_client(is_ours):
    """A refusal is read whole; a client of ours ends with it, one of the program goes on."""
    transport = httpx.MockTransport(lambda request: httpx.Response(404, text="no"))
    with httpx.Client(transport=transport) as client:
        request = client.build_request("GET", "https://api.test/", timeout=30)

        response = upgrade(client, request, 30, is_ours=is_ours)
        text = response.text
        del response
        gc.collect()

        assert text == "no"
        assert client.is_closed == is_ours
