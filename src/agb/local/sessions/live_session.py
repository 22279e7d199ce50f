"""A session that runs: its sandbox, who may use it now, and how long it may be idle."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
from collections.abc import AsyncGenerator, Callable, Generator

import anyio
import attrs

from ..failures import SandboxGone, ToolError
from ..links.listener import Link
from ..sandboxes.sandbox import OnEvent, Sandbox
from ..settings import Settings
from .failures import ServerEnding, SessionNotFound, SessionReleased, TooManyLinks


def _set_event() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@attrs.define(eq=False)
class LiveSession:
    """A session that runs.

    Attributes:
        id: Its identifier.
        sandbox: Its sandbox.
        slots: One for each call that may be in flight.
        waiting_calls: How many calls of each kind may, beside those, wait for something to happen.
        idle_timeout_s: How long it lives without a call, in seconds; None means for ever.
        on_idle: Called when it has been idle for that long.
        on_lost: Called with the cause when its sandbox turns out to be gone.
        token: Who knows it may stream in this session, and nothing else.
        released: True from the moment its end begins.
        suspended: True from the moment the server ends that will have it again.
        quiet: Set while nothing uses it.
        lost: True once its sandbox has turned out to be gone.
        links: By its port, each link that was asked for.
    """

    id: str
    sandbox: Sandbox
    slots: anyio.Semaphore
    waiting_calls: int
    idle_timeout_s: int | None
    on_idle: Callable[[LiveSession], object]
    on_lost: Callable[[LiveSession, SandboxGone], object]
    token: str = attrs.field(repr=False)
    released: bool = False
    suspended: bool = False
    quiet: asyncio.Event = attrs.field(factory=_set_event)
    lost: bool = False
    links: dict[int, Link] = attrs.field(factory=dict[int, Link])
    _calls: int = 0
    _waiting_slots: dict[str, anyio.Semaphore] = attrs.field(factory=dict[str, anyio.Semaphore])
    _queues: dict[str, anyio.Lock] = attrs.field(factory=dict[str, anyio.Lock])
    _idle_timer: asyncio.TimerHandle | None = None
    _life_timer: asyncio.TimerHandle | None = None
    _opening_link: anyio.Lock = attrs.field(factory=anyio.Lock)

    def touch(self) -> None:
        """Begin to count the idle time anew."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        if self.idle_timeout_s is not None and not self.released and not self.suspended:
            loop = asyncio.get_running_loop()
            self._idle_timer = loop.call_later(self.idle_timeout_s, self._timer_ended)

    def live_for(self, seconds: float) -> None:
        """Have it end after a time, whatever it does."""
        loop = asyncio.get_running_loop()
        self._life_timer = loop.call_later(max(0.0, seconds), self.on_idle, self)

    def release(self) -> None:
        """Let no further call begin, and end its links."""
        self.released = True
        self._let_go()

    def suspend(self) -> None:
        """Let go of everything without ending the session: the server ends."""
        self.suspended = True
        self._let_go()

    def _let_go(self) -> None:
        self.touch()
        if self._life_timer is not None:
            self._life_timer.cancel()
        for link in self.links.values():
            link.close()
        self.links.clear()

    async def link(self, port: int, listener: str, settings: Settings) -> Link:
        """Find the link to a port, or open it; see `SessionManager.link`."""

        async def connect() -> socket.socket:
            try:
                return await self.sandbox.connect(port)
            except SandboxGone as error:
                self.on_lost(self, error)
                raise

        async with self._opening_link:
            if port not in self.links:
                if len(self.links) >= settings.max_links_per_session:
                    raise TooManyLinks(
                        f"This session has {len(self.links)} links, as many as it may have."
                    )
                link = await Link.open(listener, connect, self.in_use, settings)
                if self.released:
                    link.close()
                    raise SessionNotFound(self.id)
                self.links[port] = link
            return self.links[port]

    @contextlib.asynccontextmanager
    async def turn(
        self, *, limit_s: float, queue: str | None, waits_as: str | None = None
    ) -> AsyncGenerator[Turn, None]:
        """Wait for the turn to make a call; first come, first served.

        Args:
            limit_s: The limit of the whole call in seconds, waiting included: whoever asked
                gives up soon after it.
            queue: Calls with the same word run one after the other.
            waits_as: The kind of a call that waits for something to happen: it takes no slot that
                a call of another kind, or one with work to do, could use.

        Yields:
            The turn.

        Raises:
            ToolError: The turn did not come within the limit.
        """
        with self.in_use():
            async with contextlib.AsyncExitStack() as stack:
                slots = self.slots if waits_as is None else self._slots_to_wait(waits_as)
                waited_s = await self._enter(stack, queue, slots, limit_s)
                yield Turn(limit_s - waited_s, self)

    @contextlib.contextmanager
    def in_use(self) -> Generator[None]:
        """Keep the session from being idle."""
        self._calls += 1
        self.quiet.clear()
        try:
            yield
        finally:
            self._calls -= 1
            if not self._calls:
                self.quiet.set()
            self.touch()

    async def _enter(
        self,
        stack: contextlib.AsyncExitStack,
        queue: str | None,
        slots: anyio.Semaphore,
        limit_s: float,
    ) -> float:
        started = anyio.current_time()
        try:
            with anyio.fail_after(limit_s):
                # First the queue: those who wait in it must not hold slots that others could use.
                if queue is not None:
                    await stack.enter_async_context(self._queues.setdefault(queue, anyio.Lock()))
                await stack.enter_async_context(slots)
        except TimeoutError as error:
            raise ToolError(
                f"Not run: other calls of this session took longer than the {limit_s:g} s "
                "that this one had."
            ) from error
        # Without a real wait the limit stays exact, so that messages name it as it was asked for.
        return math.floor((anyio.current_time() - started) * 10) / 10

    def _slots_to_wait(self, kind: str) -> anyio.Semaphore:
        if kind not in self._waiting_slots:
            self._waiting_slots[kind] = anyio.Semaphore(self.waiting_calls)
        return self._waiting_slots[kind]

    def _timer_ended(self) -> None:
        if self._calls:
            self.touch()
        else:
            self.on_idle(self)


