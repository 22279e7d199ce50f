"""Documented import path of the client."""

from agb._core.config import Config
from agb._sync.agb import AGB

__all__ = [
    "AGB",
    "Config",
]
