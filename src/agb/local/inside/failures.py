"""How a tool says no."""

from __future__ import annotations


class ToolFailure(Exception):
    """The tool cannot do it; the message is for the user of the session."""


def describe(error: OSError) -> str:
    """Say what the system said, in the words everybody knows: `No such file …: '/tmp/x'`."""
    reason = error.strerror or str(error)
    names = [repr(name) for name in (error.filename, error.filename2) if name is not None]
    return f"{reason}: {' -> '.join(names)}" if names else reason
