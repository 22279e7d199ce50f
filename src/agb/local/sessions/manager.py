"""The sessions of this server, as endpoints and tools see them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from ..contexts.mounts import Mount
from ..contexts.service import Contexts
from ..links.listener import Link
from ..machine.tiers import Isolation
from ..sandboxes.sandbox import SandboxFactory
from ..settings import Settings
from .failures import ServerEnding, SessionNotFound
from .live_session import LiveSession, Turn
from .lives import Lives
from .records import Page, ReplyForm, SessionRecord
from .store import Store


class SessionManager:
    """Has sessions begun and ended, finds them, and lends their sandboxes to calls."""

    def __init__(
        self, store: Store, sandboxes: SandboxFactory, contexts: Contexts, settings: Settings
    ) -> None:
        self.contexts: Contexts = contexts
        self.isolation: Isolation = sandboxes.isolation
        self._store = store
        self._settings = settings
        self._lives = Lives(store, sandboxes, contexts, settings)

    async def create(
        self,
        *,
        labels: Mapping[str, str],
        image_id: str,
        reply_form: ReplyForm,
        idle_timeout_s: int | None = None,
        mounts: list[Mount] | None = None,
    ) -> SessionRecord:
        """Open a sandbox and make it a session; see `Lives.create`."""
        return await self._lives.create(
            labels=labels,
            image_id=image_id,
            reply_form=reply_form,
            idle_timeout_s=idle_timeout_s,
            mounts=mounts,
        )

    async def restore(self) -> None:
        """Go on with the sessions of an earlier server; see `Lives.restore`."""
        await self._lives.restore()

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
        live = self._lives.find(session_id)
        if live is not None:
            live.touch()
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
            ServerEnding: No further call may begin.
        """
        live = self._find(session_id)
        if self._lives.closing:
            raise ServerEnding(kept=bool(live.sandbox.workspace), ran=False)
        return live.turn(limit_s=limit_s, queue=queue, waits_as=waits_as)

    def stream_token(self, session_id: str) -> str:
        """Return what lets a client stream in a session.

        Args:
            session_id: The session.

        Returns:
            The token; "" if there is no such session, or its end has begun.
        """
        live = self._lives.find(session_id)
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
        return await self._find(session_id).link(port, listener, self._settings)

    def release(self, session_id: str) -> asyncio.Task[None]:
        """Begin to end a session; see `Lives.release`."""
        return self._lives.release(session_id)

    async def drain(self, timeout_s: float) -> None:
        """Let no further call begin, and wait for those in flight; see `Lives.drain`."""
        await self._lives.drain(timeout_s)

    async def aclose(self) -> None:
        """End every session but those that outlive the server, and refuse new ones."""
        await self._lives.aclose()

    def _find(self, session_id: str) -> LiveSession:
        live = self._lives.find(session_id)
        if live is None:
            raise SessionNotFound(session_id)
        return live
