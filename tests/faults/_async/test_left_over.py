"""What a broken reply leaves behind is not taken for the reply to the next call."""

from __future__ import annotations

import pytest

from agb import AsyncAGB, Config


@pytest.mark.parametrize(
    "fault", ["promises a shorter body than it sends", "answers with another reply behind it"]
)
async def test_the_next_call_gets_its_own_reply(fault, serve):
    """A connection on which more came than a reply is closed; the next call has another."""
    server, endpoint = serve(fault, 1)
    async with AsyncAGB("test-key", Config(endpoint=endpoint), max_retries=0) as agb:
        await agb.get("s-1")

        after = await agb.get("s-1")

    assert after.error_message == ""
    assert after.session.session_id == "s-1"
    assert server.connections == 2
