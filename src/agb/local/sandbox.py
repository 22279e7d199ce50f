"""The server's side of the sandboxes: `Sandboxes` opens them, a `Sandbox` is one that runs."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import socket
from typing import TYPE_CHECKING, Protocol

from attrs import evolve

from . import bare_recipe, tiers
from .connection import Connection, OnEvent
from .descriptors import Descriptors, NotHandedOut, as_connection, is_content
from .diagnosis import Attempt, explain
from .failures import SandboxError, SandboxGone, ToolError
from .host import Host
from .machine import Bubblewrap, Facts, MachineUnfit, bubblewraps, check, check_kernel
from .overruns import Overruns
from .restored import NOTICE, RestoredSandbox
from .spares import Spares
from .spawning import SpawnerFailed, Spawning
from .warming import Warming
from .workspaces import Workspace, Workspaces

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Mapping, Sequence

    from .settings import Settings
    from .spawning import Ended
    from .state_folder import StateFolder
    from .tiers import Isolation

__all__ = [
    "MachineUnfit",
    "Sandbox",
    "SandboxError",
    "SandboxFactory",
    "SandboxGone",
    "Sandboxes",
    "ToolError",
]

logger: logging.Logger = logging.getLogger(__name__)


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


class _StartFailed(Exception):
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
        self._has_run_cells = False
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
            _StartFailed: It did not answer.
        """
        params = {**host.recipe.start_parameters(self._workspace.home), "notice": notice}
        try:
            await self._begin(host, bubblewrap, volumes)
            await self._connection.call("start", params, self._settings.start_timeout_s)
        except (SandboxError, ToolError) as error:
            await self.end()
            told = self._end.result().errors if self._end and self._end.done() else ""
            raise _StartFailed(told) from error
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
        if method == "run_code" and not self._has_run_cells:
            self._has_run_cells = True
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


