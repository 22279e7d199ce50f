"""The network of httpcore that connections are made on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpcore


def async_backend() -> Any:  # noqa: ANN401  (httpcore does not export the type)
    """Return the network that connections are made on."""
    import httpcore

    return httpcore.AnyIOBackend()


def backend() -> httpcore.NetworkBackend:
    """Return the network that connections are made on: one that keeps to deadlines."""
    from agb._io.deadlines import DeadlineBackend

    return DeadlineBackend()
