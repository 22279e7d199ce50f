"""Documented import path of what a session is created with."""

from agb._core.sessions.params import BrowserContext, CreateSessionParams

__all__ = [
    "BrowserContext",
    "CreateSessionParams",
]
