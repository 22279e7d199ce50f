"""The fixtures of the server's tests, from `support`."""

from __future__ import annotations

from .support.pretending import api, fake_sandboxes, make_api
from .support.processes import family
from .support.real_sandboxes import beside, fresh, own_tool, refusal, sandboxes, shared, tool
from .support.servers import folder, server, start_server

__all__ = [
    "api",
    "beside",
    "fake_sandboxes",
    "family",
    "folder",
    "fresh",
    "make_api",
    "own_tool",
    "refusal",
    "sandboxes",
    "server",
    "shared",
    "start_server",
    "tool",
]
