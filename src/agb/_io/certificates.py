"""What this process knows of certificates."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl


@cache
def ssl_context() -> ssl.SSLContext:
    """Return the certificates to trust, read once: that takes longer than many calls."""
    import httpx

    return httpx.create_ssl_context()
