"""The server's side of the sandboxes: `Sandboxes` opens them, a `Sandbox` is one that runs."""

from __future__ import annotations

from typing import Protocol

from agb.local.machine import MachineUnfit
from agb.local.settings import Settings

__all__ = [
    "MachineUnfit",
    "Sandbox",
    "SandboxError",
    "SandboxFactory",
    "SandboxGone",
    "Sandboxes",
    "ToolError",
]


class SandboxError(Exception):
    """The sandbox could not do it at all; the text is safe to show."""


class SandboxGone(SandboxError):
    """The sandbox has ended; says why if that is known."""


class ToolError(Exception):
    """The tool said no: a message for the user.

    Attributes:
        detail: Further facts, such as the output until then; often empty.
    """

    def __init__(self, message: str, detail: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.detail: dict[str, object] = detail or {}


class Sandbox(Protocol):
    """One session's sandbox."""

    async def call(
        self, method: str, params: dict[str, object], *, timeout_s: float
    ) -> dict[str, object]:
        """Do one operation inside; cancelling the awaiting task cancels the work inside."""
        ...

    async def aclose(self) -> None:
        """End all its processes and remove its files; may be called again."""
        ...


class SandboxFactory(Protocol):
    """Whatever opens sandboxes, on this machine or on others."""

    async def open(self, name: str) -> Sandbox:
        """Start one sandbox."""
        ...

    async def aclose(self) -> None:
        """End all sandboxes."""
        ...


class Sandboxes:
    """Opens sandboxes on this machine."""

    @classmethod
    async def start(cls, settings: Settings) -> Sandboxes:
        """Find out what the machine can do and get ready."""
        raise NotImplementedError

    async def open(self, name: str) -> Sandbox:
        """Start one sandbox."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """End all sandboxes."""
        raise NotImplementedError
