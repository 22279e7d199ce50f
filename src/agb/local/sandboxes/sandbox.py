"""A sandbox as the server sees it, wherever it runs, and what opens sandboxes."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import attrs

from ..inside.frames import Message

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ..machine.tiers import Isolation


@attrs.frozen
class Event:
    """What the agent tells of a request in flight.

    Attributes:
        content: One field: what it is, and its content.
        passed_on: To be called when it has gone where it belongs; the agent then sends another.
    """

    content: Message
    passed_on: Callable[[], None]


OnEvent = Callable[[Event], None]


class Sandbox(Protocol):
    """One session's sandbox, wherever it runs."""

    @property
    def volumes(self) -> Mapping[str, str]:
        """The directories of this machine, by their paths inside; the session may change them."""
        ...

    @property
    def workspace(self) -> str:
        """By what its files are found again; "" if they end with it."""
        ...

    async def call(
        self,
        method: str,
        params: dict[str, object],
        *,
        timeout_s: float,
        on_event: OnEvent | None = None,
    ) -> dict[str, object]:
        """Do one operation inside; cancelling the awaiting task cancels the work inside.

        Args:
            method: One of the agent's methods.
            params: Its parameters, JSON values.
            timeout_s: Seconds until the sandbox counts as silent.
            on_event: Takes what the method tells before it answers.

        Raises:
            ToolError: The tool said no.
            SandboxGone: The sandbox has ended.
            SandboxError: It could not do it at all.
        """
        ...

    async def connect(self, port: int) -> socket.socket:
        """Connect to a port that a program inside listens on.

        Args:
            port: The port.

        Returns:
            A TCP connection that does not block.

        Raises:
            ToolError: Nothing listens there; the message is for the user.
            SandboxGone: The sandbox has ended.
            SandboxError: It could not do it at all.
        """
        ...

    async def open(self, method: str, path: str) -> tuple[int, dict[str, object]]:
        """Have a file of the session opened for this process.

        Args:
            method: `open_file` to read it, `create_part` to write what shall take its place.
            path: The path, as the session means it.

        Returns:
            A descriptor, the caller's to close, and what else the agent says.

        Raises:
            ToolError: It can't be opened; the message is for the user.
            SandboxGone: The sandbox has ended.
            SandboxError: It could not do it at all.
        """
        ...

    async def end(self) -> None:
        """End all its processes; files that outlive it are kept."""
        ...

    async def aclose(self) -> None:
        """End all its processes and remove its files; may be called again."""
        ...


class SandboxFactory(Protocol):
    """What opens sandboxes, on this machine or on others."""

    @property
    def isolation(self) -> Isolation:
        """How well they are kept from the machine they run on."""
        ...

    async def open(self, name: str, volumes: Sequence[str] = ()) -> Sandbox:
        """Start one sandbox.

        Args:
            name: What the log calls it.
            volumes: Paths inside that become empty directories of their own.
        """
        ...

    def restore(
        self, name: str, volumes: Sequence[str], workspace: str, after: Sandbox | None = None
    ) -> Sandbox:
        """Give a sandbox that is started with its files of before, at its first call.

        Args:
            name: What the log calls it.
            volumes: The same paths as before.
            workspace: By what its files are found.
            after: The one that had the files before; it is ended first.
        """
        ...

    async def keep_only(self, workspaces: Collection[str]) -> None:
        """Remove the files of all sandboxes but these."""
        ...

    def why_not_a_volume(self, path: str) -> str:
        """Say why a path inside can't become a volume; "" if it can."""
        ...

    async def aclose(self) -> None:
        """End all sandboxes; files that outlive them are kept."""
        ...