@attrs.frozen
class Turn:
    """Leave to make one call in a session.

    Attributes:
        remaining_s: What is left of the call's limit after waiting for the turn, in seconds.
    """

    remaining_s: float
    _session: LiveSession

    async def call(
        self,
        method: str,
        params: dict[str, object],
        *,
        timeout_s: float,
        on_event: OnEvent | None = None,
    ) -> dict[str, object]:
        """Let the session's sandbox do something.

        Args:
            method: What to do.
            params: With what.
            timeout_s: When to give the sandbox up, in seconds.
            on_event: Takes what the sandbox tells before it answers.

        Returns:
            What came of it.

        Raises:
            ToolError: It did not work; the message is for the user.
            SandboxError: The sandbox could not do it at all.
            SessionNotFound: The session was released meanwhile.
            ServerEnding: The server ends.
        """
        sandbox = self._session.sandbox
        with self._noting_loss():
            return await sandbox.call(method, params, timeout_s=timeout_s, on_event=on_event)

    async def open(self, method: str, path: str) -> tuple[int, dict[str, object]]:
        """Have a file of the session opened; see `Sandbox.open`.

        Raises:
            SessionNotFound: The session was released meanwhile.
        """
        with self._noting_loss():
            return await self._session.sandbox.open(method, path)

    @contextlib.contextmanager
    def _noting_loss(self) -> Generator[None]:
        try:
            yield
        except SandboxGone as error:
            if self._session.suspended:
                kept = bool(self._session.sandbox.workspace)
                raise ServerEnding(kept=kept, ran=True) from error
            if self._session.released:
                raise SessionReleased(self._session.id) from error
            self._session.on_lost(self._session, error)
            raise
