"""Watches the disk of sessions, and their memory without cgroups, and kills who takes too much.

A process of its own, forked by the spawner: a session may have a million files, and looking at them
must keep nobody waiting. What it finds it writes to one small file for each session, in lines of
`key value` like those of a control group, which the server reads when a program was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import socket
import time

from . import MAX_PACKET
from .programs import Program, nameless, tree
from .usage import Usage, in_memory, measure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_LOOK_S = 0.25
"""Between two looks at the memory of all sessions, and at a disk that is over its limit."""
_DISK_S = 1.0
"""Between two looks at the disk of a session."""
_IDLE_DISK_S = 4.0
"""The same, if its programs have not used the processor meanwhile."""
_DYING_S = 5.0
"""How long a killed program may take to end before others are looked at again."""
_SHARE = 10
"""A look that took long is not repeated before so many times as long."""
_KEYS = ("oom_kill", "disk_kill", "inodes_kill", "disk_full", "inodes_full")


class Watched:
    """A session: its processes, its directories and what was found out about them."""

    def __init__(self, pid: int, directories: Sequence[str], report: str) -> None:
        self.pid = pid
        """That of bubblewrap, the parent of all others."""
        self.directories = directories
        self.next_look: float = time.monotonic() + _DISK_S
        self.used: Usage = Usage(0, 0)
        self.work: dict[int, tuple[int, int]] = {}
        """What each program had written, and its processor time, at the last look."""
        self.condemned: Sequence[Program] = ()
        """Whom the last look killed for the disk."""
        self.condemned_until: float = 0.0
        self._counts: dict[str, int] = dict.fromkeys(_KEYS, 0)
        self._file = os.open(report, os.O_CREAT | os.O_RDWR | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._tell()

    def note(self, key: str, value: int | None = None) -> None:
        """Write down what happens, before it does."""
        self._counts[key] = self._counts[key] + 1 if value is None else value
        self._tell()

    def close(self) -> None:
        """Forget it."""
        os.close(self._file)

    def _tell(self) -> None:
        # All values have the same width: nobody ever reads a half-written file.
        lines = "".join(f"{key} {value:010}\n" for key, value in self._counts.items())
        os.pwrite(self._file, lines.encode(), 0)


class Warden:
    """Looks at the sessions in turn and kills the programs that go too far."""

    def __init__(self, memory: int | None, disk: int, inodes: int) -> None:
        """Prepare.

        Args:
            memory: The bytes of memory of one session; None leaves that to the kernel.
            disk: The bytes its directories may take.
            inodes: How many files they may hold.
        """
        self._memory = memory
        self._limit = Usage(disk, inodes)
        self._memory_device = _device_of_memory()
        self._next_memory = 0.0
        self.sessions: dict[int, Watched] = {}

    def look(self) -> float:
        """Look at what is due.

        Returns:
            Seconds until something is due again.
        """
        if not self.sessions:
            return 3600.0
        began = time.monotonic()
        if self._memory is not None and began >= self._next_memory:
            for session in self.sessions.values():
                self._check_memory(session, self._memory)
            self._next_memory = began + max(_LOOK_S, _SHARE * (time.monotonic() - began))
        for session in self.sessions.values():
            if session.next_look <= time.monotonic():
                self._check_disk(session)
        due = min(session.next_look for session in self.sessions.values())
        if self._memory is not None:
            due = min(due, self._next_memory)
        return max(0.0, due - time.monotonic())

    def _check_memory(self, session: Watched, limit: int) -> None:
        """Kill the largest programs until the others are within the limit."""
        programs = tree(session.pid)
        held = nameless(programs, {self._memory_device})
        # Killing nobody makes that free: what is left of the limit is for the programs.
        limit -= in_memory(programs).size
        if sum(program.memory() for program in programs) + sum(held.values()) <= limit:
            return
        # What a fork shares counts once only: slow to find out, and rarely needed.
        sizes = {program: program.part_of_memory(held[program]) for program in programs}
        total = sum(sizes.values())
        for program in sorted(programs, key=lambda each: -sizes[each]):
            if total > limit and not program.keeps_session:
                session.note("oom_kill")
                _kill(program)
                total -= sizes[program]

    def _check_disk(self, session: Watched) -> None:
        """Kill who fills the disk; as long as it is full the server lets nobody write."""
        began = time.monotonic()
        dying = [program for program in session.condemned if program.runs()]
        programs = tree(session.pid)
        # Beyond the limit, so that growth is seen there as well.
        used, devices = measure(session.directories, 2 * self._limit.inodes)
        used.size += sum(nameless(programs, devices).values())
        used.inodes += in_memory(programs).inodes
        over_disk, over_inodes = used.size > self._limit.size, used.inodes > self._limit.inodes
        session.note("disk_full", int(over_disk))
        session.note("inodes_full", int(over_inodes))
        work = {program.pid: (program.written(), program.cpu) for program in programs}
        grown = used.size > session.used.size or used.inodes > session.used.inodes
        if session.condemned:
            # What they wrote until they ended is nobody else's: it is counted, and not judged.
            session.condemned = dying if began < session.condemned_until else ()
        elif (over_disk or over_inodes) and grown:
            session.condemned = _stop_writers(session, programs, work, written=over_disk)
            session.condemned_until = began + _DYING_S
        pause = _IDLE_DISK_S if work == session.work else _DISK_S
        if over_disk or over_inodes:
            pause = _LOOK_S
        session.used, session.work = used, work
        session.next_look = began + max(pause, _SHARE * (time.monotonic() - began))


def _stop_writers(
    session: Watched,
    programs: Sequence[Program],
    work: dict[int, tuple[int, int]],
    *,
    written: bool,
) -> list[Program]:
    """Kill the programs that did most of the writing or, of many files, most of the work."""

    def since(program: Program) -> tuple[int, int]:
        (wrote, worked), before = work[program.pid], session.work.get(program.pid, (0, 0))
        done = wrote - before[0], worked - before[1]
        return done if written else (done[1], done[0])

    suspects = [program for program in programs if not program.keeps_session]
    suspects.sort(key=since, reverse=True)
    left = sum(since(program)[0] for program in suspects) // 2
    killed: list[Program] = []
    for program in suspects:
        session.note("disk_kill" if written else "inodes_kill")
        _kill(program)
        killed.append(program)
        left -= since(program)[0]
        if left <= 0:
            break
    return killed


def run(server: socket.socket, warden: Warden) -> None:
    """Watch sessions until the spawner has gone.

    Args:
        server: Where it says which sessions begin and end.
        warden: What watches them.
    """
    poll = select.poll()
    poll.register(server, select.POLLIN)
    while True:
        wait_s = warden.look()
        if not poll.poll(wait_s * 1000):
            continue
        packet = server.recv(MAX_PACKET)
        if not packet:
            return
        message = json.loads(packet)
        if "watch" in message:
            number = message.pop("watch")
            with contextlib.suppress(OSError):
                warden.sessions[number] = Watched(**message)
        else:
            session = warden.sessions.pop(message["forget"], None)
            if session is not None:
                session.close()


def start(memory: int | None, disk: int, inodes: int) -> tuple[int, socket.socket]:
    """Fork the warden from a process with one thread.

    Returns:
        Its number, and where it is told about sessions.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            # Whatever else is open belongs to the spawner, whose end others wait for.
            os.closerange(3, theirs.fileno())
            os.closerange(theirs.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
            with contextlib.suppress(OSError):
                os.nice(5)
            _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            run(theirs, Warden(memory, disk, inodes))
        finally:
            os._exit(0)
    theirs.close()
    return pid, ours


def _device_of_memory() -> int:
    """Return the device of files that are only memory: memfds, and what programs share."""
    descriptor = os.memfd_create("agb")
    try:
        return os.fstat(descriptor).st_dev
    finally:
        os.close(descriptor)


def _kill(program: Program) -> None:
    """Kill a program, unless its number has passed to another one."""
    with contextlib.suppress(OSError):
        descriptor = os.pidfd_open(program.pid)
        try:
            if program.is_still_there():
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        finally:
            os.close(descriptor)
