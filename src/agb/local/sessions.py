"""The sessions of this server: creates them, finds them, ends them."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

import anyio

from .contexts.mounts import Mount
from .contexts.service import Contexts
from .contexts.transfers import soon
from .links.listener import Link
from .live_session import LiveSession, SessionNotFound, Turn
from .sandbox import Sandbox, SandboxError, SandboxFactory, SandboxGone
from .settings import Settings
from .store import Page, ReplyForm, SessionRecord, Status, Store

logger: logging.Logger = logging.getLogger(__name__)


class TooManySessions(Exception):
    """Raised when as many sessions live as the server allows."""


class SessionManager:
    """Creates sessions, finds them, lends their sandboxes to calls and ends them.

    It knows of a sandbox only what `SandboxFactory` and `Sandbox` promise, so a sandbox may as
    well live on another machine.
    """

    def __init__(
        self, store: Store, sandboxes: SandboxFactory, contexts: Contexts, settings: Settings
    ) -> None:
        self.contexts: Contexts = contexts
        self._store = store
        self._sandboxes = sandboxes
        self._settings = settings
        self._live: dict[str, LiveSession] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._opening = 0
        self._closing = False

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
            ApiFailure: A context can't be where it was asked for.
        """
        wanted = mounts or []
        self.contexts.check(wanted, self._sandboxes)
        record = SessionRecord(f"session-{secrets.token_hex(16)}", image_id, reply_form)
        sandbox = await self._open(record.id, [mount.path for mount in wanted])
        self._store.add(record, labels)
        self._live[record.id] = live = LiveSession(
            record.id,
            sandbox,
            anyio.Semaphore(self._settings.calls_per_session),
            self._settings.waiting_calls_per_session,
            idle_timeout_s,
            on_idle=lambda idle: self.release(idle.id),
            on_lost=self._note_loss,
        )
        live.touch()
        coming = self.contexts.transfers.attach(record.id, wanted, sandbox.volumes)
        if coming is not None:
            try:
                await soon(coming)
            except BaseException:
                # Whoever asked has gone and will never learn its identifier.
                self.release(record.id)
                raise
        return record

    def get(self, session_id: str) -> SessionRecord:
        """Find a session; one that is being released is still there.

        Args:
            session_id: Its identifier.

        Returns:
            The session.

        Raises:
            SessionNotFound: There is none.
        """
        record = self._store.get(session_id)
        if record is None:
            raise SessionNotFound(session_id)
        if session_id in self._live:
            self._live[session_id].touch()
        return record

    def page(self, labels: Mapping[str, str], limit: int, token: str | None) -> Page:
        """List running sessions; see `Store.page`."""
        return self._store.page(labels, limit, token)

    def labels(self, session_id: str) -> dict[str, str]:
        """Read the labels of a session.

        Args:
            session_id: Its identifier.

        Returns:
            The labels.

        Raises:
            SessionNotFound: There is no such session.
        """
        return self._store.labels(self.get(session_id).id)

    def replace_labels(self, session_id: str, labels: Mapping[str, str]) -> None:
        """Give a session these labels and no others.

        Args:
            session_id: Its identifier.
            labels: All its labels from now on.

        Raises:
            SessionNotFound: There is no such session.
        """
        self._store.replace_labels(self.get(session_id).id, labels)

    def turn(
        self,
        session_id: str,
        *,
        limit_s: float,
        queue: str | None = None,
        waits_as: str | None = None,
    ) -> AbstractAsyncContextManager[Turn]:
        """Wait for the turn to make a call in a session; see `LiveSession.turn`.

        Different sessions never wait for each other.

        Args:
            session_id: The session.
            limit_s: The limit of the whole call in seconds, waiting included.
            queue: Calls with the same word run one after the other.
            waits_as: The kind of a call that waits for something to happen.

        Returns:
            A context whose value is the turn.

        Raises:
            SessionNotFound: There is no such session.
        """
        live = self._live.get(session_id)
        if live is None:
            raise SessionNotFound(session_id)
        return live.turn(limit_s=limit_s, queue=queue, waits_as=waits_as)

    def stream_token(self, session_id: str) -> str:
        """Return what lets a client stream in a session.

        Args:
            session_id: The session.

        Returns:
            The token; "" if there is no such session, or its end has begun.
        """
        live = self._live.get(session_id)
        return "" if live is None else live.token

    async def link(self, session_id: str, port: int, listener: str) -> Link:
        """Find the link to a port of a session, or open it.

        Args:
            session_id: The session.
            port: The port that a program in the session listens on, now or later.
            listener: The address of this machine where the link listens.

        Returns:
            The link, the same for a port as long as the session lives.

        Raises:
            SessionNotFound: There is no such session.
            TooManyLinks: Another one would be one too many.
            OSError: The address can't be listened on.
        """
        live = self._live.get(session_id)
        if live is None:
            raise SessionNotFound(session_id)
        return await live.link(port, listener, self._settings)

    def release(self, session_id: str) -> asyncio.Task[None]:
        """Begin to end a session; from now on no call reaches it.

        Args:
            session_id: The session.

        Returns:
            A task that is done when nothing is left of the session; whoever waits for it and may
            be cancelled shields it.

        Raises:
            SessionNotFound: There is no such session, or its end has already begun.
        """
        live = self._live.pop(session_id, None)
        if live is None:
            raise SessionNotFound(session_id)
        live.release()
        self.contexts.of_sessions.end(session_id)
        self._store.set_status(session_id, Status.DELETING)
        task = asyncio.create_task(self._end(live))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        return task

    async def aclose(self) -> None:
        """End every session and refuse new ones."""
        self._closing = True
        for session_id in list(self._live):
            self.release(session_id)
        await asyncio.gather(*self._ending)
        await self.contexts.aclose()

    async def _open(self, session_id: str, volumes: list[str]) -> Sandbox:
        limit = self._settings.max_sessions
        if len(self._live) + len(self._ending) + self._opening >= limit:
            raise TooManySessions(f"This server has {limit} sessions, as many as it allows.")
        self._opening += 1
        try:
            sandbox = await self._sandboxes.open(session_id, volumes)
        finally:
            self._opening -= 1
        if self._closing:
            await sandbox.aclose()
            raise SandboxError("This server is ending.")
        return sandbox

    async def _end(self, live: LiveSession) -> None:
        try:
            await self.contexts.transfers.save(live.id)
            await live.sandbox.aclose()
        except Exception:
            # The session is gone for its users whatever is left of it; the log says what.
            logger.exception("%s did not end cleanly", live.id)
        finally:
            self._store.remove(live.id)

    def _note_loss(self, live: LiveSession, cause: SandboxGone) -> None:
        if live.lost:
            return
        live.lost = True
        # It stays until it is released, so that its users learn why it fails.
        logger.warning("%s has lost its sandbox: %s", live.id, cause)
        self._store.set_status(live.id, Status.FAILED)
