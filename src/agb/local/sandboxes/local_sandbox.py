"""One sandbox on this machine, from the server's side."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from typing import TYPE_CHECKING

from ..failures import SandboxError, SandboxGone, ToolError
from ..machine.bubblewrap import Bubblewrap
from ..machine.host import Host
from ..machine.workspaces import Workspace, Workspaces
from .connection import Connection
from .descriptors import Descriptors, NotHandedOut, as_connection, is_content
from .overruns import Overruns
from .sandbox import OnEvent
from .spawning import Spawning
from .warming import Warming

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from ..settings import Settings
    from .spawning import Ended

logger: logging.Logger = logging.getLogger(__name__)


class StartFailed(Exception):
    """A sandbox did not start; the text is what bubblewrap said, with this machine's paths."""


class LocalSandbox:
    """A sandbox on this machine."""

    def __init__(
        self,
        number: int,
        name: str,
        spawning: Spawning,
        settings: Settings,
        workspace: Workspace,
        workspaces: Workspaces | None,
        warming: Warming,
    ) -> None:
        self._number = number
        self.name = name
        self._spawning = spawning
        self._settings = settings
        self._workspace = workspace
        self._workspaces = workspaces
        self._warming = warming
        self.is_warm: bool = False
        """Whether its Python has been started, or is just being."""
        self._connection = Connection(settings, self.condemn)
        self._descriptors = Descriptors()
        self._overruns = Overruns(settings, ())
        self._end: asyncio.Future[Ended] | None = None
        self.volumes: Mapping[str, str] = {}
        self._running = False

    @property
    def alive(self) -> bool:
        """False once it has ended."""
        return self._connection.gone is None

    @property
    def workspace(self) -> str:
        """By what its files are found again; "" if they end with it."""
        return self._workspace.name

    async def start(
        self, host: Host, bubblewrap: Bubblewrap, volumes: Sequence[str], notice: str
    ) -> None:
        """Start bubblewrap and the agent in it.

        Args:
            host: This machine.
            bubblewrap: The program to start.
            volumes: Paths inside that become directories of their own.
            notice: What the first cell is to be told, or "".

        Raises:
            StartFailed: It did not answer.
        """
        params = {**host.recipe.start_parameters(self._workspace.home), "notice": notice}
        try:
            await self._begin(host, bubblewrap, volumes)
            await self._connection.call("start", params, self._settings.start_timeout_s)
        except (SandboxError, ToolError) as error:
            await self.end()
            told = self._end.result().errors if self._end and self._end.done() else ""
            raise StartFailed(told) from error
        except BaseException:
            self._descriptors.close()
            self.condemn()
            raise
        self._running = True

    async def _begin(self, host: Host, bubblewrap: Bubblewrap, volumes: Sequence[str]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._descriptors.hand_over(ours)
            await self._connection.open(ours)
            binds = self._workspace.volumes(volumes)
            message = host.start_message(self._number, bubblewrap, self._workspace, binds)
            self.volumes = {bind.target: bind.source for bind in binds}
            self._overruns = Overruns(self._settings, host.counters(self._number))
            self._end = self._spawning.open(self._number, theirs, message)
        self._end.add_done_callback(self._ended)

    async def call(
        self,
        method: str,
        params: dict[str, object],
        *,
        timeout_s: float,
        on_event: OnEvent | None = None,
    ) -> dict[str, object]:
        """Do one operation inside; see `Sandbox.call`."""
        if params.get("language") == "python" and not self.is_warm:
            self.is_warm = True
            await self._warming.before_first_cell(self)
        before = self._overruns.read()
        self._overruns.refuse(method, before)
        try:
            result = await self._connection.call(method, params, timeout_s, on_event)
        except ToolError as error:
            raise self._overruns.explained(error, before) from None
        return self._overruns.explain(result, before)

    async def connect(self, port: int) -> socket.socket:
        """Connect to a port that a program inside listens on; see `Sandbox.connect`."""
        with self._descriptors.expect() as number, self._believing_nothing():
            params: dict[str, object] = {"port": port, "number": number}
            await self._connection.call("connect_port", params, self._settings.file_timeout_s)
            return as_connection(self._descriptors.take(number))

    async def open(self, method: str, path: str) -> tuple[int, dict[str, object]]:
        """Have a file opened; see `Sandbox.open`."""
        self._overruns.refuse(method, self._overruns.read())
        with self._descriptors.expect() as number, self._believing_nothing():
            params: dict[str, object] = {"path": path, "number": number}
            result = await self._connection.call(method, params, self._settings.file_timeout_s)
            descriptor = self._descriptors.take(number)
        if not is_content(descriptor):
            os.close(descriptor)
            raise ToolError(f"Not a file with content of its own: {path!r}")
        return descriptor, result

    async def aclose(self) -> None:
        """End all its processes and remove its files; may be called again."""
        await self.end()
        if self._workspaces is not None and self.workspace:
            await self._workspaces.remove(self.workspace)

    async def end(self) -> None:
        """End all its processes; files that outlive it are kept."""
        self._running = False
        self._descriptors.close()
        self._connection.close("This session has been closed")
        self._overruns.close()
        self.condemn()
        if self._end is not None:
            # Shielded by `wait`: the end is the same for everybody who waits for it.
            await asyncio.wait({self._end}, timeout=self._settings.close_timeout_s)

    @contextlib.contextmanager
    def _believing_nothing(self) -> Generator[None]:
        """Give up an agent that hands out something else than it says."""
        try:
            yield
        except NotHandedOut as error:
            self._connection.misbehaved(str(error))
            raise SandboxGone(str(self._connection.gone)) from error

    def _ended(self, end: asyncio.Future[Ended]) -> None:
        """Tell whoever waits for an answer that none will come."""
        self._descriptors.close()
        ended = end.result()
        if self._running and not self._spawning.closing:
            # Sessions may write there too: shown as one quoted line.
            logger.warning(
                "the processes of %s ended by themselves (status %s): %r",
                self.name,
                ended.status,
                ended.errors,
            )
        if ended.status is None:
            reason = "the process that starts sandboxes was killed"
        else:
            reason = "its first process was killed or has crashed"
        self._connection.close(f"This session has ended: {reason}")
        if self._spawning.closing:
            # The server ends, and with it whoever could still ask for the files.
            self._descriptors.close()
            self._overruns.close()

    def condemn(self) -> None:
        """Have the spawner kill it; needs no waiting."""
        if self._end is not None and not self._end.done():
            self._spawning.close(self._number)
