"""Sandboxes made before anybody asks for one, their Python ready for its first cell."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from ..failures import SandboxError, ToolError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

logger: logging.Logger = logging.getLogger(__name__)


class Spare(Protocol):
    """A sandbox that waits for a session."""

    @property
    def alive(self) -> bool:
        """False once it has ended."""
        ...

    async def aclose(self) -> None:
        """End it."""
        ...


S = TypeVar("S", bound=Spare)


class Spares(Generic[S]):
    """A few sandboxes in reserve, made one at a time when no session is being created.

    The first is made after the first session: a program that needs one session, and is done before
    the pause is over, pays for no other. While sessions are created one after the other none is
    made, so as not to slow them down.
    """

    def __init__(self, make: Callable[[], Awaitable[S]], *, wanted: int, pause_s: float) -> None:
        """Prepare; nothing is made yet.

        Args:
            make: Makes one.
            wanted: How many to have in reserve; 0 for none.
            pause_s: Seconds without a creation before one is made.
        """
        self._make = make
        self._wanted = wanted
        self._pause_s = pause_s
        self._ready: deque[S] = deque()
        self._filling: asyncio.Task[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None

    def take(self) -> S | None:
        """Take one, the oldest; None if there is none."""
        self._fill_after_a_pause()
        while self._ready:
            spare = self._ready.popleft()
            if spare.alive:
                return spare
        return None

    async def aclose(self) -> None:
        """Make no more, and end those in reserve."""
        self._wanted = 0
        if self._alarm is not None:
            self._alarm.cancel()
        if self._filling is not None:
            self._filling.cancel()
            await asyncio.wait({self._filling})
        await asyncio.gather(*(spare.aclose() for spare in self._ready))

    def _fill_after_a_pause(self) -> None:
        """Begin the pause anew."""
        if self._wanted == 0:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = asyncio.get_running_loop().call_later(self._pause_s, self._begin)

    def _begin(self) -> None:
        if self._filling is None or self._filling.done():
            self._filling = asyncio.create_task(self._fill())

    async def _fill(self) -> None:
        while len(self._ready) < self._wanted:
            try:
                self._ready.append(await self._make())
            except (SandboxError, ToolError) as error:
                # The next session is made in the ordinary way, and says what is wrong.
                logger.warning("nothing could be made in reserve: %s", error)
                return
