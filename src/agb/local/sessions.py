"""The sessions of this server: their records, their sandboxes, and the life of both."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import secrets
from collections.abc import AsyncGenerator, Mapping

import anyio
import attrs

from .sandbox import Sandbox, SandboxError, SandboxFactory, SandboxGone, ToolError
from .settings import Settings
from .store import Page, ReplyForm, SessionRecord, Status, Store

logger = logging.getLogger(__name__)


class SessionNotFound(Exception):
    """Raised for a session that this server does not have, or no longer has.

    Attributes:
        session_id: The identifier that was asked for.
    """

    def __init__(self, session_id: str) -> None:
        # Clients look for the words "not found" when they wait for a session to end.
        super().__init__(
            f"Session not found: {session_id[:100]}. "
            "It was never created on this server, or it has been released."
        )
        self.session_id = session_id


@attrs.define(eq=False)
class _LiveSession:
    """A session's sandbox and who may use it now."""

    id: str
    sandbox: Sandbox
    slots: anyio.Semaphore
    idle_timeout_s: int | None
    calls: int = 0
    released: bool = False
    queues: dict[str, anyio.Lock] = attrs.field(factory=dict[str, anyio.Lock])
    idle_timer: asyncio.TimerHandle | None = None

    def queue(self, name: str | None) -> contextlib.AbstractAsyncContextManager[object]:
        if name is None:
            return contextlib.nullcontext()
        return self.queues.setdefault(name, anyio.Lock())


@attrs.frozen
class Turn:
    """Leave to make one call in a session.

    Attributes:
        remaining_s: What is left of the call's limit after waiting for the turn, in seconds.
    """

    remaining_s: float
    _session: _LiveSession
    _manager: SessionManager

    async def call(
        self, method: str, params: dict[str, object], *, timeout_s: float
    ) -> dict[str, object]:
        """Let the session's sandbox do something.

        Args:
            method: What to do.
            params: With what.
            timeout_s: When to give the sandbox up, in seconds.

        Returns:
            What came of it.

        Raises:
            ToolError: It did not work; the message is for the user.
            SandboxError: The sandbox could not do it at all.
            SessionNotFound: The session was released meanwhile.
        """
        try:
            return await self._session.sandbox.call(method, params, timeout_s=timeout_s)
        except SandboxGone as error:
            if self._session.released:
                raise SessionNotFound(self._session.id) from error
            self._manager.note_failure(self._session.id, error)
            raise


class SessionManager:
    """Creates sessions, finds them, lends their sandboxes to calls and ends them.

    It knows of a sandbox only what `Sandboxes` and `Sandbox` promise, so a sandbox may as well
    live on another machine.
    """

    def __init__(self, sandboxes: SandboxFactory, settings: Settings) -> None:
        self._sandboxes = sandboxes
        self._settings = settings
        self._store = Store()
        self._live: dict[str, _LiveSession] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._closing = False

    async def create(
        self,
        *,
        labels: Mapping[str, str],
        image_id: str,
        reply_form: ReplyForm,
        idle_timeout_s: int | None = None,
    ) -> SessionRecord:
        """Open a sandbox and make it a session.

        Args:
            labels: Labels of the session.
            image_id: The image asked for, or "".
            reply_form: How its tool replies are written.
            idle_timeout_s: Release it after so many seconds without a call; None means never.

        Returns:
            The session.

        Raises:
            SandboxError: No sandbox could be opened.
        """
        session_id = f"session-{secrets.token_hex(16)}"
        sandbox = await self._sandboxes.open(session_id)
        if self._closing:
            await sandbox.aclose()
            raise SandboxError("this server is ending")
        record = SessionRecord(session_id, image_id, reply_form)
        self._store.add(record, labels)
        slots = anyio.Semaphore(self._settings.calls_per_session)
        live = _LiveSession(session_id, sandbox, slots, idle_timeout_s)
        self._live[session_id] = live
        self._restart_idle_timer(live)
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
        live = self._live.get(session_id)
        if live is not None:
            self._restart_idle_timer(live)
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

    @contextlib.asynccontextmanager
    async def turn(
        self, session_id: str, *, limit_s: float, queue: str | None = None
    ) -> AsyncGenerator[Turn, None]:
        """Wait for the turn to make a call in a session.

        Calls of one session share a number of slots, first come, first served; different
        sessions never wait for each other.

        Args:
            session_id: The session.
            limit_s: The limit of the whole call in seconds, waiting included: whoever asked
                gives up soon after it.
            queue: Calls with the same word run one after the other.

        Yields:
            The turn.

        Raises:
            SessionNotFound: There is no such session.
            ToolError: The turn did not come within the limit.
        """
        live = self._live.get(session_id)
        if live is None:
            raise SessionNotFound(session_id)
        live.calls += 1
        try:
            async with contextlib.AsyncExitStack() as stack:
                waited_s = await _enter(stack, live, queue, limit_s)
                yield Turn(limit_s - waited_s, live, self)
        finally:
            live.calls -= 1
            self._restart_idle_timer(live)

    def release(self, session_id: str) -> asyncio.Task[None]:
        """Begin to end a session; from now on no call reaches it.

        Args:
            session_id: The session.

        Returns:
            A task that is done when nothing is left of the session. It goes on when whoever
            waits for it is cancelled, if shielded.

        Raises:
            SessionNotFound: There is no such session, or its end has already begun.
        """
        live = self._live.pop(session_id, None)
        if live is None:
            raise SessionNotFound(session_id)
        live.released = True
        if live.idle_timer is not None:
            live.idle_timer.cancel()
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

    def note_failure(self, session_id: str, cause: SandboxGone) -> None:
        """Note that a session has lost its sandbox; it stays until it is released.

        Args:
            session_id: The session.
            cause: What is known of it.
        """
        logger.warning("%s has lost its sandbox: %s", session_id, cause)
        self._store.set_status(session_id, Status.FAILED)

    async def _end(self, live: _LiveSession) -> None:
        try:
            await live.sandbox.aclose()
        except Exception:
            # The session is gone for its users whatever is left of it; the log says what.
            logger.exception("%s did not end cleanly", live.id)
        finally:
            self._store.remove(live.id)

    def _restart_idle_timer(self, live: _LiveSession) -> None:
        if live.idle_timer is not None:
            live.idle_timer.cancel()
        if live.idle_timeout_s is not None and not live.released:
            loop = asyncio.get_running_loop()
            live.idle_timer = loop.call_later(live.idle_timeout_s, self._release_if_idle, live)

    def _release_if_idle(self, live: _LiveSession) -> None:
        if live.calls:
            self._restart_idle_timer(live)
        else:
            self.release(live.id)


async def _enter(
    stack: contextlib.AsyncExitStack, live: _LiveSession, queue: str | None, limit_s: float
) -> float:
    started = anyio.current_time()
    try:
        with anyio.fail_after(limit_s):
            # First the queue: those who wait in it must not hold slots that others could use.
            await stack.enter_async_context(live.queue(queue))
            await stack.enter_async_context(live.slots)
    except TimeoutError as error:
        raise ToolError(
            f"Not run: other calls of this session took longer than the {limit_s:g} s this one had."
        ) from error
    # Without a real wait the limit stays exact, so that messages name it as it was asked for.
    return math.floor((anyio.current_time() - started) * 10) / 10
