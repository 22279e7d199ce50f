"""Transfers between contexts and the volumes of sessions, as tasks that can be watched."""

from __future__ import annotations

import asyncio
import errno
import itertools
import json
import logging
import time
from collections.abc import Mapping
from enum import Enum

import attrs

from ..machine.paths import is_below
from .catalog import Catalog
from .failures import ContextNotFound, NotSaved, TooMuch
from .mounts import Mount
from .shelf import Shelf

logger: logging.Logger = logging.getLogger(__name__)

_KEPT_TASKS = 100
_SOON_S = 1.0
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class Kind(Enum):
    """Which way files go."""

    UPLOAD = "upload"
    DOWNLOAD = "download"


@attrs.define(eq=False)
class Task:
    """One transfer.

    Attributes:
        context_id: The context.
        path: Where it is in the session, as it was asked for.
        kind: Which way files go.
        status: `Running`, then `Success` or `Failed`.
        error: Why it failed, or "".
        started_s: When it began, in seconds since 1970.
        finished_s: When it ended; 0 as long as it has not.
        no_room: Whether it failed for want of room on this machine's disk.
        number: Tells it from one that began in the same second.
    """

    context_id: str
    path: str
    kind: Kind
    status: str = "Running"
    error: str = ""
    started_s: int = attrs.field(factory=lambda: int(time.time()))
    finished_s: int = 0
    no_room: bool = False
    number: int = attrs.field(factory=itertools.count(1).__next__)

    def describe(self) -> dict[str, object]:
        """Say how far it is, in the words of the wire."""
        return {
            "contextId": self.context_id,
            "path": self.path,
            "errorMessage": self.error,
            "status": self.status,
            "startTime": self.started_s,
            "finishTime": self.finished_s,
            "taskType": self.kind.value,
            "taskId": str(self.number),
        }


@attrs.define(eq=False)
class _Session:
    volumes: Mapping[str, str]
    mounts: list[Mount]
    tasks: list[Task] = attrs.field(factory=list[Task])

    def add(self, tasks: list[Task]) -> None:
        kept = [old for old in self.tasks if not any(_replaces(task, old) for task in tasks)]
        self.tasks = [*kept, *tasks][-_KEPT_TASKS:]


