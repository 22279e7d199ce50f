"""What a broken reply leaves behind is not taken for the reply to the next call."""

from __future__ import annotations

import pytest

from agb import AGB, Config


@pytest.mark.parametrize(
    "fault", ["promises a shorter body than it sends", "answers with another reply behind it"]
)
def test_the_next_call_gets_its_own_reply(fault, serve):
    """A connection on which more came than a reply is closed; the next call has another."""
    server, endpoint = serve(fault, 1)
    with AGB("test-key", Config(endpoint=endpoint), max_retries=0) as agb:
        agb.get("s-1")

        after = agb.get("s-1")

    assert after.error_message == ""
    assert after.session.session_id == "s-1"
    assert server.connections == 2
