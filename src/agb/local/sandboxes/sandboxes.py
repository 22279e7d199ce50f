"""The sandboxes of one server on this machine: opens them, keeps some in reserve."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING

from attrs import evolve

from ..failures import MachineUnfit, SandboxError
from ..machine import bare_recipe, tiers
from ..machine.bubblewrap import Bubblewrap, bubblewraps
from ..machine.diagnosis import Attempt, explain
from ..machine.facts import Facts, check, check_kernel
from ..machine.host import Host
from ..machine.workspaces import Workspace, Workspaces
from .local_sandbox import LocalSandbox, StartFailed
from .restored import NOTICE, RestoredSandbox
from .spares import Spares
from .spawner_keeper import SpawnerKeeper
from .spawning import SpawnerFailed
from .warming import Warming

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ..machine.tiers import Isolation
    from ..settings import Settings
    from ..state.folder import StateFolder
    from .sandbox import Sandbox


logger: logging.Logger = logging.getLogger(__name__)


class Sandboxes:
    """Opens sandboxes on this machine."""

    def __init__(self, settings: Settings, host: Host, folder: StateFolder | None) -> None:
        """Use `Sandboxes.start`."""
        self._settings = settings
        self._host = host
        self._workspaces = None if folder is None else Workspaces(folder.workspaces)
        self._numbers = itertools.count(1)
        locks = [host.lock.fileno(), *([] if folder is None else [folder.lock])]
        self._keeper = SpawnerKeeper(host, locks, settings.close_timeout_s)
        self._bubblewrap: Bubblewrap | None = None
        self._warming = Warming(settings)
        self._spares = Spares(
            self._make_spare, wanted=settings.spare_sandboxes, pause_s=settings.spare_pause_s
        )

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
        except (SpawnerFailed, StartFailed) as error:
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
        self._keeper.closing = True
        self._warming.stop()
        await self._spares.aclose()
        await self._keeper.aclose()
        self._host.remove()

    async def _choose(self, facts: Facts, candidates: Sequence[Bubblewrap]) -> None:
        """Take the first bubblewrap that really starts a sandbox."""
        attempts: list[Attempt] = []
        for candidate in candidates:
            try:
                sandbox = await self._start_one("trial", candidate)
            except SpawnerFailed as error:
                raise MachineUnfit(self._host.unreachable(str(error))) from error
            except StartFailed as error:
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
        spawning = await self._keeper.running()
        number = next(self._numbers)
        place = workspace or self._host.workspace(number)
        sandbox = LocalSandbox(
            number, name, spawning, self._settings, place, self._workspaces, self._warming
        )
        await sandbox.start(self._host, bubblewrap, volumes, notice)
        return sandbox
