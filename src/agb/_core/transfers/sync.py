"""The sync that takes a file from a transfer context to its session, or back."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from attrs import define, evolve, field, frozen

from agb._core import arguments
from agb._core.contexts import context_calls
from agb._core.contexts.sync_operations import tasks_of
from agb._core.exceptions import APIError, APITimeoutError
from agb._core.transfers.ends import Clock
from agb._core.wire import polling
from agb._core.wire.call import Call
from agb._core.wire.operation import Pause, Steps, perform, send
from agb._core.wire.replies import text

WAIT_TIMEOUT_S = 30.0
POLL_INTERVAL_S = 1.5

_SUCCESS = {"success", "successful", "ok", "finished", "done", "completed", "complete"}
_FAILURE = {"failed", "failure", "error"}
# A task that was there before and has not changed may be that of an earlier transfer.
_GRACE_POLLS = 3
_SHORTEST_CALL_S = 0.1


@frozen
class Waiting:
    """How to wait for a sync.

    Args:
        wait: Whether to wait at all.
        timeout_s: How long, from the request for the sync on, in seconds.
        interval_s: How long between two questions, in seconds.
    """

    wait: bool = True
    timeout_s: float = WAIT_TIMEOUT_S
    interval_s: float = POLL_INTERVAL_S

    def check(self) -> None:
        """Check the values.

        Raises:
            InvalidArgumentError: One can't be used.
        """
        arguments.seconds("wait_timeout", self.timeout_s)
        arguments.seconds("poll_interval", self.interval_s)


@define
class TransferSync:
    """A sync of the directory that a file is in, between the session and its transfer context."""

    session_id: str
    context_id: str
    file_path: str
    mode: str
    waiting: Waiting
    clock: Clock
    _before: list[Mapping[str, Any]] = field(factory=list[Mapping[str, Any]])
    _ends: float = 0.0

    @property
    def path(self) -> str:
        return posixpath.dirname(self.file_path)

    def begin(self) -> Steps[str]:
        """Begin it and return the id of that request."""
        if self.waiting.wait:
            self._ends = (yield from perform(self.clock.now)) + self.waiting.timeout_s
            try:
                self._before = yield from self._tasks()
            except APIError:
                self._before = []
        call = context_calls.sync(self.session_id, self.context_id, self.path, self.mode)
        begun = yield from send((yield from self._in_time(call)))
        return begun.request_id

    def wait(self) -> Steps[None]:
        """Wait for its end.

        Raises:
            AGBError: It failed, or took too long.
        """
        last: object = "no task of it is known"
        polls = 0
        while self.waiting.wait:
            tasks: list[Mapping[str, Any]] = []
            try:
                tasks = yield from self._tasks()
                polls += 1
            except APIError as error:
                if not polling.passes(error):
                    raise
                last = error
            # One that was there before is that of an earlier transfer (trap T19).
            new = [task for task in tasks if task not in self._before]
            for task in new or (tasks if polls > _GRACE_POLLS else []):
                if self._has_ended(task):
                    return
                last = f"its state is {text(task.get('status'))!r}"
            left = self._ends - (yield from perform(self.clock.now))
            if left <= 0:
                raise APITimeoutError(
                    f"The sync of {self.path} was not done within {self.waiting.timeout_s:g} s"
                    f" ({last}); pass a longer wait_timeout"
                )
            yield Pause(min(left, self.waiting.interval_s))

    def _has_ended(self, task: Mapping[str, Any]) -> bool:
        status = text(task.get("status")).lower()
        problem = text(task.get("errorMessage"))
        if status in _FAILURE or (status in _SUCCESS and problem):
            raise APIError(f"The sync of {self.path} failed{': ' if problem else ''}{problem}")
        return status in _SUCCESS

    def _tasks(self) -> Steps[list[Mapping[str, Any]]]:
        """Ask for the transfers of this context, path and direction."""
        call = context_calls.info(self.session_id, self.context_id, self.path, self.mode)
        reply = yield from send((yield from self._in_time(call)))
        return [
            task
            for task in tasks_of(reply)
            if text(task.get("contextId")) == self.context_id
            # Services need not echo the path to the letter (trap T20).
            and posixpath.normpath(text(task.get("path"))) == posixpath.normpath(self.path)
            and text(task.get("taskType")).lower() == self.mode
        ]

    def _in_time(self, call: Call) -> Steps[Call]:
        """Let a call take no longer than there is time."""
        if not self.waiting.wait:
            return call
        left = self._ends - (yield from perform(self.clock.now))
        return evolve(call, read_timeout_s=max(left, _SHORTEST_CALL_S))
