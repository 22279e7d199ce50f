"""Documented import path of the HTTP side."""

from agb._async.client import AsyncClient
from agb._async.service import AsyncBaseService
from agb._sync.client import Client
from agb._sync.client import Client as HTTPClient
from agb._sync.service import BaseService

__all__ = [
    "AsyncBaseService",
    "AsyncClient",
    "BaseService",
    "Client",
    "HTTPClient",
]
