"""Control groups: what this machine lets the server limit for a whole session, and how.

Version 1 has a hierarchy for each controller, version 2 one for all. Where a controller is missing,
or may not be used, `Groups.missing` says why, and `docs/local.md` what is promised without it.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..settings import Settings

CONTROLLERS = ("memory", "pids", "cpu")
_TRIED = {
    "memory": ("memory.limit_in_bytes", "memory.max"),
    "pids": ("pids.max", "pids.max"),
    "cpu": ("cpu.cfs_quota_us", "cpu.max"),
}
_PERIOD_US = 100_000
# What the agent and bubblewrap may start beyond the programs of a session.
_OWN_PROCESSES = 256


@frozen(kw_only=True)
class Group:
    """One session's control group in one hierarchy.

    Attributes:
        path: Its directory.
        values: What is written to its files, in this order; a file that is missing is left out if
            its name begins with a question mark.
    """

    path: str
    values: Sequence[tuple[str, str]]


@frozen
class Place:
    """Where the groups of one server are, for one controller.

    Attributes:
        version: 1 or 2.
        directory: Their directory; the same for all controllers in version 2.
    """

    version: int
    directory: str


@frozen(kw_only=True)
class Groups:
    """The control groups of one server.

    Attributes:
        places: Each controller that works.
        missing: Why a controller is not among them, by its name.
    """

    places: Mapping[str, Place] = field(factory=dict[str, Place])
    missing: Mapping[str, str] = field(factory=dict[str, str])

    @classmethod
    def prepare(cls, name: str, *, wanted: bool, root: str = "/") -> Groups:
        """Make the server's own groups, where that is allowed.

        Args:
            name: A name that no other server has.
            wanted: Whether to look for them at all.
            root: Where `/proc` and `/sys` are looked for.
        """
        if not wanted:
            return cls(missing=dict.fromkeys(CONTROLLERS, "turned off by AGB_LOCAL_CGROUPS"))
        found = dict(_places(root))
        places: dict[str, Place] = {}
        missing: dict[str, str] = {}
        for controller in CONTROLLERS:
            if controller not in found:
                missing[controller] = "not offered by this machine"
                continue
            above = found[controller]
            place = Place(above.version, os.path.join(above.directory, name))
            try:
                _make(place, controller)
            except OSError as error:
                missing[controller] = f"{error.strerror}: {error.filename}"
            else:
                places[controller] = place
        return cls(places=places, missing=missing)

    def of_session(self, number: int, settings: Settings) -> list[Group]:
        """Describe the groups of one session.

        Args:
            number: The number of its sandbox.
            settings: The limits.
        """
        values: dict[str, list[tuple[str, str]]] = {}
        for controller, place in self.places.items():
            path = os.path.join(place.directory, str(number))
            values.setdefault(path, []).extend(_values(controller, place.version, settings))
        return [Group(path=path, values=tuple(each)) for path, each in values.items()]

    def counters(self, number: int) -> str | None:
        """Return the file that counts the programs killed for want of memory, if there is one."""
        place = self.places.get("memory")
        if place is None:
            return None
        name = "memory.oom_control" if place.version == 1 else "memory.events"
        return os.path.join(place.directory, str(number), name)

    @staticmethod
    def planned(name: str, *, wanted: bool, root: str = "/") -> list[str]:
        """Return every directory that `prepare` may make."""
        places = _places(root) if wanted else ()
        return sorted({os.path.join(above.directory, name) for _, above in places})

    @property
    def directories(self) -> list[str]:
        """The directories to remove in the end."""
        return sorted({place.directory for place in self.places.values()})


def _values(controller: str, version: int, settings: Settings) -> list[tuple[str, str]]:
    """Return what limits one controller of one session."""
    memory = str(settings.max_memory_bytes)
    if controller == "pids":
        return [("pids.max", str(settings.inside.max_processes + _OWN_PROCESSES))]
    if controller == "memory":
        if version == 1:
            # Swap counts as well; the file is only there where the kernel accounts for it.
            return [("memory.limit_in_bytes", memory), ("?memory.memsw.limit_in_bytes", memory)]
        # The kernel kills one program, the largest, and not the whole group with the agent.
        return [("memory.max", memory), ("?memory.swap.max", "0"), ("?memory.oom.group", "0")]
    if settings.max_cpus is None:
        # Each group counts as one when the kernel shares the processors, whatever is in it.
        return []
    quota = str(max(1000, int(settings.max_cpus * _PERIOD_US)))
    if version == 1:
        return [("cpu.cfs_period_us", str(_PERIOD_US)), ("cpu.cfs_quota_us", quota)]
    return [("cpu.max", f"{quota} {_PERIOD_US}")]


def _make(place: Place, controller: str) -> None:
    """Make the group of the server, and try whether one below takes a limit.

    Raises:
        OSError: It is not allowed.
    """
    trial = os.path.join(place.directory, "trial")
    try:
        if place.version == 2:
            _enable(os.path.dirname(place.directory), controller)
        os.makedirs(place.directory, exist_ok=True)
        if place.version == 2:
            _enable(place.directory, controller)
        os.mkdir(trial)
        with open(os.path.join(trial, _TRIED[controller][place.version - 1]), "r+"):
            pass
        os.rmdir(trial)
        if controller == "cpu":
            _weigh(place)
    except OSError:
        for directory in (trial, place.directory):
            with contextlib.suppress(OSError):
                os.rmdir(directory)
        raise


def _weigh(place: Place) -> None:
    """Let all sessions together weigh as much as a few busy programs for each processor.

    By default they would all have to make do with what the machine gives to a single program.
    """
    tasks = 4 * (os.cpu_count() or 1)
    name, weight = ("cpu.shares", 1024) if place.version == 1 else ("cpu.weight", 100)
    with open(os.path.join(place.directory, name), "r+", encoding="ascii") as file:
        file.write(str(min(10_000 if place.version == 2 else 1 << 18, tasks * weight)))


def _enable(directory: str, controller: str) -> None:
    """Let the groups in a directory of version 2 have a controller."""
    path = os.path.join(directory, "cgroup.subtree_control")
    with open(path, encoding="ascii") as file:
        if controller in file.read().split():
            return
    with open(path, "w", encoding="ascii") as file:
        file.write(f"+{controller}")


def _places(root: str) -> Iterator[tuple[str, Place]]:
    """Find where this process may make groups: each controller with its version and directory.

    Below the group this process is in, so that limits set from outside hold for its sessions too.
    """
    own = _own_groups(root)
    try:
        with open(os.path.join(root, "proc/self/mountinfo"), encoding="utf-8") as file:
            lines = file.read().splitlines()
    except OSError:
        return
    for line in lines:
        before, _dash, after = line.partition(" - ")
        mounted, place = before.split()[3:5]
        kind, _source, options = after.split(" ", 2)
        place = os.path.join(root, place.lstrip("/"))
        if kind == "cgroup":
            for controller in set(CONTROLLERS) & set(options.split(",")):
                yield controller, Place(1, _below(place, mounted, own.get(controller, "/")))
        elif kind == "cgroup2":
            directory = _below(place, mounted, own.get("", "/"))
            # A group that has processes of its own can't hand controllers on; the root can.
            if os.path.exists(os.path.join(directory, "cgroup.type")):
                directory = _roomy(directory, place)
            for controller in set(CONTROLLERS) & set(_words(f"{directory}/cgroup.controllers")):
                yield controller, Place(2, directory)


def _own_groups(root: str) -> dict[str, str]:
    """Read in which group this process is, by controller; version 2 is ""."""
    groups: dict[str, str] = {}
    try:
        with open(os.path.join(root, "proc/self/cgroup"), encoding="utf-8") as file:
            for line in file:
                _number, controllers, path = line.rstrip("\n").split(":", 2)
                groups.update(dict.fromkeys(controllers.split(","), path))
    except (OSError, ValueError):
        pass
    return groups


def _below(place: str, mounted: str, path: str) -> str:
    """Return the directory of a group; in a container only a part of the tree is mounted."""
    if mounted != "/" and (path + "/").startswith(mounted + "/"):
        path = path[len(mounted) :]
    directory = os.path.join(place, path.lstrip("/"))
    return directory if os.path.isdir(directory) else place


def _roomy(directory: str, place: str) -> str:
    """Find the nearest group above, or the group itself, that has no processes of its own."""
    while directory != place and _words(os.path.join(directory, "cgroup.procs")):
        directory = os.path.dirname(directory)
    return directory


def _words(path: str) -> list[str]:
    """Read the words of a file; none if it cannot be read."""
    try:
        with open(path, encoding="ascii") as file:
            return file.read().split()
    except OSError:
        return []
