"""Documented import path of what a session is created with."""

from agb._core.params import CreateSessionParams

__all__ = [
    "CreateSessionParams",
]
