"""Documented import path of the HTTP side."""

from agb._async.client import AsyncClient
from agb._sync.client import Client
from agb._sync.client import Client as HTTPClient

__all__ = [
    "AsyncClient",
    "Client",
    "HTTPClient",
]
