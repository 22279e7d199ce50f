"""Documented import path of the base of the modules."""

from agb._async.service import AsyncBaseService
from agb._sync.service import BaseService

__all__ = [
    "AsyncBaseService",
    "BaseService",
]
