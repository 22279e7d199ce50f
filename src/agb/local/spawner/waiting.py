"""Waits for many descriptors at once, each with what is done when it can be read."""

from __future__ import annotations

import os
import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Waiting:
    """What a process of one thread waits for, all of it in one poll."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._actions: dict[int, Callable[[], None]] = {}

    def watch(self, descriptor: int, action: Callable[[], None]) -> None:
        """Have something done each time a descriptor can be read."""
        self._actions[descriptor] = action
        self._poll.register(descriptor, select.POLLIN)

    def forget(self, descriptor: int) -> None:
        """Wait for a descriptor no more, and leave it open."""
        del self._actions[descriptor]
        self._poll.unregister(descriptor)

    def close(self, descriptor: int) -> None:
        """Wait for a descriptor no more, and close it."""
        self.forget(descriptor)
        os.close(descriptor)

    def wait(self) -> None:
        """Wait until something can be read, and do what is to be done then."""
        ready = [self._actions[descriptor] for descriptor, _events in self._poll.poll()]
        for action in ready:
            # An earlier one of the same round may have ended it, and even have given its
            # number to another descriptor.
            if action in self._actions.values():
                action()
