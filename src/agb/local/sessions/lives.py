"""Who lives: how a session begins, goes on and ends."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Mapping

import anyio

from ..contexts.failures import NotSaved
from ..contexts.mounts import Mount, read_again, write_down
from ..contexts.service import Contexts
from ..contexts.transfers import soon
from ..failures import SandboxGone
from ..sandboxes.sandbox import Sandbox, SandboxFactory
from ..settings import Settings
from .failures import ServerEnding, SessionNotFound, TooManySessions
from .live_session import LiveSession
from .notes import Notes
from .records import ReplyForm, SessionRecord, Status
from .store import Store

logger: logging.Logger = logging.getLogger(__name__)

_AGAIN_S = 60.0
"""A session that could not end at the end of its life is ended again so much later."""


class Lives:
    """Begins sessions, has those live on that outlive their server, and ends them.

    It knows of a sandbox only what `SandboxFactory` and `Sandbox` promise, so a sandbox may as
    well live on another machine.

    Attributes:
        closing: True from the moment no further call may begin.
    """

    def __init__(
        self, store: Store, sandboxes: SandboxFactory, contexts: Contexts, settings: Settings
    ) -> None:
        self.closing: bool = False
        self._store = store
        self._notes = Notes(store)
        self._sandboxes = sandboxes
        self._contexts = contexts
        self._settings = settings
        self._live: dict[str, LiveSession] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._opening = 0

    def find(self, session_id: str) -> LiveSession | None:
        """Find a session; None if there is none, or its end has begun."""
        return self._live.get(session_id)

    async def create(
        self,
        *,
        labels: Mapping[str, str],
        image_id: str,
        reply_form: ReplyForm,
        idle_timeout_s: int | None = None,
        mounts: list[Mount] | None = None,
    ) -> SessionRecord:
        """Open a sandbox and make it a session.

        Args:
            labels: Labels of the session.
            image_id: The image asked for, or "".
            reply_form: How its tool replies are written.
            idle_timeout_s: Release it after so many seconds without a call; None means never.
            mounts: Its contexts; their files are brought, and may still be on their way when this
                returns.

        Returns:
            The session.

        Raises:
            TooManySessions: Another one would be one too many.
            SandboxError: No sandbox could be opened.
            ContextNotFound: There is no such context.
            CannotMount: A context can't be where it was asked for.
        """
        wanted = mounts or []
        self._contexts.check(wanted, self._sandboxes)
        session_id = f"session-{secrets.token_hex(16)}"
        sandbox = await self._open(session_id, [mount.path for mount in wanted])
        record = SessionRecord(
            session_id,
            image_id,
            reply_form,
            workspace=sandbox.workspace,
            idle_timeout_s=idle_timeout_s,
            mounts=write_down(wanted),
            arrived=not wanted,
        )
        try:
            self._store.add(record, labels)
        except BaseException:
            await sandbox.aclose()
            raise
        coming = self._begin(record, sandbox, wanted)
        if coming is not None:
            try:
                await soon(coming)
            except BaseException:
                # Whoever asked has gone and will never learn its identifier.
                self.release(record.id)
                raise
        return record

    async def restore(self) -> None:
        """Go on with the sessions of the server that had this state before.

        Their sandboxes are opened at their first call. What that server was about to end, or had
        begun and told nobody of, is removed.
        """
        records = self._store.all()
        for record in records:
            mounts = read_again(record.mounts)
            paths = [mount.path for mount in mounts]
            sandbox = self._sandboxes.restore(record.id, paths, record.workspace)
            self._begin(record, sandbox, mounts)
            if record.status is Status.DELETING:
                self.release(record.id)
            elif record.status is Status.FAILED:
                self._notes.status(record.id, Status.RUNNING)
        await self._sandboxes.keep_only({record.workspace for record in records})
        await asyncio.gather(*self._ending, return_exceptions=True)

    def release(self, session_id: str) -> asyncio.Task[None]:
        """Begin to end a session; from now on no call reaches it.

        Args:
            session_id: The session.

        Returns:
            A task that is done when nothing is left of the session; whoever waits for it and may
            be cancelled shields it. It fails with `NotSaved` if the session goes on.

        Raises:
            SessionNotFound: There is no such session, or its end has already begun.
        """
        live = self._live.pop(session_id, None)
        if live is None:
            raise SessionNotFound(session_id)
        live.release()
        self._contexts.of_sessions.end(session_id)
        self._notes.status(session_id, Status.DELETING)
        task = asyncio.create_task(self._end(live))
        self._ending.add(task)
        task.add_done_callback(self._ended)
        return task

    async def drain(self, timeout_s: float) -> None:
        """Let no further call begin, and wait for those in flight.

        Args:
            timeout_s: Seconds to wait at most.
        """
        self.closing = True
        with anyio.move_on_after(timeout_s):
            for live in list(self._live.values()):
                await live.quiet.wait()

    async def aclose(self) -> None:
        """End every session but those that outlive the server, and refuse new ones."""
        self.closing = True
        for live in list(self._live.values()):
            live.suspend()
            if not live.sandbox.workspace:
                self.release(live.id)
        await asyncio.gather(*self._ending, return_exceptions=True)
        # Those that outlive it lose their sandboxes; their calls are answered by that.
        await self._sandboxes.aclose()
        await self._contexts.aclose()

    def _begin(
        self,
        record: SessionRecord,
        sandbox: Sandbox,
        mounts: list[Mount],
        at_least_s: float = 0.0,
    ) -> asyncio.Task[None] | None:
        """Begin, or go on with, a session; return what brings the files of its contexts."""
        self._live[record.id] = live = LiveSession(
            record.id,
            sandbox,
            anyio.Semaphore(self._settings.calls_per_session),
            self._settings.waiting_calls_per_session,
            record.idle_timeout_s,
            on_idle=self._end_of_time,
            on_lost=self._note_loss,
            token=record.token,
        )
        live.touch()
        if self._settings.max_life_s:
            left_s = record.created_s + self._settings.max_life_s - time.time()
            live.live_for(max(left_s, at_least_s))
        coming = self._contexts.transfers.attach(
            record.id, mounts, sandbox.volumes, arrived=record.arrived
        )
        if coming is not None:
            coming.add_done_callback(lambda task: self._note_arrival(record.id, task))
        return coming

    def _end_of_time(self, live: LiveSession) -> None:
        """A session was idle for too long, or has lived for as long as one may."""
        if live.id in self._live:
            self.release(live.id)

    async def _open(self, session_id: str, volumes: list[str]) -> Sandbox:
        if self.closing:
            raise ServerEnding(kept=False, ran=False)
        limit = self._settings.max_sessions
        if len(self._live) + len(self._ending) + self._opening >= limit:
            raise TooManySessions(f"This server has {limit} sessions, as many as it allows.")
        self._opening += 1
        try:
            sandbox = await self._sandboxes.open(session_id, volumes)
        finally:
            self._opening -= 1
        if self.closing:
            await sandbox.aclose()
            raise ServerEnding(kept=False, ran=False)
        return sandbox

    async def _end(self, live: LiveSession) -> None:
        try:
            await self._contexts.transfers.save(live.id)
            await live.sandbox.aclose()
        except NotSaved as error:
            logger.warning("%s: %s", live.id, error)
            self._go_on(live)
            raise
        except Exception:
            # The session is gone for its users whatever is left of it; the log says what.
            logger.exception("%s did not end cleanly", live.id)
        self._notes.end(live.id)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if not task.cancelled():
            # Whoever waits for it hears of it; of one that nobody waits for the log has told.
            task.exception()

    def _go_on(self, live: LiveSession) -> None:
        """Go on with a session that could not end; a server that ends leaves that to the next."""
        record = self._store.get(live.id)
        if record is not None and not self.closing:
            self._notes.status(live.id, Status.RUNNING)
            self._begin(record, live.sandbox, read_again(record.mounts), at_least_s=_AGAIN_S)

    def _note_loss(self, live: LiveSession, cause: SandboxGone) -> None:
        if live.lost or live.released or live.suspended:
            return
        live.lost = True
        # It stays until it is released, so that its users learn why it fails.
        logger.warning("%s has lost its sandbox: %s", live.id, cause)
        self._notes.status(live.id, Status.FAILED)

    def _note_arrival(self, session_id: str, coming: asyncio.Task[None]) -> None:
        if not coming.cancelled() and coming.exception() is None and not self.closing:
            self._notes.arrival(session_id)
