"""The ends of a transfer on this machine, as far as the operations know them."""

from __future__ import annotations

from typing import Any, Protocol


class Clock(Protocol):
    """Tells the time of the colour; here and below, what is Any may have to be waited for."""

    def now(self) -> Any:  # noqa: ANN401
        """Return seconds of a clock that only goes forward."""
        ...


class Source(Clock, Protocol):
    """A file of this machine that is to be sent."""

    @property
    def md5(self) -> str:
        """The checksum of what was sent."""
        ...

    def open(self, path: str) -> Any:  # noqa: ANN401
        """Open it and return its size."""
        ...

    def put(self, url: str, content_type: str | None) -> Any:  # noqa: ANN401
        """Send it once and return the reply of the store."""
        ...


class Target(Clock, Protocol):
    """A file of this machine that is to be received."""

    @property
    def md5(self) -> str:
        """The checksum of what has come."""
        ...

    @property
    def received(self) -> int:
        """How much has come, in bytes."""
        ...

    def open(self, path: str) -> Any:  # noqa: ANN401
        """Make a file beside it that takes its place once it is whole."""
        ...

    def get(self, url: str) -> Any:  # noqa: ANN401
        """Receive what is missing and return the reply of the store."""
        ...

    def commit(self) -> Any:  # noqa: ANN401
        """Let it take its place."""
        ...
