"""Keeps httpx from logging addresses that are as good as a key.

httpx logs each request with its whole address. Those of calls hold no secret; a pre-signed address
of a file is one, and that of a stream may be.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_is_secret: ContextVar[bool] = ContextVar("agb_address_is_secret", default=False)


@contextmanager
def secret_address() -> Generator[None]:
    """Have httpx log nothing of the requests that this context makes."""
    logger = logging.getLogger("httpx")
    # Adding it again changes nothing.
    logger.addFilter(_may_be_logged)
    token = _is_secret.set(True)
    try:
        yield
    finally:
        _is_secret.reset(token)


def _may_be_logged(_record: logging.LogRecord) -> bool:
    return not _is_secret.get()