class Transfers:
    """The contexts of every session that has some, and what goes on with them."""

    def __init__(self, catalog: Catalog, shelf: Shelf) -> None:
        self._catalog = catalog
        self._shelf = shelf
        self._sessions: dict[str, _Session] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._running: set[asyncio.Task[None]] = set()

    def attach(
        self,
        session_id: str,
        mounts: list[Mount],
        volumes: Mapping[str, str],
        *,
        arrived: bool = False,
    ) -> asyncio.Task[None] | None:
        """Note the contexts of a session and begin to bring their files.

        Args:
            session_id: The session.
            mounts: Its contexts.
            volumes: Path inside → directory of this machine.
            arrived: Their files are there already, as in a session of an earlier server.

        Returns:
            A task that is done when they are there; None if the session has no contexts.
        """
        if not mounts:
            return None
        session = self._sessions[session_id] = _Session(volumes, mounts)
        if arrived:
            return None
        for mount in mounts:
            self._catalog.touch(mount.context_id)
        wanted = [(mount, mount.path) for mount in mounts if mount.downloads]
        return self._begin(session, Kind.DOWNLOAD, wanted)

    def sync(
        self, session_id: str, context_id: str, path: str, kind: Kind
    ) -> asyncio.Task[None] | None:
        """Begin to bring or to save files.

        Args:
            session_id: The session.
            context_id: Only this context; "" for all.
            path: Only what is at or below this path, with the context; "" for all.
            kind: Which way.

        Returns:
            A task that is done when they are there; None if there is nothing to do.

        Raises:
            ContextNotFound: The session has no such context there.
        """
        session = self._sessions.get(session_id, _Session({}, []))
        wanted = [
            (mount, path or mount.path)
            for mount in session.mounts
            if context_id in ("", mount.context_id) and is_below(path or mount.path, mount.path)
        ]
        if not wanted and (context_id or path):
            raise ContextNotFound(f"{context_id} at {path or 'any path'} of session {session_id}")
        return self._begin(session, kind, wanted) if wanted else None

    def note_done(self, session_id: str, context_id: str, path: str, kind: Kind) -> None:
        """Note a transfer that had nothing to do, as one that has ended well."""
        session = self._sessions.setdefault(session_id, _Session({}, []))
        task = Task(context_id, path, kind, status="Success", finished_s=int(time.time()))
        session.add([task])

    async def save(self, session_id: str) -> None:
        """Save the files of a session that is about to end, and forget it.

        Raises:
            NotSaved: There is no room for them; it is not forgotten.
        """
        session = self._sessions.get(session_id)
        if session is None:
            return
        wanted = [(mount, mount.path) for mount in session.mounts if mount.uploads]
        await self._begin(session, Kind.UPLOAD, wanted)
        places = [(mount.context_id, path) for mount, path in wanted]
        tasks = [task for task in session.tasks if (task.context_id, task.path) in places]
        lost = [task.context_id for task in tasks if task.kind is Kind.UPLOAD and task.no_room]
        if lost:
            raise NotSaved(lost)
        del self._sessions[session_id]

    def describe(self, session_id: str, context_id: str, path: str, task_type: str) -> str:
        """Say how far the transfers of a session are.

        Args:
            session_id: The session.
            context_id: Only those of this context; "" for all.
            path: Only those that were asked for with this path; "" for all.
            task_type: Only `upload` or only `download`; "" for both.

        Returns:
            JSON text in JSON text, as the wire has it.
        """
        session = self._sessions.get(session_id)
        tasks = [
            task.describe()
            for task in (session.tasks if session else [])
            if context_id in ("", task.context_id)
            and path in ("", task.path)
            and task_type in ("", task.kind.value)
        ]
        return json.dumps([{"type": "data", "data": json.dumps(tasks)}] if tasks else [])

    def lock(self, context_id: str) -> asyncio.Lock:
        """Return what keeps two from changing one context at the same time."""
        return self._locks.setdefault(context_id, asyncio.Lock())

    def forget(self, context_id: str) -> None:
        """Let go of what is kept for a context that is gone."""
        self._locks.pop(context_id, None)

    def _begin(
        self, session: _Session, kind: Kind, wanted: list[tuple[Mount, str]]
    ) -> asyncio.Task[None]:
        # Registered before anybody can ask: a client that finds no task takes it for done.
        tasks = [Task(mount.context_id, path, kind) for mount, path in wanted]
        session.add(tasks)
        working = asyncio.create_task(self._run(session, wanted, tasks))
        self._running.add(working)
        working.add_done_callback(self._running.discard)
        return working

    async def _run(
        self, session: _Session, wanted: list[tuple[Mount, str]], tasks: list[Task]
    ) -> None:
        for (mount, path), task in zip(wanted, tasks, strict=True):
            await self._transfer(session, mount, path, task)

    async def _transfer(self, session: _Session, mount: Mount, path: str, task: Task) -> None:
        work = self._shelf.upload if task.kind is Kind.UPLOAD else self._shelf.download
        try:
            async with self.lock(mount.context_id):
                self._catalog.get(mount.context_id)
                await asyncio.to_thread(work, mount, session.volumes[mount.path], path)
        except (ContextNotFound, TooMuch) as error:
            task.error = str(error)
        except OSError as error:
            task.error = error.strerror or str(error)
            task.no_room = error.errno in _NO_ROOM
        except Exception:
            logger.exception("%s of %s", task.kind.value, mount.context_id)
            task.error = "The server made a mistake; see its log."
        task.status = "Failed" if task.error else "Success"
        task.finished_s = int(time.time())
        if task.error:
            logger.warning("%s of %s: %s", task.kind.value, mount.context_id, task.error)


def _replaces(new: Task, old: Task) -> bool:
    """Say whether a task takes the place of one that has ended."""
    same = (new.context_id, new.path, new.kind) == (old.context_id, old.path, old.kind)
    return same and old.status != "Running"


async def soon(work: asyncio.Task[None]) -> None:
    """Wait for what is mostly done in no time: it spares clients a pause between two questions."""
    await asyncio.wait({work}, timeout=_SOON_S)