class Sandboxes:
    """Opens sandboxes on this machine."""

    def __init__(self, settings: Settings, host: Host, folder: StateFolder | None) -> None:
        """Use `Sandboxes.start`."""
        self._settings = settings
        self._host = host
        self._lock = None if folder is None else folder.lock
        self._workspaces = None if folder is None else Workspaces(folder.workspaces)
        self._numbers = itertools.count(1)
        self._spawning: Spawning | None = None
        self._restarting = asyncio.Lock()
        self._replacing: asyncio.Task[None] | None = None
        self._bubblewrap: Bubblewrap | None = None
        self._warming = Warming(settings)
        self._spares = Spares(
            self._make_spare, wanted=settings.spare_sandboxes, pause_s=settings.spare_pause_s
        )
        self._closed = False

    @classmethod
    async def start(cls, settings: Settings, folder: StateFolder | None = None) -> Sandboxes:
        """Find out what the machine can do, and get ready to open sandboxes.

        Call it from the server's main thread.

        Args:
            settings: The limits and paths.
            folder: Where files outlive their sandboxes; None if they do not.

        Raises:
            MachineUnfit: The machine cannot run sandboxes.
        """
        facts = Facts.read()
        bare = settings.isolation == tiers.NONE
        if bare:
            logger.warning("%s", bare_recipe.warning())
            check_kernel(facts)
        else:
            check(facts)
        candidates = [] if bare else bubblewraps(settings.bwrap)
        if folder is not None:
            settings = evolve(settings, directory=folder.run)
        host = Host.prepare(settings, facts, candidates)
        self = cls(settings, host, folder)
        try:
            if bare:
                candidates = [bare_recipe.starter(host.state)]
            await self._choose(facts, candidates)
        except BaseException:
            await self.aclose()
            raise
        return self

    async def open(self, name: str, volumes: Sequence[str] = ()) -> LocalSandbox:
        """Start one sandbox.

        Args:
            name: What the log calls it.
            volumes: Paths inside that become empty directories of their own.

        Raises:
            SandboxError: It could not be started.
        """
        spare = None if volumes else self._spares.take()
        if spare is not None:
            spare.name = name
            return spare
        sandbox = await self._open_new(name, volumes)
        self._warming.begin(sandbox)
        return sandbox

    async def _make_spare(self) -> LocalSandbox:
        sandbox = await self._open_new("spare")
        try:
            if self._warming.wants(sandbox):
                await self._warming.warm(sandbox, self._settings.preloaded_modules)
        except BaseException:
            sandbox.condemn()
            raise
        return sandbox

    async def _open_new(self, name: str, volumes: Sequence[str] = ()) -> LocalSandbox:
        if self._workspaces is None:
            return await self._open(name, volumes)
        try:
            workspace = self._workspaces.make()
        except OSError as error:
            raise SandboxError(f"There is no room for another session: {error.strerror}") from error
        try:
            return await self._open(name, volumes, workspace)
        except BaseException:
            await self._workspaces.remove(workspace.name)
            raise

    def restore(
        self, name: str, volumes: Sequence[str], workspace: str, after: Sandbox | None = None
    ) -> RestoredSandbox:
        """Give a sandbox that is started at its first call; see `SandboxFactory.restore`."""
        assert self._workspaces is not None
        place = self._workspaces.find(workspace)

        async def open_again() -> Sandbox:
            if after is not None:
                await after.end()
            sandbox = await self._open(name, volumes, place, NOTICE)
            self._warming.begin(sandbox)
            return sandbox

        directories = {bind.target: bind.source for bind in place.volumes(volumes)}
        return RestoredSandbox(workspace, directories, open_again, self._workspaces.remove)

    async def keep_only(self, workspaces: Collection[str]) -> None:
        """Remove the files of all sandboxes but these."""
        if self._workspaces is not None:
            await self._workspaces.keep_only(workspaces)

    async def _open(
        self,
        name: str,
        volumes: Sequence[str],
        workspace: Workspace | None = None,
        notice: str = "",
    ) -> LocalSandbox:
        """Start one sandbox, in a workspace that outlives it or in one of its own."""
        assert self._bubblewrap is not None
        try:
            with self._warming.held_back():
                return await self._start_one(name, self._bubblewrap, volumes, workspace, notice)
        except (SpawnerFailed, _StartFailed) as error:
            # The text names paths of this machine: it is for the log of this machine only.
            logger.warning("%s did not start: %s", name, error)
            raise SandboxError("The session did not start; the server's log says why") from None

    @property
    def isolation(self) -> Isolation:
        """How well they are kept from this machine."""
        return self._host.isolation

    @property
    def bubblewrap(self) -> str:
        """The program that starts them."""
        assert self._bubblewrap is not None
        return self._bubblewrap.path

    @property
    def directory(self) -> str:
        """A directory of this machine that ends with the server."""
        return self._host.state

    def why_not_a_volume(self, path: str) -> str:
        """Say why a path inside can't become a volume; "" if it can."""
        return self._host.recipe.why_not_a_volume(path)

    async def aclose(self) -> None:
        """End all sandboxes; may be called again."""
        self._closed = True
        self._warming.stop()
        await self._spares.aclose()
        async with self._restarting:
            spawning, self._spawning = self._spawning, None
        if spawning is not None:
            await spawning.aclose(self._settings.close_timeout_s)
        self._host.remove()

    async def _choose(self, facts: Facts, candidates: Sequence[Bubblewrap]) -> None:
        """Take the first bubblewrap that really starts a sandbox."""
        attempts: list[Attempt] = []
        for candidate in candidates:
            try:
                sandbox = await self._start_one("trial", candidate)
            except SpawnerFailed as error:
                raise MachineUnfit(self._host.unreachable(str(error))) from error
            except _StartFailed as error:
                attempts.append(Attempt(bubblewrap=candidate, errors=str(error)))
                continue
            self._bubblewrap = candidate
            await sandbox.aclose()
            return
        raise explain(facts, attempts)

    async def _start_one(
        self,
        name: str,
        bubblewrap: Bubblewrap,
        volumes: Sequence[str] = (),
        workspace: Workspace | None = None,
        notice: str = "",
    ) -> LocalSandbox:
        """Start a sandbox with one bubblewrap."""
        spawning = await self._running_spawner()
        number = next(self._numbers)
        place = workspace or self._host.workspace(number)
        sandbox = LocalSandbox(
            number, name, spawning, self._settings, place, self._workspaces, self._warming
        )
        await sandbox.start(self._host, bubblewrap, volumes, notice)
        return sandbox

    async def _running_spawner(self) -> Spawning:
        """Return the spawner; a new one if it was killed, for its sandboxes are gone anyway."""
        if self._closed:
            raise SandboxError("The server is shutting down")
        async with self._restarting:
            if self._spawning is not None and not self._spawning.alive:
                await self._spawning.aclose(self._settings.close_timeout_s)
                self._spawning = None
            if self._spawning is None:
                self._spawning = await Spawning.start(
                    self._host.state,
                    self._host.private_binds,
                    self._host.users,
                    self._host.filter,
                    self._host.groups.directories,
                    self._host.watch(),
                    [self._host.lock.fileno(), *([] if self._lock is None else [self._lock])],
                    self._replace_spawner,
                )
            return self._spawning

    def _replace_spawner(self) -> None:
        """Start another one at once: it clears away what one leaves that was killed."""
        self._replacing = asyncio.create_task(self._start_another())

    async def _start_another(self) -> None:
        try:
            await self._running_spawner()
        except (SpawnerFailed, SandboxError, OSError) as error:
            # The next session that needs it tries again, and says what is wrong.
            logger.warning("the process that starts sandboxes was killed; no other one: %s", error)
